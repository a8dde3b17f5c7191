"""The periodic tasks of our own parts."""

from datetime import timedelta

from core.devices import LIVENESS
from core.periodic import PeriodicTask
from core.services import Services
from core.telemetry import NO_ROOM
from entrypoints.wiring.settings import HEARTBEAT_INTERVAL

OUTBOX = "outbox"


def periodic_tasks(services: Services) -> list[PeriodicTask]:
    """What is looked after again and again, and what wakes it earlier."""

    async def relay() -> None:
        while await services.outbox.relay():
            pass

    return [
        PeriodicTask(name="outbox.relay", every=timedelta(seconds=5), run=relay, wakened_by=(OUTBOX,)),
        PeriodicTask(name="outbox.retry", every=timedelta(seconds=1), run=services.outbox.retry),
        PeriodicTask(
            name="devices.liveness",
            every=services.settings[HEARTBEAT_INTERVAL],
            run=services.liveness.settle,
            wakened_by=(LIVENESS,),
        ),
        PeriodicTask(name="access.sessions", every=timedelta(hours=1), run=services.sessions.prune),
        PeriodicTask(
            name="audit.retention",
            every=timedelta(minutes=10),
            run=services.audit_log.forget_old,
            wakened_by=(NO_ROOM,),
        ),
    ]
