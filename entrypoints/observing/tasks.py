"""How often periodic tasks run, how it ends, and how long it takes."""

from collections import Counter
from collections.abc import Callable

from prometheus_client import CollectorRegistry

from core.durations import Durations
from entrypoints.observing.figures import Figures, Spread, counter, gauge

DONE = "done"


class TaskRuns:
    """Counts the runs of all tasks of a process, over all terms that it leads."""

    def __init__(self, registry: CollectorRegistry, now: Callable[[], float]) -> None:
        """`now` is the time of day in seconds since 1970."""
        self._now = now
        self._runs: Counter[tuple[str, ...]] = Counter()
        self._durations: dict[tuple[str, ...], Durations] = {}
        self._succeeded: dict[tuple[str, ...], float] = {}
        task = ("task",)
        Figures(
            registry,
            [
                counter("iotistic_periodic_runs", "Runs of periodic tasks", lambda: self._runs, ("task", "outcome")),
                Spread("iotistic_periodic_run_seconds", "How long a run took", lambda: self._durations, task),
                gauge(
                    "iotistic_periodic_last_success_timestamp_seconds",
                    "When the task last ran through",
                    lambda: self._succeeded,
                    task,
                ),
            ],
        )

    def ran(self, task: str, outcome: str, seconds: float) -> None:
        """A run is over; `outcome` is `done`, `unavailable` or `failed`."""
        self._runs[task, outcome] += 1
        durations = self._durations.get((task,))
        if durations is None:
            durations = self._durations[(task,)] = Durations()
        durations.add(seconds)
        if outcome == DONE:
            self._succeeded[(task,)] = self._now()
