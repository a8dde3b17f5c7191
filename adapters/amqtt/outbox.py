"""What one session is owed: sent in order, kept until acknowledged, kept within bounds while the client is away."""

import asyncio

from adapters.amqtt.codec import encode_identifier, encode_publish
from adapters.amqtt.gauge import Counters, Gauge
from adapters.amqtt.kinds import PUBREL
from adapters.amqtt.limits import Limits
from adapters.amqtt.queues import BoundedQueue, Delivery
from adapters.amqtt.wires import Wire

_IDENTIFIERS = 65_535


class Outbox:
    """Deliveries of a session, which may outlive its connections.

    Nothing is sent again while a connection lasts (§4.4): what is unacknowledged is sent again on the next one.
    """

    def __init__(self, queue: BoundedQueue, limits: Limits, total: Gauge, counters: Counters) -> None:
        self.queue = queue
        self._limits = limits
        self._total = total
        self._counters = counters
        self._unacknowledged: dict[int, Delivery] = {}
        self._held = 0
        self._last_identifier = 0
        self._wire: Wire | None = None
        self._draining: asyncio.Task[None] | None = None
        self._room = asyncio.Event()

    def put(self, delivery: Delivery) -> None:
        """Deliver now or later; QoS 0 not later than the connection lasts (§3.1.2.4)."""
        if self._wire is None and delivery.qos == 0:
            self._counters.messages_dropped += 1
            return
        self.queue.push(delivery)
        self._pump()

    async def room(self) -> None:
        """Wait until the client keeps up."""
        while self.queue.half_full and self._wire is not None:
            self._room.clear()
            await self._room.wait()

    def attach(self, wire: Wire) -> None:
        """Send to this connection from now on, first what the last one left unacknowledged (§4.4)."""
        self._wire = wire
        for packet_id, delivery in self._unacknowledged.items():
            if delivery.released:
                wire.send(encode_identifier(PUBREL, packet_id))
            else:
                self._send(wire, delivery, packet_id, dup=True)
        self._pump()

    def detach(self) -> None:
        """The connection is gone."""
        self._wire = None
        self._room.set()
        if self._draining is not None:
            self._draining.cancel()
            self._draining = None
        for delivery in self.queue.clear():
            if delivery.qos:
                self.queue.push(delivery)
            else:
                self._counters.messages_dropped += 1

    def unacknowledged(self) -> list[tuple[int, Delivery]]:
        """What was sent and may be sent again, by packet identifier."""
        return [(packet_id, held) for packet_id, held in self._unacknowledged.items() if not held.released]

    def forget(self, packet_id: int) -> None:
        """Do not send this one again."""
        size = self._unacknowledged.pop(packet_id).size
        self._held -= size
        self._total.remove(size)

    def clear(self) -> None:
        """Forget everything."""
        self.queue.clear()
        for packet_id in list(self._unacknowledged):
            self.forget(packet_id)

    def acknowledged(self, packet_id: int) -> None:
        """PUBACK has come."""
        delivery = self._unacknowledged.get(packet_id)
        if delivery is not None and delivery.qos == 1:
            self.forget(packet_id)
            self._pump()

    def received(self, packet_id: int) -> None:
        """PUBREC has come: say PUBREL, even for a message that is not known any more, so that the client can end it."""
        delivery = self._unacknowledged.get(packet_id)
        if delivery is not None and delivery.qos > 1:
            delivery.released = True
        if self._wire is not None:
            self._wire.send(encode_identifier(PUBREL, packet_id))

    def completed(self, packet_id: int) -> None:
        """PUBCOMP has come."""
        delivery = self._unacknowledged.get(packet_id)
        if delivery is not None and delivery.released:
            self.forget(packet_id)
            self._pump()

    def _pump(self) -> None:
        wire = self._wire
        while wire is not None and self.queue and self._window_open:
            if wire.congested:
                self._resume_after(wire)
                break
            delivery = self.queue.pop()
            packet_id = self._identify(delivery) if delivery.qos else 0
            self._send(wire, delivery, packet_id, dup=False)
        if not self.queue.half_full:
            self._room.set()

    def _send(self, wire: Wire, delivery: Delivery, packet_id: int, *, dup: bool) -> None:
        packet = encode_publish(
            delivery.topic,
            delivery.message.payload,
            qos=delivery.qos,
            retain=delivery.replayed,
            dup=dup,
            packet_id=packet_id,
        )
        self._counters.messages_out += 1
        wire.send(packet)

    def _identify(self, delivery: Delivery) -> int:
        packet_id = self._last_identifier % _IDENTIFIERS + 1
        while packet_id in self._unacknowledged:
            packet_id = packet_id % _IDENTIFIERS + 1
        self._last_identifier = packet_id
        self._unacknowledged[packet_id] = delivery
        self._held += delivery.size
        self._total.add(delivery.size)
        return packet_id

    @property
    def _window_open(self) -> bool:
        limits = self._limits
        return len(self._unacknowledged) < limits.unacknowledged and self._held < limits.queued_bytes

    def _resume_after(self, wire: Wire) -> None:
        if self._draining is None:
            self._draining = asyncio.create_task(self._drain(wire))

    async def _drain(self, wire: Wire) -> None:
        try:
            await wire.drain()
        except OSError:
            return  # the reading side sees the end of the connection too, and detaches us
        self._draining = None
        self._pump()
