"""How a process is watched: one of these for each, made before all else."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from time import time

from attrs import frozen
from prometheus_client import CollectorRegistry

from core.events import AnySubscription
from core.mqtt import DeviceMessageHandler
from core.transactions import Transactions
from entrypoints.http.health import VERSION
from entrypoints.http.prometheus import HttpMetrics
from entrypoints.observing.inside import describe_process
from entrypoints.observing.reacting import Intake, Reactions
from entrypoints.observing.tasks import TaskRuns
from entrypoints.observing.tracing import Deliver, Traces, traces_of

WORKER = "IOTISTIC_WORKER"


@frozen(kw_only=True, eq=False)
class Observing:
    """The numbers of a process and, where they are wanted, its traces."""

    registry: CollectorRegistry
    http: HttpMetrics
    runs: TaskRuns
    reactions: Reactions
    intake: Intake
    traces: Traces | None
    # The number of this process among several of its kind, from 1 on; 0 when it is alone.
    worker: int = 0

    def transactions(self, transactions: Transactions, system: str) -> Transactions:
        """The same, traced if wanted."""
        return transactions if self.traces is None else self.traces.transactions(transactions, system)

    def subscription(self, subscription: AnySubscription) -> AnySubscription:
        """The same, counted, and traced if wanted."""
        counted = self.reactions.counted(subscription)
        return counted if self.traces is None else self.traces.reacting(counted)

    def handler(self, kind: str, handle: DeviceMessageHandler) -> DeviceMessageHandler:
        """The same, traced if wanted, and counted."""
        return self.intake.counted(kind, handle if self.traces is None else self.traces.handling(kind, handle))

    def delivery(self, deliver: Deliver) -> Deliver:
        """The same, traced if wanted."""
        return deliver if self.traces is None else self.traces.delivering(deliver)


@asynccontextmanager
async def observing(environment: Mapping[str, str], role: str) -> AsyncIterator[Observing]:
    """What a process of this role is watched with. Traces that wait are sent at the end."""
    registry = CollectorRegistry()
    traces = traces_of(environment, role)
    worker = environment.get(WORKER, "")
    describe_process(registry, version=VERSION, role=role, worker=worker)
    try:
        yield Observing(
            registry=registry,
            http=HttpMetrics(registry),
            runs=TaskRuns(registry, time),
            reactions=Reactions(registry),
            intake=Intake(registry),
            traces=traces,
            worker=int(worker or 0),
        )
    finally:
        if traces is not None:
            await traces.close()
