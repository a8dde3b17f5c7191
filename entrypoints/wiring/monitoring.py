"""How the broker is monitored and traffic is counted: settings, events, and what is done again and again."""

from datetime import timedelta

from core import monitoring, traffic
from core.devices import DeviceRemoved
from core.events import AnySubscription, Subscription
from core.periodic import PeriodicTask
from core.services import Services
from core.settings import AnySetting, Settings

MONITORING_SETTINGS: tuple[AnySetting, ...] = (*monitoring.SETTINGS, *traffic.SETTINGS)


def monitors(settings: Settings) -> bool:
    """Whether topics are watched from the start."""
    return settings[monitoring.MONITOR_ENABLED]


def traffic_kept(settings: Settings) -> timedelta:
    """For how long traffic and silent topics are remembered."""
    return timedelta(days=settings[traffic.TRAFFIC_RETENTION])


def monitoring_subscriptions(services: Services) -> list[AnySubscription]:
    """What is forgotten with a device."""
    return [
        Subscription(name="traffic.forget_device", events=(DeviceRemoved,), reaction=services.traffic.forget),
        Subscription(name="monitoring.forget_device", events=(DeviceRemoved,), reaction=services.topic_archive.forget),
    ]


def monitoring_tasks(services: Services) -> list[PeriodicTask]:
    """What is measured, written down and forgotten again and again."""
    flush, archive = services.settings[traffic.TRAFFIC_FLUSH_INTERVAL], services.topic_archive
    second, hour = timedelta(seconds=1), timedelta(hours=1)
    return [
        PeriodicTask(
            name="monitoring.statistics", every=5 * second, run=services.mqtt_statistics.measure, everywhere=True
        ),
        PeriodicTask(name="monitoring.samples", every=second, run=services.mqtt_monitor.examine, everywhere=True),
        PeriodicTask(name="monitoring.topics", every=300 * second, run=archive.save, everywhere=True),
        PeriodicTask(name="monitoring.retention", every=hour, run=archive.forget_old),
        PeriodicTask(name="traffic.flush", every=flush, run=services.traffic.flush, everywhere=True),
        PeriodicTask(name="traffic.retention", every=hour, run=services.traffic.forget_old),
    ]
