"""Which months a table that is partitioned by month should have, and which it has."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from attrs import frozen

MONTHS_A_YEAR = 12
AHEAD = 3


@frozen(kw_only=True)
class Series:
    """A table that is partitioned by month. `key` says in which month a row belongs, `received` how long it is kept."""

    table: str
    key: str
    received: str

    @property
    def default(self) -> str:
        """Where rows go whose month has no partition."""
        return f"{self.table}_default"

    @property
    def moving(self) -> str:
        """What was the default partition, until its rows have been brought home."""
        return f"{self.table}_moving"

    def of(self, month: datetime) -> str:
        """What the partition of a month is called."""
        return f"{self.table}_{month:%Y_%m}"


METRICS = Series(table="device_metrics", key="recorded_at", received="recorded_at")
LOGS = Series(table="device_logs", key="logged_at", received="received_at")
READINGS = Series(table="readings", key="measured_at", received="received_at")
AUDIT = Series(table="audit_log", key="at", received="at")


@frozen(kw_only=True)
class Kept:
    """For how long rows are kept, and for how many months after this one there should be partitions."""

    ages: Mapping[Series, timedelta]
    ahead: int = AHEAD


@frozen(kw_only=True)
class Partition:
    """A partition as it is. `rows` is an estimate; the one without a `start` holds what has no home."""

    name: str
    start: datetime | None
    rows: int
    bytes: int


@frozen(kw_only=True)
class SeriesState:
    """A table as it is, and what is wrong with it.

    `missing` are months that should be there, `astray` rows that lie elsewhere than in their month, `expired`
    partitions whose rows were all received longer ago than they are kept.
    """

    series: Series
    partitions: Sequence[Partition]
    missing: Sequence[datetime]
    astray: int
    expired: Sequence[str]

    @property
    def faults(self) -> list[str]:
        """What is wrong, in words."""
        told = [f"{self.series.of(month)} is missing" for month in self.missing]
        if self.astray:
            told.append(f"{self.astray} rows are not in the partition of their month")
        return told + [f"{name} is older than it is kept" for name in self.expired]


def month_of(moment: datetime) -> datetime:
    """Its month's first moment, in UTC."""
    return moment.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def later(month: datetime, months: int) -> datetime:
    """The month so many months later, or earlier."""
    years, index = divmod(month.month - 1 + months, MONTHS_A_YEAR)
    return month.replace(year=month.year + years, month=index + 1)


@frozen(kw_only=True)
class Span:
    """The months in which rows have a home: not those whose rows are gone soon, nor those of clocks gone mad."""

    first: datetime
    end: datetime
    now: datetime

    def wanted(self, known: Sequence[datetime]) -> Iterator[datetime]:
        """Months that should be there, without gaps from the oldest of the known ones on; the last month always."""
        month = max(self.first, min([*known, later(month_of(self.now), -1)]))
        while month < self.end:
            yield month
            month = later(month, 1)


def span_of(now: datetime, age: timedelta, ahead: int) -> Span:
    """Where rows have a home now, when they are kept so long."""
    return Span(first=month_of(now - age), end=later(month_of(now), ahead + 1), now=now)
