"""Sensor messages in every form that agents send them (contract §3.2), as readings."""

import csv
import json
from base64 import b64encode
from collections.abc import Iterator, Mapping
from datetime import datetime
from enum import Enum
from hashlib import blake2b
from itertools import islice
from typing import Any

from attrs import frozen

from core.telemetry.cleaning import (
    NotJson,
    believed,
    clean_json,
    clean_text,
    finite,
    is_clean,
    json_of,
    moment_of,
    word,
)

MOST_READINGS = 20_000
LONGEST_RAW = 256 * 1024
CSV_FIELDS = 6
DIGEST_SIZE = 16
USUAL_NAME = 64
_HEARTBEAT_SIGNS = ("state", "stats")


class ReadingKind(Enum):
    """In which form a reading came. Of `raw` and `heartbeat` only the text is known."""

    READING = "reading"
    CSV = "csv"
    RAW = "raw"
    HEARTBEAT = "heartbeat"


@frozen(kw_only=True)
class Reading:
    """One value of one register at one moment, or a message we could not read, kept as it came.

    `value` is a number, bool, text or None as it was sent; `number` is the same for reckoning, where it is one. `raw`
    is text, or base64 where `raw_encoding` says so. Two readings with the same `digest` are one, sent twice.
    """

    kind: ReadingKind
    topic: str
    at: datetime
    time_clamped: bool
    digest: bytes
    sensor: str | None = None
    register: str | None = None
    value: Any = None
    unit: str | None = None
    quality: str | None = None
    quality_code: str | None = None
    raw: str | None = None
    raw_encoding: str | None = None

    @property
    def number(self) -> float | None:
        """The value as a number: false is 0, true is 1."""
        return float(self.value) if isinstance(self.value, bool | int | float) else None


def readings_of(topic: str, payload: bytes, now: datetime) -> list[Reading]:
    """The readings in a message; never raises. What it cannot read comes back as one raw reading."""
    source = _Source(topic=clean_text(topic, 255), sensor=None, sent=None, now=now)
    try:
        body = json_of(payload.decode("utf-8-sig"))
    except (UnicodeDecodeError, NotJson):
        return [source.raw(payload, 0)]
    if not isinstance(body, Mapping):
        return [source.raw(payload, 0)]
    source = _Source(topic=source.topic, sensor=word(body.get("sensor")), sent=_time(body.get("timestamp")), now=now)
    messages = body.get("messages")
    if isinstance(messages, list):
        return list(islice(_of_messages(source, messages), MOST_READINGS))
    found = list(islice(_of_object(source, body, 0), MOST_READINGS))
    if found:
        return found
    heartbeat = any(name in body for name in _HEARTBEAT_SIGNS)
    return [source.raw(payload, 0, ReadingKind.HEARTBEAT if heartbeat else ReadingKind.RAW)]


def _of_messages(source: "_Source", messages: list[Any]) -> Iterator[Reading]:
    for place, message in enumerate(messages):
        if isinstance(message, str):
            yield from _of_text(source, message, place)
        else:
            yield from _of_value(source, message, None, place)


def _of_text(source: "_Source", text: str, place: int) -> Iterator[Reading]:
    try:
        message = json_of(text)
    except NotJson:
        yield from _of_csv(source, text) or [source.raw(_bytes(text), place)]
    else:
        yield from _of_value(source, message, text, place)


def _of_value(source: "_Source", message: Any, text: str | None, place: int) -> Iterator[Reading]:
    found = False
    if isinstance(message, Mapping):
        for reading in _of_object(source, message, place):
            found = True
            yield reading
    if not found:
        yield source.raw(_bytes(_text_of(message) if text is None else text), place)


def _of_object(source: "_Source", message: Mapping[str, Any], place: int) -> Iterator[Reading]:
    several = message.get("readings")
    if isinstance(several, list):
        for number, one in enumerate(several):
            if isinstance(one, Mapping) and "value" in one:
                yield source.reading(one, message.get("timestamp"))
            else:
                yield source.raw(_bytes(_text_of(one)), (place, number))
    elif "value" in message:
        yield source.reading(message, None)


