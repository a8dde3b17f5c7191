"""How the broker, the outbox and the devices stand, in numbers for Prometheus."""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from core.devices import Census
from core.errors import Unavailable
from core.mqtt import BrokerStatistics
from core.outbox import OutboxStanding
from core.services import Services


class StandingMetrics(Collector):
    """What is not counted as it happens but read when somebody asks: the broker, the outbox, the devices."""

    def __init__(self, services: Services, registry: CollectorRegistry) -> None:
        self._services = services
        self._outbox: OutboxStanding | None = None
        self._census: Census | None = None
        registry.register(self)

    async def read(self) -> None:
        """Read what the database knows; what it cannot tell now is left out."""
        self._outbox = self._census = None
        try:
            self._outbox = await self._services.outbox.standing()
            self._census = await self._services.devices.census()
        except Unavailable:
            return

    def describe(self) -> Iterable[Metric]:
        """Nothing: the numbers are known when somebody asks."""
        return []

    def collect(self) -> Iterable[Metric]:
        """The numbers as they were read last."""
        yield from _of_broker(self._services.broker.statistics())
        if self._outbox is not None:
            yield from _of_outbox(self._outbox, self._outbox.lag(self._services.clock.now()))
        if self._census is not None:
            yield _of_devices(self._census)


def _of_broker(counts: BrokerStatistics) -> Iterable[Metric]:
    gauges = {
        "clients": ("Connected clients", counts.clients_connected),
        "sessions": ("Sessions, held or not", counts.sessions),
        "subscriptions": ("Subscriptions", counts.subscriptions),
        "retained_messages": ("Retained messages", counts.retained),
        "queued_bytes": ("Bytes that wait for clients or their acknowledgements", counts.queued_bytes),
    }
    counters = {
        "messages_received": ("Messages that clients published", counts.messages_in),
        "messages_sent": ("Messages handed to clients", counts.messages_out),
        "messages_dropped": ("Messages that were refused, or found no room", counts.messages_dropped),
        "received_bytes": ("Bytes received", counts.bytes_in),
        "sent_bytes": ("Bytes sent", counts.bytes_out),
    }
    yield from (GaugeMetricFamily(f"iotistic_mqtt_{name}", words, value) for name, (words, value) in gauges.items())
    yield from (CounterMetricFamily(f"iotistic_mqtt_{name}", words, value) for name, (words, value) in counters.items())


def _of_outbox(standing: OutboxStanding, lag: float) -> Iterable[Metric]:
    yield GaugeMetricFamily("iotistic_outbox_backlog", "Events that wait for their first delivery", standing.backlog)
    yield GaugeMetricFamily("iotistic_outbox_lag_seconds", "For how long the oldest of them has waited", lag)
    yield GaugeMetricFamily("iotistic_outbox_dead_letters", "Reactions that were given up", standing.dead_letters)


def _of_devices(census: Census) -> Metric:
    family = GaugeMetricFamily("iotistic_devices", "Devices", labels=["status", "online"])
    for (status, online), number in sorted(census.counts.items(), key=lambda item: (item[0][0].value, item[0][1])):
        family.add_metric([status.value, str(online).lower()], number)
    return family
