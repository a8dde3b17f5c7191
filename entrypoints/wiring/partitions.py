"""Which series are partitioned by month, how long each is kept, and who looks after the months."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

from adapters.sql.months import AHEAD, AUDIT, LOGS, METRICS, READINGS, Kept
from adapters.sql.partitions import PostgresPartitions
from core import audit
from core.clock import Clock
from core.periodic import PeriodicTask
from core.settings import Settings
from entrypoints.wiring.cluster import DATABASE_URL
from entrypoints.wiring.telemetry import LOG_RETENTION, METRICS_RETENTION, READING_RETENTION

EVERY = timedelta(hours=1)


def kept_by_month(settings: Settings, ahead: int = AHEAD) -> Kept:
    """For how long each series is kept, and for how many months ahead there are partitions."""
    days = timedelta(days=1)
    ages = {
        METRICS: settings[METRICS_RETENTION] * days,
        LOGS: settings[LOG_RETENTION] * days,
        READINGS: settings[READING_RETENTION] * days,
        AUDIT: settings[audit.RETENTION_DAYS] * days,
    }
    return Kept(ages=ages, ahead=ahead)


def partition_tasks(settings: Settings, clock: Clock) -> list[PeriodicTask]:
    """Months are made ahead, and go when they are old. The leader does it."""
    partitions = PostgresPartitions(settings[DATABASE_URL], kept_by_month(settings))
    return [PeriodicTask(name="partitions.maintain", every=EVERY, run=_maintaining(partitions, clock))]


def _maintaining(partitions: PostgresPartitions, clock: Clock) -> Callable[[], Awaitable[object]]:
    async def maintain() -> object:
        return await partitions.maintain(clock.now())

    return maintain
