"""What an event says, as plain JSON: bounded, readable, and without secrets, for whoever writes events down."""

import re
from collections.abc import Container, Mapping
from datetime import datetime
from enum import Enum
from typing import Any

from attrs import asdict

from core.checks import printable
from core.events import Event

LONGEST_TEXT = 1000
LONGEST_NAME = 255
MOST_ITEMS = 50
DEEPEST = 4

REMOVED = "[removed]"
# Events carry no secrets. Should one do so by mistake, it ends here and not in a log that many may read for years.
_SECRET = re.compile(r"(?i)(password|secret|token|digest|hash|private_?key|api_?key|credentials?|authorization)$")


def facts_of(event: Event, *, without: Container[str] = ()) -> dict[str, Any]:
    """The fields of the event but those named, each as JSON."""
    fields = asdict(event, recurse=True)
    return {name: _kept(name, value, 0) for name, value in fields.items() if name not in without}


def _kept(name: str, value: object, depth: int) -> Any:
    if _SECRET.search(name):
        return REMOVED
    if depth < DEEPEST and isinstance(value, Mapping):
        keys = list(value)[:MOST_ITEMS]
        return {printable(str(key), longest=LONGEST_NAME): _kept(str(key), value[key], depth + 1) for key in keys}
    if depth < DEEPEST and isinstance(value, list | tuple | set | frozenset):
        return [_kept(name, item, depth + 1) for item in list(value)[:MOST_ITEMS]]
    return _scalar(value)


def _scalar(value: object) -> Any:
    if isinstance(value, Enum):
        return _scalar(value.value)
    if value is None or isinstance(value, bool | int | float):
        return value
    return printable(value.isoformat() if isinstance(value, datetime) else str(value), longest=LONGEST_TEXT)
