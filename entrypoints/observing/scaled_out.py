"""The numbers of what only the scaled profile has: listeners, and tables in partitions."""

from collections.abc import Callable, Sequence
from typing import Protocol

from prometheus_client import CollectorRegistry

from entrypoints.observing.figures import Figures, Values, counter, gauge


class Listening(Protocol):
    """What a listener tells of itself: counted since it started, or as of now."""

    @property
    def messages(self) -> int:
        """Messages that came."""

    @property
    def acknowledged(self) -> int:
        """Those that were acknowledged."""

    @property
    def retried(self) -> int:
        """Tries that had to be repeated, because nothing could be stored."""

    @property
    def dropped(self) -> int:
        """Messages that nobody will send again, and that were not stored."""

    @property
    def reconnects(self) -> int:
        """Connections to the broker after the first."""

    @property
    def in_flight(self) -> int:
        """Messages that wait to be stored."""

    @property
    def bytes_in_flight(self) -> int:
        """Their payloads."""

    @property
    def oldest_seconds(self) -> float:
        """For how long the oldest of them has waited."""

    @property
    def seats(self) -> Sequence[str]:
        """The seats that are held."""

    @property
    def subscribed(self) -> int:
        """How many of the seats get what comes."""


def describe_listener(registry: CollectorRegistry, statistics: Callable[[], Listening]) -> None:
    """Messages of devices from an outside broker."""

    def outcomes() -> dict[tuple[str, ...], float]:
        now = statistics()
        return {("acknowledged",): now.acknowledged, ("dropped",): now.dropped, ("retried",): now.retried}

    words = "Messages of devices that came from the broker"
    lag = "For how long the oldest message that came has waited to be stored"
    Figures(
        registry,
        [
            counter("iotistic_listener_messages", words, lambda: statistics().messages),
            counter("iotistic_listener_outcomes", "What became of the messages", outcomes, ("outcome",)),
            counter("iotistic_listener_reconnects", "Connections again", lambda: statistics().reconnects),
            gauge("iotistic_listener_in_flight", "Messages being stored", lambda: statistics().in_flight),
            gauge("iotistic_listener_in_flight_bytes", "Their payloads", lambda: statistics().bytes_in_flight),
            gauge("iotistic_listener_lag_seconds", lag, lambda: statistics().oldest_seconds),
            gauge("iotistic_listener_subscribed", "Seats that get what comes", lambda: statistics().subscribed),
            gauge(
                "iotistic_listener_seats",
                "Seats that are held, by their sort",
                lambda: _by_sort(statistics().seats),
                ("sort",),
            ),
        ],
    )


def describe_partitions(
    registry: CollectorRegistry, *, missing: Callable[[], Values], astray: Callable[[], Values]
) -> None:
    """Tables in partitions, as they were last looked at; by table."""
    gaps, strays = "Months that have no partition and should", "Rows that are not in the partition of their month"
    Figures(
        registry,
        [
            gauge("iotistic_partition_missing_months", gaps, missing, ("table",)),
            gauge("iotistic_partition_astray_rows", strays, astray, ("table",)),
        ],
    )


def _by_sort(seats: Sequence[str]) -> dict[tuple[str, ...], float]:
    """`ordered` and `shared`: how many shared ones there are is nobody's label."""
    shared = sum(seat.startswith("shared") for seat in seats)
    return {("ordered",): float(len(seats) - shared), ("shared",): float(shared)}
