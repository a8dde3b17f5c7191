"""Values on their way from one database to the other, and the form in which both sides' rows are compared.

A row on its way is a tuple of None, numbers, booleans and bytes: texts and JSON are UTF-8, moments are microseconds.
"""

import json
import re
from collections.abc import Callable, Sequence
from decimal import Context, Decimal
from enum import Enum
from functools import lru_cache
from hashlib import blake2b
from typing import Any, Final

from attrs import define, frozen

from core.errors import Invalid

Values = tuple[Any, ...]
Convert = Callable[[Any], Any]

MODULUS: Final = 1 << 64
REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"
_MOST_SMALL = (1 << 31) - 1
_MOST_DIGITS = 4000
_OFTEN_SEEN = 64
_EXACT = Context(prec=200_000)
# One escape of JSON: a pair of surrogates, what PostgreSQL cannot keep (NUL, a surrogate alone), or any other.
_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(?P<bad>u(?:0000|[dD][89a-fA-F][0-9a-fA-F]{2}))|.)",
    re.DOTALL,
)


class Kind(Enum):
    """What a column holds, in words that mean the same on both sides."""

    INTEGER = "integer"
    SMALL = "integer of 32 bits"
    FLOAT = "float"
    BOOLEAN = "boolean"
    TEXT = "text"
    BYTES = "bytes"
    INSTANT = "instant"
    JSON = "json"


@define
class Replaced:
    """How many values had something that PostgreSQL cannot keep, and are told with U+FFFD in its place."""

    values: int = 0

    def text(self, value: bytes) -> bytes:
        """The text without NUL and without what is not UTF-8."""
        if value.isascii() and 0 not in value:
            return value
        kept = value.decode("utf-8", "replace").replace("\0", REPLACEMENT).encode()
        self.values += kept != value
        return kept

    def json(self, value: bytes) -> bytes:
        """The JSON without NUL and without surrogates that stand alone."""
        if b"\\u" in value:
            kept = _ESCAPE.sub(lambda found: REPLACEMENT.encode() if found["bad"] else found[0], value)
            self.values += kept != value
            return self.text(kept)
        return self.text(value)


def small(value: int) -> int:
    """The number, if PostgreSQL's INTEGER can hold it. Raises OverflowError."""
    if not -_MOST_SMALL <= value <= _MOST_SMALL:
        raise OverflowError(f"{value} has more than 32 bits")
    return value


@frozen
class Conversion:
    """Turns what a driver gives into a row on its way."""

    _columns: Sequence[tuple[int, Convert]]

    def __call__(self, given: Sequence[Any]) -> Values:
        """The row."""
        row = list(given)
        for place, convert in self._columns:
            if row[place] is not None:
                row[place] = convert(row[place])
        return tuple(row)


@define
class Sum:
    """Rows in any order: how many, and the sum of their digests modulo 2^64."""

    rows: int = 0
    checksum: int = 0

    def add(self, row: object) -> None:
        """One more row, in the form of `canonical`."""
        self.rows += 1
        digest = blake2b(repr(row).encode(), digest_size=8).digest()
        self.checksum = (self.checksum + int.from_bytes(digest)) % MODULUS

    @property
    def word(self) -> str:
        """The checksum as it is shown."""
        return f"{self.checksum:016x}"


def canonical(kinds: Sequence[Kind]) -> Conversion:
    """Turns a row on its way into that of which both sides have the same, however they write numbers and JSON."""
    forms: dict[Kind, Convert] = {Kind.FLOAT: _float, Kind.JSON: _json}
    return Conversion([(place, forms[kind]) for place, kind in enumerate(kinds) if kind in forms])


def _float(value: float) -> float:
    # SQLite keeps whole floats as integers, which know no negative zero.
    return value + 0.0


def _json(value: bytes) -> str:
    return _json_often_seen(value) if len(value) <= _OFTEN_SEEN else canonical_json(value)


def canonical_json(value: bytes) -> str:
    """JSON with sorted keys and numbers by their worth: 1e2, 100 and 100.0 are one number. Raises Invalid."""
    try:
        try:
            parsed = json.loads(value, parse_float=_number, parse_constant=_no_number)
        except ValueError:  # perhaps an integer of more digits than Python likes
            parsed = json.loads(value, parse_float=_number, parse_int=_number, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise Invalid(f"not JSON: {value[:80]!r}") from error
    return json.dumps(parsed, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


_json_often_seen = lru_cache(maxsize=16_384)(canonical_json)


def _number(text: str) -> int | str:
    number = Decimal(text)
    if not number.is_zero() and number.adjusted() > _MOST_DIGITS:
        return "\0" + str(number.normalize(_EXACT))
    if number == number.to_integral_value():
        return int(number)
    # No text of the data begins with NUL: this is no text.
    return "\0" + str(number.normalize(_EXACT))


def _no_number(text: str) -> object:
    raise ValueError(f"{text} is not JSON")
