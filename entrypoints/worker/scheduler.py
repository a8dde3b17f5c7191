"""Runs periodic tasks in this process: on a timer, and soon after the signals that wake them."""

import asyncio
import logging
from collections.abc import Sequence
from time import perf_counter

from core.errors import Unavailable
from core.periodic import PeriodicTask
from core.transactions import ELSEWHERE, Signals
from entrypoints.observing.tasks import DONE, TaskRuns

log = logging.getLogger(__name__)

STOP_SECONDS = 5.0


class Scheduler:
    """One loop per task; a task never runs twice at once, and a failure costs one turn."""

    def __init__(self, tasks: Sequence[PeriodicTask], signals: Signals, runs: TaskRuns) -> None:
        """`runs` is one for all schedulers of a process."""
        self._tasks = tasks
        self._signals = signals
        self._running: list[asyncio.Task[None]] = []
        self._runs = runs
        self._woken = [self._woken_by(task) for task in tasks]

    def start(self) -> None:
        """Start every loop, for the first time or again."""
        for task, woken in zip(self._tasks, self._woken, strict=True):
            self._running.append(asyncio.create_task(self._loop(task, woken), name=f"periodic {task.name}"))

    async def stop(self) -> None:
        """Stop every loop; a run under way is cut off, as a crash would: what it does is safe to repeat."""
        for running in self._running:
            running.cancel()
        if self._running:
            # What waits for a frozen database waits somewhat longer until it can be broken off.
            await asyncio.wait(self._running, timeout=STOP_SECONDS)
        self._running = []

    def _woken_by(self, task: PeriodicTask) -> asyncio.Event:
        woken = asyncio.Event()
        # Also by what others have committed and could not say: it may have been one of these topics.
        for topic in (*task.wakened_by, ELSEWHERE) if task.wakened_by else ():
            self._signals.on(topic, lambda _key: woken.set())
        return woken

    async def _loop(self, task: PeriodicTask, woken: asyncio.Event) -> None:
        while True:
            woken.clear()
            await self._run(task)
            try:
                async with asyncio.timeout(task.every.total_seconds()):
                    await woken.wait()
            except TimeoutError:
                continue

    async def _run(self, task: PeriodicTask) -> None:
        began = perf_counter()
        outcome = await self._outcome_of(task)
        self._runs.ran(task.name, outcome, perf_counter() - began)

    async def _outcome_of(self, task: PeriodicTask) -> str:
        try:
            await task.run()
        except Unavailable as refusal:
            log.warning("task %s has to wait: %s", task.name, refusal.message)
            return "unavailable"
        except Exception:
            log.exception("task %s failed", task.name)
            return "failed"
        return DONE
