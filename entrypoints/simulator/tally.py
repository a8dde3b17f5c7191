"""Counting: requests, errors, latencies, and in what phase of its life each device is."""

import math
from collections import Counter
from enum import StrEnum
from typing import Any

from attrs import Factory, asdict, define, frozen

STEP = math.log(1.01)
"""Latencies are kept as counts in steps of one percent: the memory they need does not grow with time."""


class Phase(StrEnum):
    """Where a device is in its life, in that order."""

    WAITING = "waiting"
    REGISTERING = "registering"
    STARTING = "starting"
    MQTT = "on MQTT"
    HTTP = "on HTTP only"
    STOPPED = "stopped"


@frozen(kw_only=True)
class Row:
    """One kind of request in the summary; latencies in milliseconds, of those that succeeded."""

    kind: str
    count: int
    errors: int
    p50: float
    p95: float
    p99: float
    max: float
    last_error: str | None


@frozen(kw_only=True)
class Summary:
    """How it went."""

    devices: int
    registered: int
    seconds: float
    rows: tuple[Row, ...]

    @property
    def requests(self) -> int:
        """All that succeeded."""
        return sum(row.count for row in self.rows)

    @property
    def errors(self) -> int:
        """All that failed."""
        return sum(row.errors for row in self.rows)

    def as_json(self) -> dict[str, Any]:
        """For a file."""
        return {**asdict(self), "requests": self.requests, "errors": self.errors}


@define
class Latencies:
    """How long things took, within one percent."""

    counts: Counter[int] = Factory(Counter)
    highest: float = 0.0

    def add(self, seconds: float) -> None:
        """One more."""
        milliseconds = max(seconds * 1000, 0.01)
        self.counts[round(math.log(milliseconds) / STEP)] += 1
        self.highest = max(self.highest, milliseconds)

    def percentile(self, share: float) -> float:
        """Milliseconds that this share of all did not exceed; 0 when there were none."""
        wanted = math.ceil(share * self.counts.total())
        seen = 0
        for step, count in sorted(self.counts.items()):
            seen += count
            if seen >= wanted:
                return min(math.exp(step * STEP), self.highest)
        return 0.0


@define
class _Kind:
    latencies: Latencies = Factory(Latencies)
    errors: int = 0
    last_error: str | None = None


class Tally:
    """The fleet's counters."""

    def __init__(self, devices: int) -> None:
        self.devices = devices
        self.requests = 0
        self.errors = 0
        self._kinds: dict[str, _Kind] = {}
        self._phases: dict[int, Phase] = dict.fromkeys(range(devices), Phase.WAITING)
        self._registered: set[int] = set()

    def succeeded(self, kind: str, seconds: float) -> None:
        """A call was answered, a publication acknowledged."""
        self.requests += 1
        self._kinds.setdefault(kind, _Kind()).latencies.add(seconds)

    def failed(self, kind: str, why: str) -> None:
        """It was not."""
        self.errors += 1
        counted = self._kinds.setdefault(kind, _Kind())
        counted.errors += 1
        counted.last_error = why

    def entered(self, index: int, phase: Phase) -> None:
        """A device is now in that phase."""
        self._phases[index] = phase
        if phase not in {Phase.WAITING, Phase.REGISTERING, Phase.STOPPED}:
            self._registered.add(index)

    def phases(self) -> Counter[Phase]:
        """How many devices are in each phase."""
        return Counter(self._phases.values())

    def summary(self, seconds: float) -> Summary:
        """All of it, in the order in which the kinds first appeared."""
        rows = tuple(_row(kind, counted) for kind, counted in self._kinds.items())
        return Summary(devices=self.devices, registered=len(self._registered), seconds=round(seconds, 1), rows=rows)


def _row(kind: str, counted: _Kind) -> Row:
    p50, p95, p99 = (round(counted.latencies.percentile(share), 1) for share in (0.5, 0.95, 0.99))
    return Row(
        kind=kind,
        count=counted.latencies.counts.total(),
        errors=counted.errors,
        p50=p50,
        p95=p95,
        p99=p99,
        max=round(counted.latencies.highest, 1),
        last_error=counted.last_error,
    )
