"""How long something took, in plain numbers: cheap enough to be counted at every request, read when somebody asks."""

from bisect import bisect_left
from collections.abc import Sequence

from attrs import define, field

# Upper bounds in seconds; what takes longer than the last is counted behind it.
BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


@define
class Durations:
    """How many took up to which bound, and how long all of them together. For one thread."""

    counts: list[int] = field(factory=lambda: [0] * (len(BOUNDS) + 1))
    seconds: float = 0.0

    def add(self, seconds: float) -> None:
        """One more."""
        self.counts[bisect_left(BOUNDS, seconds)] += 1
        self.seconds += seconds

    def cumulated(self) -> Sequence[tuple[str, float]]:
        """For each bound, as a text, how many took no longer; the last, `+Inf`, is how many there were."""
        total, cumulated = 0, []
        for bound, number in zip((*map(str, BOUNDS), "+Inf"), self.counts, strict=True):
            total += number
            cumulated.append((bound, float(total)))
        return cumulated
