"""Log lines, as agents send them: one JSON object a line (contract §2.8)."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from attrs import frozen

from core.errors import Invalid
from core.telemetry.cleaning import NotJson, believed, clean_json, clean_text, json_of, moment_of, whole, word

MOST_LINES = 10_000
LONGEST_MESSAGE = 32 * 1024
LONGEST_CONTEXT = 32 * 1024
_CONTAINER = re.compile(r"[A-Za-z0-9_.-]{1,128}", re.ASCII)
_LEVELS = {"warning": "warn", "err": "error", "critical": "error", "fatal": "error", "trace": "debug"}


@frozen(kw_only=True)
class LogLine:
    """One line of a device's log. `time_clamped`: the time is ours; `truncated`: the message was longer."""

    at: datetime
    time_clamped: bool
    level: str
    message: str
    truncated: bool
    source_type: str | None
    source_name: str | None
    service_name: str | None
    service_id: int | None
    container_id: str | None
    is_system: bool
    is_stderr: bool
    context: Any


@frozen(kw_only=True)
class LogBatch:
    """The lines of one request, and how many more of them could not be read."""

    lines: tuple[LogLine, ...]
    rejected: int


def batch_of(ndjson: bytes, now: datetime) -> LogBatch:
    """The lines that can be read. Raises Invalid only when there are too many of them."""
    if ndjson.count(b"\n") > MOST_LINES:
        raise Invalid(f"a batch has at most {MOST_LINES} lines", field="body")
    sent = [line for line in ndjson.split(b"\n") if line.strip()]
    read = [line_of(line, now) for line in sent]
    lines = tuple(line for line in read if line is not None)
    return LogBatch(lines=lines, rejected=len(sent) - len(lines))


def line_of(text: bytes, now: datetime) -> LogLine | None:
    """The line, or None when it is no JSON object with a message."""
    try:
        sent = json_of(text.decode("utf-8", "replace").strip().removeprefix("\ufeff"))
    except NotJson:
        return None
    if not isinstance(sent, Mapping) or not isinstance(sent.get("message"), str | int | float):
        return None
    return _line(sent, now)


def _line(sent: Mapping[str, Any], now: datetime) -> LogLine:
    at, clamped = believed(moment_of(sent.get("timestamp")), now)
    message, truncated = bounded(str(sent["message"]), LONGEST_MESSAGE)
    source = sent.get("source")
    source = source if isinstance(source, Mapping) else {"name": source}
    name = word(source.get("name"))
    return LogLine(
        at=at,
        time_clamped=clamped,
        level=usual_level(word(sent.get("level"), 16) or "info"),
        message=message,
        truncated=truncated,
        source_type=word(source.get("type"), 32),
        source_name=name,
        service_name=word(sent.get("serviceName")) or name,
        service_id=whole(sent.get("serviceId")),
        container_id=_container(sent.get("containerId")),
        is_system=sent.get("isSystem") is True,
        is_stderr=sent.get("isStdErr") is True,
        context=_context(sent.get("context")),
    )


def usual_level(level: str) -> str:
    """The level in the agent's own words: debug, info, warn, error; others stay as they are."""
    return _LEVELS.get(level.lower(), level.lower())


def bounded(message: str, longest: int) -> tuple[str, bool]:
    """The message, cleaned and cut to so many bytes of UTF-8, and whether it was cut."""
    cleaned = clean_text(message, len(message) + 1)
    encoded = cleaned.encode()
    if len(encoded) <= longest:
        return cleaned, False
    return encoded[:longest].decode("utf-8", "ignore"), True


def _container(value: object) -> str | None:
    """A container's id: 64 hexadecimal digits that are no key, so they are kept."""
    return value if isinstance(value, str) and _CONTAINER.fullmatch(value) else None


def _context(value: object) -> Any:
    """The context, if it is not larger than people would read."""
    if not isinstance(value, Mapping | list):
        return None
    cleaned = clean_json(value)
    return cleaned if len(repr(cleaned)) <= LONGEST_CONTEXT else {"omitted": "too large"}
