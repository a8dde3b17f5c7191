"""Time, given to whoever needs it, so that tests can turn it."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Where the use cases read the time."""

    def now(self) -> datetime:
        """This moment, in UTC, aware."""

    def monotonic(self) -> float:
        """Seconds that only grow, for measuring; they survive no restart and heed no clock change."""
