"""JSON documents: one spelling for equal ones, bounds for people, leniency for devices."""

import json
import math
import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from core.errors import Invalid

# Beyond this, JavaScript's numbers lose digits (RFC 8259 §6, RFC 7493 §2.2).
SAFE_NUMBER = 2**53 - 1
LARGEST_DOCUMENT = 1024 * 1024
DEEPEST_DOCUMENT = 32

_LONGEST_TEXT = 32 * 1024
_LONGEST_NAME = 256
_MOST_ENTRIES = 2_000
_MOST_VALUES = 50_000
_DEEPEST_REPORT = 24
_MOST_DIGITS = 20
# PostgreSQL stores no NUL in JSON, and UTF-8 has no code for half a surrogate pair.
_UNFIT = re.compile("[\x00\ud800-\udfff]")
_GONE = object()


def canonical(document: Any) -> bytes:
    """The document as JSON that does not depend on the order in which keys came, at any level."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode()


def etag_of(body: bytes) -> str:
    """The strong entity tag of these bytes, with its quotes (RFC 9110 §8.8.3)."""
    return f'"sha256-{sha256(body).hexdigest()}"'


def names_etag(header: str, etag: str) -> bool:
    """Whether the raw If-None-Match or If-Match header names the tag.

    Compared weakly and without quotes: agents send back whatever they once were sent, and older servers sent tags
    without quotes. `*` names every tag.
    """
    if header == etag:
        return True
    wanted = etag.strip('"')
    for part in header.split(","):
        tag = part.strip()
        if tag == "*" or tag.removeprefix("W/").removeprefix("w/").strip('"') == wanted:
            return True
    return False


def deep_merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with what `over` says; objects are merged key by key, everything else is replaced."""
    merged = dict(base)
    for key, value in over.items():
        below = merged.get(key)
        both = isinstance(below, Mapping) and isinstance(value, Mapping)
        merged[key] = deep_merged(below, value) if both else value  # type: ignore[arg-type]
    return merged


def check_document(value: Any, field: str, depth: int = 0) -> None:
    """Refuse what cannot be stored and served unchanged: bad text, unsafe numbers, too much nesting. Raises Invalid."""
    if depth > DEEPEST_DOCUMENT:
        raise Invalid(f"{field} is nested more than {DEEPEST_DOCUMENT} levels deep", field=field)
    if isinstance(value, Mapping):
        for key, below in value.items():
            check_document(key, field, depth + 1)
            check_document(below, field, depth + 1)
    elif isinstance(value, (list, tuple)):
        for below in value:
            check_document(below, field, depth + 1)
    else:
        _check_leaf(value, field)


def _check_leaf(value: Any, field: str) -> None:
    if value is None or isinstance(value, bool):
        return
    if isinstance(value, str):
        if _UNFIT.search(value):
            raise Invalid(f"{field} contains NUL or half a surrogate pair", field=field)
    elif not isinstance(value, (int, float)):
        raise Invalid(f"{field} must be JSON", field=field)
    elif not (math.isfinite(value) if isinstance(value, float) else -SAFE_NUMBER <= value <= SAFE_NUMBER):
        raise Invalid(f"{field} contains a number that is not finite, or beyond ±(2^53 - 1)", field=field)


def lenient_json(data: bytes) -> Any:
    """JSON as devices send it: NaN, infinities and half surrogate pairs are let in here and cleaned later.

    Raises Invalid when it is no JSON at all: a device must not be locked out by one odd value.
    """
    try:
        return json.loads(data.decode("utf-8", "replace"), parse_int=_integer, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise Invalid("the body is not JSON, or nested too deeply", field="body") from error


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= _MOST_DIGITS else float(digits)


def _no_number(_name: str) -> None:
    return None


class Cleaning:
    """Makes what a device sent fit to be stored: bounded, finite, without NUL. `notes` says what was left out."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self._left = _MOST_VALUES

    def of(self, value: Any) -> Any:
        """The value, cleaned; None when nothing of it can be kept."""
        cleaned = self._value(value, 0)
        return None if cleaned is _GONE else cleaned

    def _value(self, value: Any, depth: int) -> Any:
        self._left -= 1
        if depth > _DEEPEST_REPORT or self._left < 0:
            return self._without("too deep or too much")
        # Exact types, the frequent ones first: this runs for every value of every report.
        kind = type(value)
        if kind is str:
            return self._text(value)
        if kind is int or kind is float:
            return self._number(value)
        if kind is dict:
            return self._object(value, depth + 1)
        if kind is list:
            return self._list(value, depth + 1)
        return value if value is None or kind is bool else self._without(f"a {kind.__name__}")

    def _object(self, value: dict[Any, Any], depth: int) -> dict[str, Any]:
        cleaned: dict[str, Any] = {}
        for key, below in value.items():
            if len(cleaned) >= _MOST_ENTRIES:
                self._without("too many entries")
                break
            kept = self._value(below, depth)
            if kept is not _GONE:
                cleaned[self._text(key)[:_LONGEST_NAME]] = kept
        return cleaned

    def _list(self, value: list[Any], depth: int) -> list[Any]:
        if len(value) > _MOST_ENTRIES:
            self._without("too many entries")
        return [kept for below in value[:_MOST_ENTRIES] if (kept := self._value(below, depth)) is not _GONE]

    def _text(self, value: str) -> str:
        if len(value) > _LONGEST_TEXT:
            self._without("the end of a long text")
            value = value[:_LONGEST_TEXT]
        if value.isascii() and "\0" not in value:
            return value
        return _UNFIT.sub("", value)

    def _number(self, value: int | float) -> Any:
        if isinstance(value, float):
            return value if math.isfinite(value) else self._without("a number that is not finite")
        return max(-SAFE_NUMBER, min(SAFE_NUMBER, value))

    def _without(self, what: str) -> object:
        if what not in self.notes:
            self.notes.append(what)
        return _GONE
