"""The numbers of what a process is made of, each read from the part that counts it."""

import asyncio
import logging
import platform
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from prometheus_client import CollectorRegistry, ProcessCollector

from core.caches import Cache
from core.durations import Durations
from core.pools import PoolStatistics
from core.services import Services
from core.telemetry import Space
from entrypoints.observing.figures import Figure, Figures, Spread, Values, counter, gauge

log = logging.getLogger(__name__)

ANSWER_SECONDS = 1.0


class Commits(Protocol):
    """Units of change that share commits."""

    committing: Durations
    committed_units: int
    failed_commits: int


class Hearing(Protocol):
    """What is heard of other processes."""

    listening: bool
    reconnects: int
    heard: int


class Connected(Protocol):
    """Our connection to a broker."""

    reconnects: int

    @property
    def is_connected(self) -> bool:
        """Whether there is one now."""


class Leading(Protocol):
    """Whether this process leads."""

    leads: bool
    terms: int


class Queueing(Protocol):
    """The queue that wakes workers, as one of them sees it."""

    woken: int
    failed: int


class Delivering(Protocol):
    """What the leader delivers by itself, because the queue is away."""

    delivered_here: int


def describe_process(registry: CollectorRegistry, *, version: str, role: str, worker: str) -> None:
    """CPU, memory and open files of this process, and what it is."""
    ProcessCollector(registry=registry)
    labels = ("version", "python", "role", "worker")
    value: Values = {(version, platform.python_version(), role, worker): 1.0}
    Figures(registry, [gauge("iotistic_build_info", "Which version runs, as what", lambda: value, labels)])


def describe_services(registry: CollectorRegistry, services: Services) -> None:
    """What is the same in every process: caches, registrations, and the room on the disk."""
    caches: Mapping[str, Cache[object, object]] = {
        **services.device_keys.caches(),
        **services.desired_states.caches(),
        **services.mqtt_accounts.caches(),
        **services.sessions.caches(),
    }
    outcomes = services.enrolments.outcomes
    Figures(
        registry,
        [
            *_of_caches(caches),
            *_of_space(services),
            counter(
                "iotistic_registrations",
                "Registrations of devices, by how they ended",
                lambda: {(outcome,): float(number) for outcome, number in outcomes.items()},
                ("outcome",),
            ),
        ],
    )


def _of_caches(caches: Mapping[str, Cache[object, object]]) -> Iterable[Figure]:
    def each(read: Callable[[Cache[object, object]], int]) -> Callable[[], Mapping[tuple[str, ...], float]]:
        return lambda: {(name,): float(read(cache)) for name, cache in caches.items()}

    label = ("cache",)
    yield counter("iotistic_cache_hits", "Answers from memory", each(lambda cache: cache.hits), label)
    yield counter("iotistic_cache_misses", "Answers that memory did not have", each(lambda cache: cache.misses), label)
    yield gauge("iotistic_cache_entries", "What is remembered", each(len), label)


def _of_space(services: Services) -> Iterable[Figure]:
    room = services.room

    def each(read: Callable[[Space], int | None]) -> Callable[[], float | None]:
        return lambda: None if room.space is None else read(room.space)

    yield gauge("iotistic_disk_free_bytes", "Free where the database is", each(lambda space: space.disk_free))
    yield gauge("iotistic_disk_size_bytes", "Size of that disk", each(lambda space: space.disk_total))
    yield gauge("iotistic_database_limit_bytes", "DATABASE_MAX, if it is set", each(lambda space: space.limit))
    words = "What the database may still grow by until then"
    yield gauge("iotistic_database_room_bytes", words, each(lambda space: space.limit_left))
    yield gauge("iotistic_telemetry_refused", "1 while telemetry is refused for want of room", lambda: room.refusing)


def describe_commits(registry: CollectorRegistry, commits: Commits) -> None:
    """How many units share a commit, and how long that takes."""
    Figures(
        registry,
        [
            Spread("iotistic_database_commit_seconds", "How long a commit took", lambda: {(): commits.committing}),
            counter("iotistic_database_units", "Units of change committed", lambda: commits.committed_units),
            counter("iotistic_database_failed_commits", "Commits that failed", lambda: commits.failed_commits),
        ],
    )


def describe_pool(registry: CollectorRegistry, statistics: Callable[[], PoolStatistics]) -> None:
    """Connections to PostgreSQL."""
    Figures(
        registry,
        [
            gauge("iotistic_database_pool_size", "How many connections there may be", lambda: statistics().most),
            gauge("iotistic_database_pool_open", "Connections that are open", lambda: statistics().open),
            gauge("iotistic_database_pool_in_use", "Connections in use", lambda: statistics().in_use),
            Spread(
                "iotistic_database_pool_wait_seconds",
                "How long users waited for a connection",
                lambda: {(): statistics().waiting},
            ),
            counter("iotistic_database_pool_refusals", "Users who waited in vain", lambda: statistics().refusals),
        ],
    )


def describe_hearing(registry: CollectorRegistry, hearing: Hearing) -> None:
    """What is heard of what other processes have committed."""
    Figures(
        registry,
        [
            gauge("iotistic_signals_listening", "1 while signals of others are heard", lambda: hearing.listening),
            counter("iotistic_signals_heard", "Signals of other processes", lambda: hearing.heard),
            counter(
                "iotistic_signals_gaps",
                "Times that signals may have been missed: all that was remembered is forgotten then",
                lambda: hearing.reconnects,
            ),
        ],
    )


def describe_broker(registry: CollectorRegistry, broker: Connected) -> None:
    """Our own connection to a broker that is a program of its own."""
    Figures(
        registry,
        [
            gauge("iotistic_broker_connected", "1 while we have the MQTT broker", lambda: broker.is_connected),
            counter("iotistic_broker_reconnects", "Times that we connected again", lambda: broker.reconnects),
        ],
    )


def describe_worker(
    registry: CollectorRegistry,
    *,
    leading: Leading,
    queue: Queueing,
    delivering: Delivering,
) -> None:
    """A worker: the queue and the lead."""
    Figures(
        registry,
        [
            gauge("iotistic_leader", "1 in the process that leads", lambda: leading.leads),
            counter("iotistic_leader_terms", "Times that this process began to lead", lambda: leading.terms),
            counter(
                "iotistic_queue_deliveries",
                "Lanes of the outbox that were delivered because a wake-up came",
                lambda: {("done",): float(queue.woken), ("failed",): float(queue.failed)},
                ("outcome",),
            ),
            counter(
                "iotistic_queue_bypassed", "Lanes that the leader delivered itself", lambda: delivering.delivered_here
            ),
        ],
    )


class QueueLength:
    """How long the queue is: asked of its server, each time that Prometheus asks us."""

    def __init__(self, registry: CollectorRegistry, waiting: Callable[[], int]) -> None:
        """`waiting` may block, and raise whatever it wants when the server is away."""
        self._waiting = waiting
        self._length: int | None = None
        words = "Wake-ups that nobody has taken yet"
        Figures(registry, [gauge("iotistic_queue_length", words, lambda: self._length)])

    async def read(self) -> None:
        """Ask now; what cannot be told within a second is left out."""
        self._length = None
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                self._length = await asyncio.to_thread(self._waiting)
        except Exception as error:  # noqa: BLE001 - of a library of which we do not know which it is
            log.debug("the queue does not tell its length: %r", error)
