"""What the audit log keeps of an event, and what one may ask it."""

import re
from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import Any

from attrs import frozen

from core.checks import printable
from core.errors import Invalid
from core.events import Announced, Event
from core.facts import LONGEST_NAME, facts_of
from core.ids import DeviceUuid

MOST_ENTRIES = 500

_ELSEWHERE = {"at", "by", "uuid", "address"}


class Severity(Enum):
    """How loud an entry is."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    CRITICAL = "critical"


@frozen(kw_only=True)
class AuditEntry:
    """One thing that happened, for good: entries are written and forgotten by age, never changed."""

    id: int = 0
    announcement_id: int
    at: datetime
    event: str
    severity: str
    actor: str
    device_uuid: DeviceUuid | None = None
    address: str | None = None
    details: Mapping[str, Any]


@frozen(kw_only=True)
class AuditQuery:
    """Which entries are wanted, newest first. `actor` may name a person by number only: `user:7`."""

    event: str | None = None
    severity: Severity | None = None
    device_uuid: DeviceUuid | None = None
    actor: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    limit: int = 100
    before: int | None = None

    def __attrs_post_init__(self) -> None:
        if not 1 <= self.limit <= MOST_ENTRIES:
            raise Invalid(f"limit must be between 1 and {MOST_ENTRIES}", field="limit")


def cursor_of(text: str | None) -> int | None:
    """Where to go on, from the `next` of a page. Raises Invalid."""
    if text is None:
        return None
    if not re.fullmatch(r"[0-9]{1,18}", text):
        raise Invalid("cursor must be the `next` of an earlier answer", field="cursor")
    return int(text)


def entry_of(announced: Announced[Any]) -> AuditEntry:
    """What is kept of an announced event."""
    event: Event = announced.event
    device, address = getattr(event, "uuid", None), getattr(event, "address", None)
    return AuditEntry(
        announcement_id=announced.id,
        at=event.at,
        event=printable(event.NAME or "unknown", longest=LONGEST_NAME),
        severity=event.SEVERITY,
        actor=printable(event.by, longest=LONGEST_NAME),
        device_uuid=DeviceUuid(printable(device, longest=LONGEST_NAME)) if isinstance(device, str) else None,
        address=printable(address, longest=LONGEST_NAME) or None if isinstance(address, str) else None,
        details=facts_of(event, without=_ELSEWHERE),
    )
