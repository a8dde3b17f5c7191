"""What devices send, made fit to be kept: whatever it is, nothing here raises.

A device must never be locked out by an odd value, so values that cannot be kept are bounded, cut or left out.
"""

import json
import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

MOST_NUMBER = 2**31 - 1
MOST_INTEGER = 2**63 - 1
DEEPEST = 16
MOST_ITEMS = 256
LONGEST_TEXT = 4096

AHEAD = timedelta(minutes=10)
EARLIEST = datetime(2015, 1, 1, tzinfo=UTC)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

REDACTED = "[redacted]"
KEY_LENGTH = 64
# CSI and OSC sequences, then the two-character ones (ECMA-48 §5.3, §5.4).
_ESCAPES = re.compile(r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]|(?:\x1b\]|\x9d)[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)|\x1b[ -~]")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_UNKEEPABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_KEYS = re.compile(rf"[0-9A-Fa-f]{{{KEY_LENGTH},}}")
_SECRET_NAMES = re.compile(r"(?i)api.?key|password|passwd|secret|token|credential|authorization|private.?key")


def _no_number(_word: str) -> None:
    """NaN and Infinity are not JSON (RFC 8259 §6); where somebody sends them, nothing was measured."""


_decoder = json.JSONDecoder(parse_constant=_no_number)


class NotJson(ValueError):
    """The text is not JSON, or nested too deeply to be read."""


def json_of(text: str) -> Any:
    """The value of a JSON text; NaN and Infinity are None. Raises NotJson."""
    try:
        return _decoder.decode(text)
    except (ValueError, RecursionError) as error:
        raise NotJson(str(error)) from error


def clean_text(value: str, longest: int = LONGEST_TEXT) -> str:
    """The text without escape sequences, control characters (tab and newline stay), lone surrogates and keys."""
    if not value.isprintable():
        value = _CONTROLS.sub("", _ESCAPES.sub("", value))
    if len(value) >= KEY_LENGTH:
        value = _KEYS.sub(REDACTED, value)
    return value[:longest]


def is_clean(text: str) -> bool:
    """Whether every database and terminal takes the text as it is."""
    return text.isprintable() or not _UNKEEPABLE.search(text)


def word(value: object, longest: int = 255) -> str | None:
    """A short text on one line, or None where there is none."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    return clean_text(str(value)[: longest * 4], longest).replace("\n", " ").replace("\t", " ").strip() or None


def number(value: object) -> float | None:
    """The number within ±(2³¹-1), or None for anything that is not a finite number."""
    if type(value) is float and -MOST_NUMBER <= value <= MOST_NUMBER:
        return value  # nearly all are: a report has dozens
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return float(max(-MOST_NUMBER, min(MOST_NUMBER, value)))


def whole(value: object) -> int | None:
    """The number as an integer from 0 to 2³¹-1, or None."""
    found = number(value)
    return None if found is None else max(0, int(found))


def finite(value: int | float) -> int | float | None:
    """The number as every JSON reader and database takes it: 64 bits, or a finite float; None if there is no such."""
    if isinstance(value, int):
        if -MOST_INTEGER <= value <= MOST_INTEGER:
            return value
        try:
            value = float(value)
        except OverflowError:
            return None
    return value if math.isfinite(value) else None


def clean_json(value: Any, depth: int = DEEPEST) -> Any:
    """The JSON value without what cannot be kept: too deep, too many, too long, secret by its name or its look."""
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return finite(value)
    if isinstance(value, Mapping) and depth:
        return {name: _clean_member(name, item, depth) for name, item in _members(value)}
    if isinstance(value, list | tuple) and depth:
        return [clean_json(item, depth - 1) for item in value[:MOST_ITEMS]]
    return None


def _members(value: Mapping[Any, Any]) -> list[tuple[str, Any]]:
    return [(clean_text(str(name), 128), item) for name, item in list(value.items())[:MOST_ITEMS]]


def _clean_member(name: str, item: Any, depth: int) -> Any:
    if isinstance(item, str) and _SECRET_NAMES.search(name):
        return REDACTED
    return clean_json(item, depth - 1)


def moment_of(value: object) -> datetime | None:
    """The moment that milliseconds since 1970 or an ISO 8601 text (UTC where it names no zone) stand for, or None."""
    try:
        if isinstance(value, str):
            moment = datetime.fromisoformat(value.strip())
            return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return _EPOCH + timedelta(milliseconds=value)
    except (ValueError, OverflowError):
        return None
    return None


def believed(sent: datetime | None, received: datetime) -> tuple[datetime, bool]:
    """When it was, and whether we had to take the time of receipt for it.

    Clocks of devices are wrong in earnest: a flat battery says 1970. What is more than ten minutes ahead of us, or
    before 2015, or missing, counts as now.
    """
    if sent is None or not EARLIEST <= sent <= received + AHEAD:
        return received, True
    return sent, False
