"""How much room there is, and who gets how much of it."""

from datetime import timedelta

from attrs import evolve, frozen

from core import audit, history
from core.periodic import PeriodicTask
from core.services import Services
from core.settings import AnySetting, Setting, Settings, size

MEGABYTE = 1024**2
LEAST_DATABASE = 16 * MEGABYTE
LIMIT = size(lowest=MEGABYTE)


def _nothing_or_enough(value: str) -> int:
    given = size()(value)
    if 0 < given < LEAST_DATABASE:
        raise ValueError(f"{value!r} is less than a database needs")
    return given


METRICS_MAX = Setting(
    name="METRICS_MAX_BYTES",
    read=LIMIT,
    default=256 * MEGABYTE,
    summary="How much room vital signs may take, such as 256MB; the oldest go first",
)
LOG_MAX = Setting(
    name="LOG_MAX_BYTES",
    read=LIMIT,
    default=256 * MEGABYTE,
    summary="How much room logs may take, such as 256MB; the oldest go first",
)
READING_MAX = Setting(
    name="READING_MAX_BYTES",
    read=LIMIT,
    default=1024 * MEGABYTE,
    summary="How much room readings of sensors may take, such as 1GB; the oldest go first",
)
DATABASE_MAX = Setting(
    name="DATABASE_MAX_BYTES",
    read=_nothing_or_enough,
    default=0,
    summary="How large the database file may become, at least 16MB; 0 is no limit but the disk",
)
DISK_RESERVE: Setting[int | None] = Setting(
    name="DISK_RESERVE",
    read=size(),
    default=None,
    summary="Free room below which telemetry is refused; empty: 100 MB, or 5 % of less than 2 GB",
)
ROOM_SETTINGS: tuple[AnySetting, ...] = (METRICS_MAX, LOG_MAX, READING_MAX, DATABASE_MAX, DISK_RESERVE)

SERIES = ("metrics", "logs", "readings", "audit", "events")
# Of a database that may not grow further, what is not telemetry or audit needs some as well.
FOR_SERIES = 0.8
LOOK_EVERY = timedelta(seconds=5)


@frozen(kw_only=True)
class Limits:
    """How many bytes each series may take."""

    metrics: int
    logs: int
    readings: int
    audit: int
    events: int

    @property
    def total(self) -> int:
        """All together."""
        return sum(getattr(self, name) for name in SERIES)

    def within(self, most: int) -> "Limits":
        """The same in proportion, so that all together are no more."""
        if self.total <= most:
            return self
        parts = {name: getattr(self, name) * most // self.total for name in SERIES}
        return evolve(self, **parts)


def limits_of(settings: Settings) -> Limits:
    """The limits that are set, cut back to what has room in a database with a limit of its own."""
    limits = Limits(
        metrics=settings[METRICS_MAX],
        logs=settings[LOG_MAX],
        readings=settings[READING_MAX],
        audit=settings[audit.AUDIT_MAX],
        events=settings[history.MOST_BYTES],
    )
    most = settings[DATABASE_MAX]
    return limits.within(int(most * FOR_SERIES)) if most else limits


def audit_limit(settings: Settings) -> int:
    """How many bytes the audit log may take."""
    return limits_of(settings).audit


def event_limit(settings: Settings) -> int:
    """How many bytes the events of the history may take."""
    return limits_of(settings).events


def reserve_of(settings: Settings) -> int | None:
    """How much has to stay free; None is as much as suits the disk."""
    return settings[DISK_RESERVE]


def room_tasks(services: Services) -> list[PeriodicTask]:
    """Somebody has to look how much room is left."""
    return [PeriodicTask(name="telemetry.room", every=LOOK_EVERY, run=services.room.look, everywhere=True)]
