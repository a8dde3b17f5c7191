"""Periodic tasks: on a timer and on a signal, never twice at once, and a failure costs one turn."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from time import time

import pytest
from attrs import define, field
from prometheus_client import CollectorRegistry

from adapters.sql.signals import LocalSignals
from core.errors import Invalid, Unavailable
from core.periodic import PeriodicTask
from entrypoints.observing.tasks import TaskRuns
from entrypoints.worker.scheduler import Scheduler

NEVER = timedelta(hours=1)
SOON = timedelta(milliseconds=10)


@define
class Work:
    """Counts how often it is done; can be held up and can fail."""

    done: asyncio.Queue[int] = field(factory=asyncio.Queue)
    begun: int = 0
    at_once: int = 0
    most_at_once: int = 0
    entered: asyncio.Event = field(factory=asyncio.Event)
    go: asyncio.Event = field(factory=asyncio.Event)
    errors: list[Exception] = field(factory=list)

    def __attrs_post_init__(self) -> None:
        self.go.set()

    async def __call__(self) -> None:
        """Do it."""
        self.begun += 1
        self.entered.set()
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await self.go.wait()
            if self.errors:
                raise self.errors.pop(0)
        finally:
            self.at_once -= 1
            self.done.put_nowait(self.begun)

    async def times(self, count: int) -> None:
        """Wait until it was done so often."""
        async with asyncio.timeout(5):
            for _ in range(count):
                await self.done.get()


@asynccontextmanager
async def scheduled(
    signals: LocalSignals, *tasks: PeriodicTask, registry: CollectorRegistry | None = None
) -> AsyncIterator[Scheduler]:
    """These tasks run."""
    scheduler = Scheduler(tasks, signals, TaskRuns(registry or CollectorRegistry(), time))
    scheduler.start()
    try:
        yield scheduler
    finally:
        await scheduler.stop()


def task(work: Callable[..., object], every: timedelta = NEVER, *wakened_by: str, name: str = "task") -> PeriodicTask:
    """A task."""
    return PeriodicTask(name=name, every=every, run=work, wakened_by=wakened_by)  # type: ignore[arg-type]


async def test_a_task_runs_at_the_start_and_then_again_and_again(signals: LocalSignals) -> None:
    work = Work()
    async with scheduled(signals, task(work, SOON)):
        await work.times(3)


async def test_a_signal_wakes_the_task_long_before_its_time(signals: LocalSignals) -> None:
    work = Work()
    async with scheduled(signals, task(work, NEVER, "things", "others")):
        await work.times(1)
        for topic in ("things", "others"):
            signals.send(topic, "")
            await work.times(1)
        signals.send("nobody", "")
    assert work.begun == 3


async def test_a_signal_while_the_task_runs_makes_it_run_once_more_and_never_twice_at_once(
    signals: LocalSignals,
) -> None:
    work = Work()
    async with scheduled(signals, task(work, NEVER, "things")):
        await work.times(1)
        work.go.clear()
        work.entered.clear()
        signals.send("things", "")
        await work.entered.wait()
        for _ in range(10):
            signals.send("things", "")
        work.go.set()
        await work.times(2)
        await asyncio.sleep(0.02)  # time for a third, if there were one
    assert (work.begun, work.most_at_once) == (3, 1)


async def test_a_task_that_fails_runs_again_when_its_time_comes_and_is_counted(signals: LocalSignals) -> None:
    work, registry = Work(errors=[RuntimeError("a bug"), Unavailable("not now")]), CollectorRegistry()
    async with scheduled(signals, task(work, SOON), registry=registry):
        await work.times(4)

    def runs(outcome: str) -> float | None:
        return registry.get_sample_value("iotistic_periodic_runs_total", {"task": "task", "outcome": outcome})

    assert (runs("failed"), runs("unavailable")) == (1, 1)
    assert (runs("done") or 0) >= 1
    assert registry.get_sample_value("iotistic_periodic_run_seconds_count", {"task": "task"}) == work.begun
    last = registry.get_sample_value("iotistic_periodic_last_success_timestamp_seconds", {"task": "task"})
    assert abs((last or 0) - time()) < 60


async def test_a_task_that_hangs_does_not_hold_up_the_others_nor_the_end(signals: LocalSignals) -> None:
    hanging, sound = Work(), Work()
    hanging.go.clear()
    async with asyncio.timeout(5), scheduled(signals, task(hanging, name="hanging"), task(sound, SOON, name="sound")):
        await sound.times(3)
    assert hanging.begun == 1
    assert hanging.at_once == 0


async def test_after_the_end_nothing_runs_any_more(signals: LocalSignals) -> None:
    work = Work()
    async with scheduled(signals, task(work, SOON, "things")):
        await work.times(1)
    begun = work.begun
    signals.send("things", "")
    await asyncio.sleep(0.03)  # three times its period
    assert work.begun == begun


async def test_a_scheduler_without_tasks_starts_and_stops(signals: LocalSignals) -> None:
    async with scheduled(signals):
        pass


@pytest.mark.parametrize("every", [timedelta(0), timedelta(seconds=-1)])
def test_a_period_must_be_positive(every: timedelta) -> None:
    with pytest.raises(Invalid, match="task"):
        task(Work, every)
