"""The periodic tasks of our own parts."""

from datetime import timedelta

from core.devices import LIVENESS
from core.history import EVENT_RETENTION
from core.periodic import PeriodicTask
from core.services import Services
from core.telemetry import NO_ROOM
from entrypoints.wiring.settings import HEARTBEAT_INTERVAL

OUTBOX = "outbox"
RELAY, RETRY = "outbox.relay", "outbox.retry"
# Where there are several processes, the leader has lanes delivered instead.
ALONE = frozenset({RELAY, RETRY})


def periodic_tasks(services: Services) -> list[PeriodicTask]:
    """What is looked after again and again, and what wakes it earlier."""

    async def relay() -> None:
        while await services.outbox.relay():
            pass

    async def forget_past() -> None:
        kept_for = timedelta(days=services.settings[EVENT_RETENTION])
        await services.past_states.forget(services.clock.now() - kept_for)

    return [
        PeriodicTask(name=RELAY, every=timedelta(seconds=5), run=relay, wakened_by=(OUTBOX,)),
        PeriodicTask(name=RETRY, every=timedelta(seconds=1), run=services.outbox.retry),
        PeriodicTask(
            name="devices.liveness",
            every=services.settings[HEARTBEAT_INTERVAL],
            run=services.liveness.settle,
            wakened_by=(LIVENESS,),
            everywhere=True,
        ),
        PeriodicTask(name="mqtt.hearing", every=timedelta(seconds=2), run=services.hearing.settle, everywhere=True),
        PeriodicTask(
            name="provisioning.challenges", every=timedelta(minutes=10), run=services.enrolments.forget_challenges
        ),
        PeriodicTask(
            name="provisioning.server_keys",
            every=timedelta(hours=1),
            run=services.sealed_enrolments.renew_keys,
            everywhere=True,
        ),
        PeriodicTask(name="access.sessions", every=timedelta(hours=1), run=services.sessions.prune),
        PeriodicTask(
            name="audit.retention",
            every=timedelta(minutes=10),
            run=services.audit_log.forget_old,
            wakened_by=(NO_ROOM,),
        ),
        PeriodicTask(
            name="history.retention",
            every=timedelta(minutes=10),
            run=services.history.forget_old,
            wakened_by=(NO_ROOM,),
        ),
        PeriodicTask(name="endpoints.retention", every=timedelta(hours=1), run=services.endpoint_history.forget_old),
        PeriodicTask(name="device_states.past", every=timedelta(days=1), run=forget_past),
    ]