def _of_csv(source: "_Source", text: str) -> list[Reading]:
    """The readings in lines of `deviceName,registerName,value,unit,quality,timestamp`; none unless all lines are."""
    lines = [line for line in text.splitlines() if line.strip()][:MOST_READINGS]
    try:
        rows = list(csv.reader(lines, strict=True))
    except csv.Error:
        return []
    if len(rows) != len(lines) or any(len(row) != CSV_FIELDS or moment_of(row[-1]) is None for row in rows):
        return []
    return [source.csv(row, line) for row, line in zip(rows, lines, strict=True)]


@frozen(kw_only=True)
class _Source:
    """What all readings of a message have in common."""

    topic: str
    sensor: str | None
    sent: str | int | float | None
    now: datetime

    def reading(self, one: Mapping[str, Any], sent: Any, **more: Any) -> Reading:
        """A reading, with the time of whatever around it has one."""
        time = next((time for time in (_time(one.get("timestamp")), _time(sent), self.sent) if time is not None), None)
        sensor = _name(one.get("deviceName")) or self.sensor or self.topic
        register = _name(one.get("registerName")) or self.topic
        value, quality = _value(one.get("value")), _name(one.get("quality"))
        moment = moment_of(time)
        at, clamped = believed(moment, self.now)
        known = self._minute() if time is None else moment.timestamp() if moment else str(time)
        return Reading(
            kind=more.pop("kind", ReadingKind.READING),
            topic=self.topic,
            at=at,
            time_clamped=clamped,
            digest=_digest(repr((self.topic, sensor, register, known, value, quality))),
            sensor=sensor,
            register=register,
            value=value,
            unit=_name(one.get("unit")),
            quality=quality,
            quality_code=_name(one.get("qualityCode")),
            **more,
        )

    def csv(self, row: list[str], line: str) -> Reading:
        """A reading from a line of CSV; the line is kept beside it."""
        names = ("deviceName", "registerName", "value", "unit", "quality", "timestamp")
        one: dict[str, Any] = dict(zip(names, row, strict=True))
        one["value"] = _csv_value(one["value"])
        return self.reading(one, None, kind=ReadingKind.CSV, raw=clean_text(line, LONGEST_RAW))

    def raw(self, payload: bytes, place: object, kind: ReadingKind = ReadingKind.RAW) -> Reading:
        """A message as it came. Without a time of its own it counts as sent twice if it comes twice in a minute."""
        at, clamped = believed(moment_of(self.sent), self.now)
        known = self._minute() if self.sent is None else self.sent
        text, encoding = _kept(payload[:LONGEST_RAW])
        return Reading(
            kind=kind,
            topic=self.topic,
            at=at,
            time_clamped=clamped,
            digest=_digest(repr((self.topic, place, known)), payload),
            sensor=self.sensor,
            raw=text,
            raw_encoding=encoding,
        )

    def _minute(self) -> tuple[str, int]:
        return ("minute", int(self.now.timestamp() // 60))


def _digest(text: str, payload: bytes = b"") -> bytes:
    return blake2b(text.encode("utf-8", "backslashreplace") + payload, digest_size=DIGEST_SIZE).digest()


def _text_of(value: object) -> str:
    return json.dumps(clean_json(value))


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "backslashreplace")


def _kept(payload: bytes) -> tuple[str, str | None]:
    """The bytes as text where they are text that can be kept, else in base64."""
    try:
        text = payload.decode("utf-8")
    except UnicodeDecodeError:
        return b64encode(payload).decode(), "base64"
    return (text, None) if is_clean(text) else (b64encode(payload).decode(), "base64")


def _time(value: object) -> str | int | float | None:
    """What may stand for a time, or None."""
    return value if isinstance(value, str | int | float) and not isinstance(value, bool) else None


def _name(value: object) -> str | None:
    """A name, quickly for the usual ones."""
    if isinstance(value, str) and len(value) < USUAL_NAME and value.isprintable():
        return value.strip() or None
    return word(value)


def _value(value: Any) -> Any:
    """The value with its type; text is cleaned, numbers that are none are None."""
    if isinstance(value, bool):
        return value
    return finite(value) if isinstance(value, int | float) else clean_json(value)


def _csv_value(text: str) -> Any:
    """The value that a field of CSV stands for: JSON's words and numbers are what they say, the rest is text."""
    try:
        value = json_of(text)
    except NotJson:
        return text or None
    return value if value is None or isinstance(value, bool | int | float) else text
