"""What people ask of the telemetry, and what they get."""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any

from attrs import field, frozen
from attrs.converters import optional

from core.actor import Permission
from core.errors import Invalid
from core.telemetry.lines import LogLine, usual_level
from core.telemetry.payloads import Reading
from core.telemetry.vitals import Vitals

DATA_READ = Permission("data:read")

MOST_POINTS = 60
MOST_METRICS = 1000
MOST_LOGS = 5000
MOST_ROWS = 1000
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


class Period(Enum):
    """How far back a series of metrics reaches."""

    HALF_HOUR = "30min"
    SIX_HOURS = "6h"
    HALF_DAY = "12h"
    DAY = "24h"

    @property
    def length(self) -> timedelta:
        """The same as a time span."""
        minutes = {"30min": 30, "6h": 360, "12h": 720, "24h": 1440}
        return timedelta(minutes=minutes[self.value])


@frozen(kw_only=True)
class Sample:
    """The vital signs of a device at a moment, or their averages over a while that ends there.

    `late`: reported after the fact by a device that had been away, so the moment is that of the receipt.
    """

    recorded_at: datetime
    vitals: Vitals
    late: bool = False


@frozen(kw_only=True)
class Span:
    """From `since` on and before `until`; None is open."""

    since: datetime | None = None
    until: datetime | None = None

    @classmethod
    def of(cls, since: str | None, until: str | None) -> "Span":
        """The span between two days (the last one whole) or moments in ISO 8601. Raises Invalid."""
        return cls(since=_moment(since, "from", last=False), until=_moment(until, "to", last=True))


@frozen(kw_only=True)
class LogQuery:
    """Which lines of a device's log to list, newest first."""

    span: Span = Span()
    service: str | None = None
    level: str | None = field(default=None, converter=optional(usual_level))
    search: str | None = None
    limit: int = 1000
    offset: int = 0


@frozen(kw_only=True)
class StoredLine:
    """A line of a device's log with its number and when we got it."""

    id: int
    received_at: datetime
    line: LogLine


@frozen(kw_only=True)
class LogReceipt:
    """What became of a batch: lines that are stored, and lines that could not be read."""

    received: int
    rejected: int


@frozen(kw_only=True)
class DroppedSummary:
    """Log lines that a device had to drop, counted (contract §2.9). Two with the same digest are one, sent twice."""

    digest: bytes
    dropped_at: datetime
    time_clamped: bool
    reason: str
    began_at: datetime | None
    ended_at: datetime | None
    total_count: int
    estimated_bytes: int
    level_counts: dict[str, Any]
    service_counts: dict[str, Any]
    error_samples: Sequence[Any]
    warning_samples: Sequence[Any]


@frozen(kw_only=True)
class Position:
    """Where a page of readings ended."""

    at: datetime
    id: int

    def __str__(self) -> str:
        return urlsafe_b64encode(f"{self.at.isoformat()} {self.id}".encode()).decode().rstrip("=")

    @classmethod
    def of(cls, cursor: str) -> "Position":
        """The position that a cursor stands for. Raises Invalid."""
        try:
            at, number = urlsafe_b64decode(cursor.encode("ascii") + b"==").decode("ascii").split(" ")
            moment, place = datetime.fromisoformat(at), int(number)
        except ValueError as error:
            raise Invalid("cursor must be one that an answer gave as nextCursor", field="cursor") from error
        if moment.tzinfo is None or not 0 <= place < 2**63:
            raise Invalid("cursor must be one that an answer gave as nextCursor", field="cursor")
        return cls(at=moment, id=place)


@frozen(kw_only=True)
class ReadingQuery:
    """Which readings of a device to list, newest first."""

    span: Span = Span()
    sensor: str | None = None
    register: str | None = None
    limit: int = field(default=100)
    after: Position | None = None

    @limit.validator
    def _(self, _attribute: object, value: int) -> None:
        if not 1 <= value <= MOST_ROWS:
            raise Invalid(f"limit must be between 1 and {MOST_ROWS}", field="limit")


@frozen(kw_only=True)
class StoredReading:
    """A reading with its number and when we got it."""

    id: int
    received_at: datetime
    reading: Reading

    @property
    def position(self) -> Position:
        """Where a page that ends with it ends."""
        return Position(at=self.reading.at, id=self.id)


def _moment(text: str | None, name: str, *, last: bool) -> datetime | None:
    """The bound that a text stands for; as the last one it still belongs to the span."""
    if not text:
        return None
    try:
        if _DAY.fullmatch(text):
            return datetime.fromisoformat(text).replace(tzinfo=UTC) + timedelta(days=int(last))
        # A + in a query string that nobody escaped has become a blank.
        moment = datetime.fromisoformat(re.sub(r" (\d\d:\d\d)$", r"+\1", text))
        if moment.tzinfo is None:
            raise Invalid(f"{name} must name its time zone, such as Z", field=name)
        return moment.astimezone(UTC) + timedelta(microseconds=int(last))
    except (ValueError, OverflowError) as error:
        raise Invalid(f"{name} must be a day such as 2026-11-24, or a moment with Z", field=name) from error
