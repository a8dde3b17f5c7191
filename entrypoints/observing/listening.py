"""The numbers of a process that takes messages of devices from a broker."""

from collections.abc import Callable
from typing import Protocol

from prometheus_client import CollectorRegistry

from entrypoints.observing.figures import Figures, counter, gauge


class Listening(Protocol):
    """What a listener tells of itself."""

    @property
    def messages(self) -> int:
        """How many have come."""

    @property
    def acknowledged(self) -> int:
        """How many the broker need not keep any longer."""

    @property
    def retried(self) -> int:
        """How many tries had to be repeated."""

    @property
    def dropped(self) -> int:
        """How many were given up."""

    @property
    def reconnects(self) -> int:
        """How often we connected again."""

    @property
    def in_flight(self) -> int:
        """How many are in memory."""

    @property
    def bytes_in_flight(self) -> int:
        """And how large they are."""

    @property
    def oldest_seconds(self) -> float:
        """For how long the oldest of them has been."""

    @property
    def seats(self) -> tuple[str, ...]:
        """Which places at the broker are ours."""

    @property
    def subscribed(self) -> int:
        """How many of them get what comes."""


def describe_listener(registry: CollectorRegistry, statistics: Callable[[], Listening]) -> None:
    """What came from the broker, and what waits to be stored."""
    Figures(
        registry,
        [
            counter("iotistic_listener_messages", "Messages that came", lambda: statistics().messages),
            counter("iotistic_listener_acknowledged", "Messages acknowledged", lambda: statistics().acknowledged),
            counter("iotistic_listener_retries", "Tries that were repeated", lambda: statistics().retried),
            counter("iotistic_listener_dropped", "Messages given up", lambda: statistics().dropped),
            counter("iotistic_listener_reconnects", "Times we connected again", lambda: statistics().reconnects),
            gauge("iotistic_listener_in_flight", "Messages in memory", lambda: statistics().in_flight),
            gauge("iotistic_listener_in_flight_bytes", "Their size", lambda: statistics().bytes_in_flight),
            gauge("iotistic_listener_lag_seconds", "Age of the oldest of them", lambda: statistics().oldest_seconds),
            gauge("iotistic_listener_seats", "Places at the broker that are ours", lambda: len(statistics().seats)),
            gauge("iotistic_listener_subscribed", "Those that get what comes", lambda: statistics().subscribed),
        ],
    )
