"""How the broker is doing: its counts, and rates made of their differences (contract §11.4 B-12)."""

from collections import deque

from attrs import frozen

from core.actor import Actor
from core.checks import require
from core.clock import Clock
from core.errors import Unavailable
from core.monitoring.model import DATA_READ
from core.mqtt import Broker, BrokerStatistics

# Rates are averages over the last minute, renewed at each measurement.
MEASUREMENTS = 13


@frozen(kw_only=True)
class BrokerReport:
    """The counts since the broker started, and rates per second: messages, and bytes."""

    connected: bool
    counts: BrokerStatistics
    published: float = 0.0
    received: float = 0.0
    bytes_in: float = 0.0
    bytes_out: float = 0.0


@frozen
class _Measurement:
    at: float
    counts: BrokerStatistics


class MqttStatistics:
    """Measures the broker every few seconds, so that whoever asks is told how fast it goes."""

    def __init__(self, *, broker: Broker, clock: Clock) -> None:
        self._broker = broker
        self._clock = clock
        self._measured: deque[_Measurement] = deque(maxlen=MEASUREMENTS)

    async def measure(self) -> None:
        """Take a measurement; to be called every five seconds."""
        counts = self._broker.statistics()
        if self._measured and counts.messages_in < self._measured[-1].counts.messages_in:
            self._measured.clear()  # the broker has started anew and counts from zero
        self._measured.append(_Measurement(self._clock.monotonic(), counts))

    async def report(self, actor: Actor) -> BrokerReport:
        """How the broker is doing, connected or not: the object of the channel mqtt-stats."""
        require(actor, DATA_READ)
        try:
            await self._broker.ping()
        except Unavailable:
            return BrokerReport(connected=False, counts=self._broker.statistics())
        return self._rated(self._broker.statistics())

    async def working(self, actor: Actor) -> BrokerReport:
        """The same, but Unavailable when the broker does not work."""
        report = await self.report(actor)
        if not report.connected:
            raise Unavailable("the MQTT broker does not work")
        return report

    def _rated(self, counts: BrokerStatistics) -> BrokerReport:
        since = self._measured[0] if self._measured else None
        span = self._clock.monotonic() - since.at if since else 0.0
        if since is None or span <= 0:
            return BrokerReport(connected=True, counts=counts)
        before = since.counts
        return BrokerReport(
            connected=True,
            counts=counts,
            published=_rate(counts.messages_out, before.messages_out, span),
            received=_rate(counts.messages_in, before.messages_in, span),
            bytes_in=_rate(counts.bytes_in, before.bytes_in, span),
            bytes_out=_rate(counts.bytes_out, before.bytes_out, span),
        )


def _rate(now: int, before: int, span: float) -> float:
    return max(0.0, round((now - before) / span, 3))
