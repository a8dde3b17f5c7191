"""When sensors went and came back, as reports tell (contract §4.9)."""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from attrs import frozen

MOST_CHANGES = 200
_LONGEST_WORD = 255
_LONGEST_ERROR = 1000
_LARGEST_COUNT = 2**31 - 1
_NUMBERS = re.compile(r"[0-9]+")


@frozen(kw_only=True)
class EndpointHealth:
    """How one sensor is, as its device says. What the device never said, or said oddly, is None."""

    protocol: str | None = None
    connected: bool | None = None
    status: str | None = None
    last_poll: str | None = None
    last_seen: str | None = None
    error_count: int = 0
    last_error: str | None = None
    response_ms: float | None = None
    poll_success_rate: float | None = None
    quality: str | None = None

    @classmethod
    def of(cls, told: Any) -> "EndpointHealth":
        """One entry of `endpoints_health` (contract §2.7)."""
        entry = told if isinstance(told, Mapping) else {}
        connected = entry.get("connected")
        return cls(
            protocol=_word(entry.get("protocol")),
            connected=connected if isinstance(connected, bool) else None,
            status=_word(entry.get("status")),
            last_poll=_word(entry.get("lastPoll")),
            last_seen=_word(entry.get("lastSeen")),
            error_count=_count(entry.get("errorCount")),
            last_error=_error(entry.get("lastError")),
            response_ms=_number(entry.get("responseTimeMs")),
            poll_success_rate=_number(entry.get("pollSuccessRate")),
            quality=_word(entry.get("communicationQuality")),
        )

    @property
    def word(self) -> str:
        """online, offline or error."""
        if self.connected:
            return "online"
        return "error" if self.last_error or self.status == "error" else "offline"

    @property
    def was_reached(self) -> bool:
        """Whether the agent has ever got through to it since it started."""
        return bool(self.connected or self.last_seen)

    def differs_from(self, before: "EndpointHealth") -> bool:
        """Whether it went, came back or fails otherwise; times and counts change at every poll and do not matter."""
        return self.condition != before.condition

    @property
    def condition(self) -> tuple[object, ...]:
        """What counts as the same; numbers within an error do not."""
        return self.connected, self.status, _NUMBERS.sub("", self.last_error or "")


@frozen(kw_only=True)
class EndpointChange:
    """How a sensor was when that was noticed to have changed."""

    at: datetime
    protocol: str
    name: str
    connected: bool | None
    last_poll: str | None
    error_count: int
    last_error: str | None


def changes_of(before: Any, after: Any, now: datetime) -> list[EndpointChange]:
    """What has changed between two `endpoints_health`; at most some hundreds at once."""
    return [change for change, _ in zip(_changes(before, after, now), range(MOST_CHANGES), strict=False)]


def _changes(before: Any, after: Any, now: datetime) -> Iterator[EndpointChange]:
    known = before if isinstance(before, Mapping) else {}
    for name, told in (after or {}).items():
        if told == known.get(name):
            continue
        health = EndpointHealth.of(told)
        if name in known and not health.differs_from(EndpointHealth.of(known[name])):
            continue
        yield EndpointChange(
            at=now,
            protocol=health.protocol or "",
            name=name,
            connected=health.connected,
            last_poll=health.last_poll,
            error_count=health.error_count,
            last_error=health.last_error,
        )


def _word(value: Any) -> str | None:
    return value[:_LONGEST_WORD] if isinstance(value, str) else None


def _error(value: Any) -> str | None:
    if isinstance(value, Mapping):
        value = value.get("message")
    return value[:_LONGEST_ERROR] if isinstance(value, str) and value else None


def _number(value: Any) -> float | None:
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _count(value: Any) -> int:
    number = _number(value)
    return max(0, min(_LARGEST_COUNT, int(number))) if number is not None else 0
