"""Texts and JSON as PostgreSQL can keep them: without NUL, which is told by U+FFFD."""

import re
from typing import Any

import msgspec
from psycopg.abc import Buffer
from psycopg.types.string import StrDumperUnknown

REPLACEMENT = "\ufffd"
# An even number of backslashes before it stand for themselves.
_ESCAPED_NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")


class Text(StrDumperUnknown):
    """PostgreSQL keeps no NUL in a text. What has one is refused where that matters, and told by U+FFFD elsewhere."""

    def dump(self, obj: str) -> Buffer | None:
        """What is sent."""
        return super().dump(obj.replace("\0", REPLACEMENT) if "\0" in obj else obj)


def prepare(connection: Any) -> None:
    """Have a connection of the driver send texts so."""
    connection.adapters.register_dumper(str, Text)


def to_json(value: object) -> str:
    """The value as JSON."""
    text = msgspec.json.encode(value).decode()
    return _ESCAPED_NUL.sub(rf"\1{REPLACEMENT}", text) if "u0000" in text else text
