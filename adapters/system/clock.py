"""The machine's clock."""

import time
from datetime import UTC, datetime


class SystemClock:
    """Implements `core.clock.Clock`."""

    def now(self) -> datetime:
        """This moment, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds that only grow."""
        return time.monotonic()
