"""What a client says after its CONNECT, and what we answer (MQTT 3.1.1 §3.3 to §3.14)."""

from collections.abc import Awaitable, Callable

from adapters.amqtt.codec import (
    PINGRESP_BYTES,
    decode_identifier,
    decode_publish,
    decode_subscribe,
    decode_unsubscribe,
    encode_identifier,
    encode_suback,
)
from adapters.amqtt.framer import Framer, Malformed
from adapters.amqtt.intake import Intake
from adapters.amqtt.interior import Interior
from adapters.amqtt.kinds import (
    DISCONNECT,
    PINGREQ,
    PUBACK,
    PUBCOMP,
    PUBLISH,
    PUBREC,
    PUBREL,
    SUBSCRIBE,
    UNSUBACK,
    UNSUBSCRIBE,
)
from adapters.amqtt.login import Login
from adapters.amqtt.replay import Replay
from adapters.amqtt.sessions import Session
from adapters.amqtt.silence import Silence
from adapters.amqtt.wires import Wire
from core.errors import Invalid
from core.mqtt import Access, Message, topic_filter, topic_name

_REFUSED = 0x80
_ACKNOWLEDGING = {1: PUBACK, 2: PUBREC}
_Handler = Callable[[int, bytes], Awaitable[None] | None]


class Conversation:
    """Handles packets in the order in which they come; anything else than MQTT 3.1.1 raises Malformed."""

    def __init__(
        self, interior: Interior, wire: Wire, session: Session, *, intake: Intake, replay: Replay, silence: Silence
    ) -> None:
        self._interior = interior
        self._wire = wire
        self._session = session
        self._intake = intake
        self._replay = replay
        self._silence = silence
        outbox = session.outbox
        self._handlers: dict[int, _Handler] = {
            PUBLISH: self._publish,
            SUBSCRIBE: self._subscribe,
            UNSUBSCRIBE: self._unsubscribe,
            PINGREQ: self._ping,
            PUBREL: self._release,
            PUBACK: lambda flags, body: outbox.acknowledged(decode_identifier(PUBACK, flags, body)),
            PUBREC: lambda flags, body: outbox.received(decode_identifier(PUBREC, flags, body)),
            PUBCOMP: lambda flags, body: outbox.completed(decode_identifier(PUBCOMP, flags, body)),
        }

    async def until_goodbye(self, framer: Framer, login: Login) -> bool:
        """Listen until DISCONNECT (True) or until the connection ends without one (False)."""
        seen, counters = self._interior.gatekeeper.seen, self._interior.counters
        seen(login.username)
        while True:
            for kind, flags, body in framer.packets():
                if kind == DISCONNECT:
                    return _is_empty(flags, body)
                answer = self._handler(kind)(flags, body)
                if answer is not None:
                    await answer
            if self._wire.congested:
                await self._wire.drain()
            chunk = await self._wire.receive()
            if not chunk:
                return False
            counters.bytes_in += len(chunk)
            self._silence.heard()
            seen(login.username)
            framer.feed(chunk)

    def _handler(self, kind: int) -> _Handler:
        handler = self._handlers.get(kind)
        if handler is None:
            raise Malformed(f"a client does not send packets of type {kind} now")
        return handler

    async def _publish(self, flags: int, body: bytes) -> None:
        packet = decode_publish(flags, body)
        self._interior.counters.messages_in += 1
        if packet.qos > 1 and self._is_duplicate(packet.packet_id):
            return
        permitted = self._session.gate.questions.known(Access.WRITE, packet.topic)
        if permitted is None:
            permitted = await self._may_write(packet.topic)
        await self._intake.room()
        self._silence.heard()  # waiting for room was our silence, not the client's
        acknowledging = _ACKNOWLEDGING.get(packet.qos)
        self._intake.take(
            Message(
                topic=packet.topic,
                payload=packet.payload,
                qos=packet.qos,
                retain=packet.retain,
                username=self._session.username,
                client_id=self._session.client_id,
            ),
            encode_identifier(acknowledging, packet.packet_id) if acknowledging else b"",
            packet.packet_id if packet.qos > 1 else 0,
            permitted=permitted,
        )

    async def _may_write(self, topic: str) -> bool:
        try:
            topic_name(topic)
        except Invalid as error:
            raise Malformed(error.message) from error
        # Topics with $ are ours to publish (§4.7.2).
        return not topic.startswith("$") and await self._session.gate.questions.permits(Access.WRITE, topic)

    def _is_duplicate(self, packet_id: int) -> bool:
        """Is it a QoS 2 message that we have? Then it is only acknowledged, if it is stored already (§4.3.3)."""
        unreleased, arriving = self._session.unreleased, self._intake.arriving
        if packet_id in unreleased:
            self._wire.send(encode_identifier(PUBREC, packet_id))
            return True
        if len(unreleased) + len(arriving) >= self._interior.limits.unreleased:
            raise Malformed("too many QoS 2 messages are not released")
        return packet_id in arriving

    def _release(self, flags: int, body: bytes) -> None:
        packet_id = decode_identifier(PUBREL, flags, body)
        self._session.unreleased.discard(packet_id)
        self._wire.send(encode_identifier(PUBCOMP, packet_id))

    async def _subscribe(self, flags: int, body: bytes) -> None:
        packet_id, wanted = decode_subscribe(flags, body)
        # Those above the limit are not even asked about: one packet has room for 200,000.
        asked = wanted[: self._interior.limits.subscriptions]
        codes = [await self._grant(pattern, qos) for pattern, qos in asked]
        codes += [_REFUSED] * (len(wanted) - len(asked))
        self._wire.send(encode_suback(packet_id, codes))
        for (pattern, _), code in zip(wanted, codes, strict=True):
            if code != _REFUSED:
                self._replay.add(pattern)

    async def _grant(self, pattern: str, qos: int) -> int:
        try:
            topic_filter(pattern)
        except Invalid:
            return _REFUSED
        # MQTT 3.1.1 has no shared subscriptions: granting one would deliver nothing, or everything to everybody.
        if pattern.startswith("$share/"):
            return _REFUSED
        if not await self._session.gate.questions.permits(Access.SUBSCRIBE, pattern):
            return _REFUSED
        return qos if self._interior.sessions.subscribe(self._session, pattern, qos) else _REFUSED

    def _unsubscribe(self, flags: int, body: bytes) -> None:
        packet_id, patterns = decode_unsubscribe(flags, body)
        for pattern in patterns:
            self._interior.sessions.unsubscribe(self._session, pattern)
        self._wire.send(encode_identifier(UNSUBACK, packet_id))

    def _ping(self, flags: int, body: bytes) -> None:
        _is_empty(flags, body)
        self._wire.send(PINGRESP_BYTES)


def _is_empty(flags: int, body: bytes) -> bool:
    if flags or body:
        raise Malformed("the packet should be empty")
    return True
