"""How long the agent waits after failures."""

from random import Random

BASE = 15.0
CAP = 900.0
MOST_DOUBLINGS = 10
BREAKER = 300.0
JITTER = 0.3


class Backoff:
    """15 s, doubled by every failure in a row up to 15 minutes, 30 % more or less; from the tenth on 5 minutes."""

    def __init__(self, chance: Random, scale: float) -> None:
        self._chance = chance
        self._scale = scale
        self._failures = 0

    def reset(self) -> None:
        """It worked."""
        self._failures = 0

    def failed(self) -> float:
        """It did not: seconds to wait now."""
        self._failures += 1
        if self._failures >= MOST_DOUBLINGS:
            return BREAKER * self._scale
        spread = self._chance.uniform(1 - JITTER, 1 + JITTER)
        return float(min(BASE * 2 ** (self._failures - 1), CAP) * spread * self._scale)
