"""One setting, and how its text is understood."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Generic, TypeVar

from attrs import frozen

from core.errors import Invalid

T = TypeVar("T")

LARGEST_SIZE = 1024**5

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|min|h|d)?")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?)i?b?", re.IGNORECASE)
_FACTORS = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3, "t": 1024**4}
_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off", ""}


@frozen(kw_only=True)
class Setting(Generic[T]):
    """A named value from the environment. `secret` ones are never shown."""

    name: str
    read: Callable[[str], T]
    default: T
    summary: str
    secret: bool = False

    def parsed(self, text: str) -> T:
        """The value of the text. Raises Invalid that names the setting."""
        try:
            return self.read(text)
        except ValueError as error:
            raise Invalid(f"{self.name}: {error}", field=self.name) from error


AnySetting = Setting[Any]


def text(value: str) -> str:
    """Any text."""
    return value.strip()


def boolean(value: str) -> bool:
    """`true` or `false`, `1` or `0`, `yes` or `no`, `on` or `off`."""
    word = value.strip().lower()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise ValueError(f"{value!r} is neither true nor false")


def integer(lowest: int, highest: int) -> Callable[[str], int]:
    """A whole number within bounds."""

    def read(value: str) -> int:
        number = int(value)
        if not lowest <= number <= highest:
            raise ValueError(f"{number} is not between {lowest} and {highest}")
        return number

    return read


def seconds(value: str) -> timedelta:
    """A time span: `15m`, `7d`, `300s`, `250ms`; a bare number is seconds."""
    found = _DURATION.fullmatch(value.strip())
    if found is None:
        raise ValueError(f"{value!r} is no time span such as 15m, 7d or 300s")
    try:
        return timedelta(seconds=float(found[1]) * _UNITS[found[2] or "s"])
    except OverflowError as error:
        raise ValueError(f"{value!r} is longer than anything lasts") from error


def size(lowest: int = 0) -> Callable[[str], int]:
    """A size in bytes: `500MB`, `2GB`, `1.5 GiB`, `64k`; each step is 1024. A bare number is bytes."""

    def read(value: str) -> int:
        found = _SIZE.fullmatch(value.strip())
        if found is None:
            raise ValueError(f"{value!r} is no size such as 500MB or 2GB")
        number = float(found[1]) * _FACTORS[found[2].lower()]
        if not lowest <= number <= LARGEST_SIZE:
            raise ValueError(f"{value!r} is not between {lowest} bytes and 1024 TB")
        return int(number)

    return read


def list_of_text(value: str) -> tuple[str, ...]:
    """Words separated by commas."""
    return tuple(word.strip() for word in value.split(",") if word.strip())
