"""How long telemetry is kept, and who sees to it."""

from collections.abc import Mapping
from datetime import timedelta

from core.devices import DeviceRemoved
from core.events import AnySubscription, Subscription
from core.periodic import PeriodicTask
from core.services import Services
from core.settings import AnySetting, Setting, Settings, integer
from core.telemetry import NO_ROOM, Ageing, Keeping
from entrypoints.wiring.room import limits_of

DAYS = integer(1, 36_500)
METRICS_RETENTION = Setting(
    name="METRICS_RETENTION_DAYS", read=DAYS, default=30, summary="For how many days vital signs are kept"
)
LOG_RETENTION = Setting(name="LOG_RETENTION_DAYS", read=DAYS, default=30, summary="For how many days logs are kept")
READING_RETENTION = Setting(
    name="READING_RETENTION_DAYS", read=DAYS, default=90, summary="For how many days readings of sensors are kept"
)
RETENTION_SETTINGS: tuple[AnySetting, ...] = (METRICS_RETENTION, LOG_RETENTION, READING_RETENTION)
# A batch of log lines is sent again within minutes, or never.
BATCHES_KEPT = timedelta(days=1)
# What is kept about logs takes at most this part of the room for logs.
BESIDE_LOGS = 10
# At 5,000 readings a second a minute is 100 MB: the room that is kept free.
SWEEP_EVERY = timedelta(minutes=1)


def kept_for(
    settings: Settings,
    *,
    metrics: Ageing,
    logs: Ageing,
    log_batches: Ageing,
    dropped: Ageing,
    readings: Ageing,
    set_aside: Ageing,
) -> Mapping[Ageing, Keeping]:
    """How long which table keeps its rows, and how much of them."""
    days, limits = timedelta(days=1), limits_of(settings)
    log_age = settings[LOG_RETENTION] * days
    return {
        metrics: Keeping(age=settings[METRICS_RETENTION] * days, most_bytes=limits.metrics),
        logs: Keeping(age=log_age, most_bytes=limits.logs),
        dropped: Keeping(age=log_age, most_bytes=limits.logs // BESIDE_LOGS),
        log_batches: Keeping(age=BATCHES_KEPT, most_bytes=limits.logs // BESIDE_LOGS),
        readings: Keeping(age=settings[READING_RETENTION] * days, most_bytes=limits.readings),
        set_aside: Keeping(age=settings[READING_RETENTION] * days, most_bytes=limits.readings // BESIDE_LOGS),
    }


def telemetry_subscriptions(services: Services) -> list[AnySubscription]:
    """What telemetry does about the events of devices."""
    return [
        Subscription(name="telemetry.forget_device", events=(DeviceRemoved,), reaction=services.retention.forget),
    ]


def telemetry_tasks(services: Services) -> list[PeriodicTask]:
    """What telemetry does again and again."""
    return [
        PeriodicTask(name="telemetry.retention", every=SWEEP_EVERY, run=services.retention.sweep, wakened_by=(NO_ROOM,))
    ]
