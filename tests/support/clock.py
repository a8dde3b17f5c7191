"""A clock that tests turn."""

from datetime import UTC, datetime, timedelta

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


class TestClock:
    """Implements `core.clock.Clock`; stands still until it is turned."""

    __test__ = False

    def __init__(self, now: datetime = NOON) -> None:
        self._now = now
        self._monotonic = 1000.0

    def now(self) -> datetime:
        """The moment it was turned to."""
        return self._now

    def monotonic(self) -> float:
        """Seconds that only grow."""
        return self._monotonic

    def advance(self, **span: float) -> None:
        """Let time pass: `clock.advance(minutes=5)`."""
        passed = timedelta(**span)
        self._now += passed
        self._monotonic += passed.total_seconds()

    def jump(self, now: datetime) -> None:
        """Set the wall clock only, as an operator or NTP would."""
        self._now = now
