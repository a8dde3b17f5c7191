"""What can be told of one message from its payload."""

import json
from base64 import b64encode
from enum import Enum
from typing import Any

from attrs import evolve, frozen

from core.device_state import redacted
from core.monitoring.schema import Schema, schema_of

LONGEST_SAMPLE = 4096
# Longer ones are counted, not looked into: state reports and batches of readings are shorter.
LONGEST_EXAMINED = 64 * 1024
_SHOWN_BYTES = 256
_BEGINNINGS_OF_JSON = frozenset('{["-0123456789tfn')


class MessageType(Enum):
    """What a payload is."""

    JSON = "json"
    XML = "xml"
    STRING = "string"
    BINARY = "binary"
    EMPTY = "empty"
    LARGE = "large"


@frozen(kw_only=True)
class Sample:
    """A payload as it is shown: at most 4 KiB of text without secrets, base64 where the payload is no text.

    Empty where the payload was too large, or nested too deeply, to look for secrets.
    """

    type: MessageType
    text: str = ""
    truncated: bool = False
    schema: Schema | None = None


TOO_LARGE = Sample(type=MessageType.LARGE, truncated=True)


def examined(payload: bytes) -> Sample:
    """A sample of the payload. Never raises."""
    if not payload:
        return Sample(type=MessageType.EMPTY)
    if len(payload) > LONGEST_EXAMINED:
        return TOO_LARGE
    try:
        text = payload.decode()
    except UnicodeDecodeError:
        shown = b64encode(payload[:_SHOWN_BYTES]).decode()
        return Sample(type=MessageType.BINARY, text=shown, truncated=len(payload) > _SHOWN_BYTES)
    beginning = text.lstrip()[:1]
    if beginning and beginning in _BEGINNINGS_OF_JSON:
        return _structured(text)
    return _plain(text, MessageType.XML if beginning == "<" else MessageType.STRING)


def _structured(text: str) -> Sample:
    """JSON without its secrets. What is nested too deeply to look for them is not shown."""
    try:
        value: Any = json.loads(text)
        shown = json.dumps(redacted(value), ensure_ascii=False, separators=(",", ":"))
        schema = schema_of(value)
    except RecursionError:
        return TOO_LARGE
    except ValueError:
        return _plain(text, MessageType.STRING)
    return evolve(_plain(shown, MessageType.JSON), schema=schema)


def _plain(text: str, kind: MessageType) -> Sample:
    # Lone surrogates can be written in JSON, but not sent on.
    raw = str(redacted(text)).encode(errors="replace")
    shown = raw[:LONGEST_SAMPLE].decode(errors="ignore")
    schema: Schema | None = {"type": "string"} if kind is MessageType.STRING else None
    return Sample(type=kind, text=shown, truncated=len(raw) > LONGEST_SAMPLE, schema=schema)
