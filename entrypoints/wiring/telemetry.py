"""How long telemetry is kept, and who sees to it."""

from collections.abc import Mapping
from datetime import timedelta

from core.devices import DeviceRemoved
from core.events import AnySubscription, Subscription
from core.periodic import PeriodicTask
from core.services import Services
from core.settings import AnySetting, Setting, Settings, integer
from core.telemetry import Ageing

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


def kept_for(
    settings: Settings, *, metrics: Ageing, logs: Ageing, log_batches: Ageing, dropped: Ageing, readings: Ageing
) -> Mapping[Ageing, timedelta]:
    """How long which table keeps its rows."""
    days = timedelta(days=1)
    return {
        metrics: settings[METRICS_RETENTION] * days,
        logs: settings[LOG_RETENTION] * days,
        dropped: settings[LOG_RETENTION] * days,
        log_batches: BATCHES_KEPT,
        readings: settings[READING_RETENTION] * days,
    }


def telemetry_subscriptions(services: Services) -> list[AnySubscription]:
    """What telemetry does about the events of devices."""
    return [
        Subscription(name="telemetry.forget_device", events=(DeviceRemoved,), reaction=services.retention.forget),
    ]


def telemetry_tasks(services: Services) -> list[PeriodicTask]:
    """What telemetry does again and again."""
    return [PeriodicTask(name="telemetry.retention", every=timedelta(minutes=10), run=services.retention.sweep)]
