"""Measures one path after the other in the same run, each beside the yardstick."""

from collections.abc import Callable
from typing import Protocol

from attrs import define, field, frozen

from entrypoints.bench.figures import Figure, Quantity
from entrypoints.bench.load import Load, drive

CONNECTIONS = 64
WARM_SECONDS = 0.5

Tell = Callable[[str], None]


@frozen(kw_only=True)
class Budget:
    """What a path may cost (design §6)."""

    words: str
    ratio: float | None = None
    cpu_us: float | None = None
    rate: float | None = None

    def kept_by(self, *, ratio: float | None = None, cpu_us: float | None = None, rate: float | None = None) -> bool:
        """Whether the measured figure is within it."""
        return (
            (self.ratio is None or (ratio is not None and ratio <= self.ratio))
            and (self.cpu_us is None or (cpu_us is not None and cpu_us <= self.cpu_us))
            and (self.rate is None or (rate is not None and rate >= self.rate))
        )


NONE = Budget(words="")


class Measured(Protocol):
    """What is measured: where it listens, and what it has cost so far."""

    @property
    def port(self) -> int:
        """Where it serves HTTP."""

    def cpu_seconds(self) -> float:
        """Processor time of our processes."""

    def database_cpu_seconds(self) -> float:
        """Processor time of the database, where it is a process of its own; else 0."""


@define
class Meter:
    """Takes figures. Every one of a run is taken in the same minutes on the same machine as the yardstick."""

    seconds: float
    tell: Tell
    figures: list[Figure] = field(factory=list)
    quantities: list[Quantity] = field(factory=list)
    yardstick_us: float = 0.0

    async def rated(
        self,
        name: str,
        server: Measured,
        requests: list[bytes],
        budget: Budget = NONE,
        *,
        connections: int = CONNECTIONS,
    ) -> float:
        """Ask as fast as is answered; the processor time of our processes for each request, in µs."""
        self.tell(name)
        await drive(server.port, requests, seconds=WARM_SECONDS, connections=connections)
        ours, database = server.cpu_seconds(), server.database_cpu_seconds()
        load = await drive(server.port, requests, seconds=self.seconds, connections=connections)
        cpu_us = (server.cpu_seconds() - ours) / load.requests * 1e6
        database_us = (server.database_cpu_seconds() - database) / load.requests * 1e6
        must_have_worked(name, load)
        p50, p99 = load.percentile(0.5) * 1e3, load.percentile(0.99) * 1e3
        self.add(name, load.rate, cpu_us, budget, database_us=database_us, p50_ms=p50, p99_ms=p99)
        return cpu_us

    def add(
        self,
        name: str,
        rate: float,
        cpu_us: float,
        budget: Budget = NONE,
        *,
        unit: str = "requests/s",
        database_us: float = 0.0,
        p50_ms: float | None = None,
        p99_ms: float | None = None,
    ) -> None:
        """Write a figure down."""
        ratio = cpu_us / self.yardstick_us if self.yardstick_us else 1.0
        kept = budget.kept_by(ratio=ratio, cpu_us=cpu_us, rate=rate) if budget.words else None
        self.figures.append(
            Figure(
                name=name,
                rate=rate,
                unit=unit,
                cpu_us=cpu_us,
                database_us=database_us or None,
                ratio=ratio,
                budget=budget.words,
                kept=kept,
                p50_ms=p50_ms,
                p99_ms=p99_ms,
            )
        )


def must_have_worked(name: str, load: Load) -> None:
    """Raises RuntimeError when something else than success was measured."""
    wrong = {status: number for status, number in load.statuses.items() if status not in {200, 304}}
    if wrong:
        raise RuntimeError(f"{name}: some answers were {wrong}; figures of refusals mean nothing")
