"""Counts of the last hour, minute by minute."""

from array import array
from collections.abc import Sequence

SPAN = 60


class Minutes:
    """A ring of sixty counts; minutes are numbered by whoever counts, upwards."""

    __slots__ = ("_counts", "_latest")

    def __init__(self) -> None:
        self._counts = array("L", [0] * SPAN)
        self._latest = 0

    def add(self, minute: int) -> None:
        """One more in this minute."""
        if minute != self._latest:
            self._advance(minute)
        self._counts[minute % SPAN] += 1

    def last(self, minutes: int, minute: int) -> Sequence[int]:
        """The counts of so many minutes up to and with this one, the oldest first; at most sixty."""
        self._advance(minute)
        return [self._counts[each % SPAN] for each in range(minute - minutes + 1, minute + 1)]

    def _advance(self, minute: int) -> None:
        for each in range(max(self._latest + 1, minute - SPAN + 1), minute + 1):
            self._counts[each % SPAN] = 0
        self._latest = max(self._latest, minute)
