"""Which series are partitioned by month, how long each is kept, and who looks after the months."""

from collections.abc import Sequence
from datetime import timedelta

from prometheus_client import CollectorRegistry

from adapters.sql.months import AHEAD, AUDIT, LOGS, METRICS, READINGS, Kept, SeriesState
from adapters.sql.partitions import PostgresPartitions
from core import audit
from core.clock import Clock
from core.periodic import PeriodicTask
from core.settings import Settings
from entrypoints.observing.partitions import describe_partitions
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


class Standing:
    """How the tables stood when they were last looked after; nothing when that was by another leader, long ago."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._states: Sequence[SeriesState] = ()
        self._at = 0.0

    def seen(self, states: Sequence[SeriesState]) -> None:
        """They were looked at just now."""
        self._states, self._at = states, self._clock.monotonic()

    def missing(self) -> dict[tuple[str, ...], float]:
        """How many months each lacks."""
        return {(state.series.table,): float(len(state.missing)) for state in self._fresh()}

    def astray(self) -> dict[tuple[str, ...], float]:
        """How many rows of each are not at home."""
        return {(state.series.table,): float(state.astray) for state in self._fresh()}

    def _fresh(self) -> Sequence[SeriesState]:
        return self._states if self._clock.monotonic() - self._at < 2 * EVERY.total_seconds() else ()


def partition_tasks(settings: Settings, clock: Clock, registry: CollectorRegistry) -> list[PeriodicTask]:
    """Months are made ahead, and go when they are old. The leader does it, and tells how they stand."""
    partitions = PostgresPartitions(settings[DATABASE_URL], kept_by_month(settings))
    standing = Standing(clock)
    describe_partitions(registry, missing=standing.missing, astray=standing.astray)

    async def maintain() -> None:
        await partitions.maintain(clock.now())
        standing.seen(await partitions.check(clock.now()))

    return [PeriodicTask(name="partitions.maintain", every=EVERY, run=maintain)]
