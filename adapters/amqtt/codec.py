"""MQTT 3.1.1 packets: amqtt's packet classes, with the checks they leave out.

amqtt decodes leniently: text that is not UTF-8 becomes the `repr` of its bytes, missing fields become None, and what
follows the last field is ignored. So each decoded packet is encoded again, and one that does not come out as it went in
is malformed. PUBLISH and the acknowledgements are decoded here instead; that is nine tenths of the traffic.
"""

import struct
from collections.abc import Coroutine
from typing import Any

from amqtt.adapters import BufferReader  # type: ignore[import-untyped]
from amqtt.errors import AMQTTError, CodecError, MQTTError, NoDataError  # type: ignore[import-untyped]
from amqtt.mqtt.connack import ConnackPacket  # type: ignore[import-untyped]
from amqtt.mqtt.connect import ConnectPacket  # type: ignore[import-untyped]
from amqtt.mqtt.packet import MQTTFixedHeader  # type: ignore[import-untyped]
from amqtt.mqtt.suback import SubackPacket  # type: ignore[import-untyped]
from amqtt.mqtt.subscribe import SubscribePacket  # type: ignore[import-untyped]
from amqtt.mqtt.unsubscribe import UnsubscribePacket  # type: ignore[import-untyped]
from attrs import frozen

from adapters.amqtt.framer import Malformed
from adapters.amqtt.kinds import CONNECT, PUBLISH, PUBREL, SUBSCRIBE, UNSUBSCRIBE

LEVEL = 4
HIGHEST_QOS = 2
PINGRESP_BYTES = b"\xd0\x00"

_NAMES = ("MQTT", "MQIsdp")
_RESERVED_FLAGS = {CONNECT: 0, SUBSCRIBE: 2, UNSUBSCRIBE: 2}
_DUP, _RETAIN = 0x08, 0x01
_DECODING_ERRORS = (AMQTTError, CodecError, MQTTError, NoDataError, ValueError, IndexError, struct.error)
_U16 = struct.Struct("!H")
_HEADED_U16 = struct.Struct("!BBH")


class UnknownVersion(Exception):
    """The client speaks another version of MQTT than 3.1.1."""


@frozen(kw_only=True)
class Will:
    """What is published for a client that goes without saying so."""

    topic: str
    payload: bytes
    qos: int
    retain: bool


@frozen(kw_only=True)
class Connect:
    """A CONNECT packet. `client_id` is empty when the client leaves it to us."""

    client_id: str
    clean: bool
    keep_alive: int
    username: str | None
    password: str | None
    will: Will | None


@frozen
class Publish:
    """A PUBLISH packet. `packet_id` is 0 for QoS 0."""

    topic: str
    payload: bytes
    qos: int
    retain: bool
    packet_id: int


def decode_connect(flags: int, body: bytes) -> Connect:
    """Raises Malformed, and UnknownVersion before it looks at what another version lays out differently."""
    _check_version(body)
    packet = _decode(ConnectPacket, CONNECT, flags, body)
    if packet.client_id_is_random:  # amqtt's own invention where the client sent an empty one
        packet.client_id = ""
    _check_roundtrip(packet, body)
    absent = (packet.username_flag and packet.username is None) or (packet.password_flag and packet.password is None)
    if packet.reserved_flag or absent or (packet.password_flag and not packet.username_flag):
        raise Malformed("CONNECT contradicts its flags")
    for text in (packet.client_id, packet.username or "", packet.password or ""):
        if "\x00" in text:
            raise Malformed("NUL in a text of CONNECT")
    return Connect(
        client_id=packet.client_id,
        clean=packet.clean_session_flag,
        keep_alive=packet.keep_alive,
        username=packet.username,
        password=packet.password,
        will=_will(packet),
    )


def decode_publish(flags: int, body: bytes) -> Publish:
    """Raises Malformed. The topic is checked for UTF-8 only."""
    qos = (flags >> 1) & 0x03
    if qos > HIGHEST_QOS or (qos == 0 and flags & _DUP) or len(body) < _U16.size:
        raise Malformed("PUBLISH contradicts its flags")
    start = _U16.size + _U16.unpack_from(body)[0]
    end = start + _U16.size if qos else start
    if end > len(body):
        raise Malformed("PUBLISH ends too early")
    try:
        topic = body[_U16.size : start].decode()
    except UnicodeDecodeError as error:
        raise Malformed("the topic is not UTF-8") from error
    packet_id = _U16.unpack_from(body, start)[0] if qos else 0
    if qos and not packet_id:
        raise Malformed("packet identifier 0")
    return Publish(topic, body[end:], qos, bool(flags & _RETAIN), packet_id)


def decode_subscribe(flags: int, body: bytes) -> tuple[int, list[tuple[str, int]]]:
    """The packet identifier, and filters with the wanted QoS. Raises Malformed, for an empty list too."""
    packet = _decode(SubscribePacket, SUBSCRIBE, flags, body)
    _check_roundtrip(packet, body)
    topics: list[tuple[str, int]] = packet.payload.topics
    if not topics or any(qos > HIGHEST_QOS for _, qos in topics):
        raise Malformed("SUBSCRIBE asks for nothing, or for an unknown QoS")
    return _identifier(packet.variable_header.packet_id), topics


def decode_unsubscribe(flags: int, body: bytes) -> tuple[int, list[str]]:
    """The packet identifier and the filters. Raises Malformed, for an empty list too."""
    packet = _decode(UnsubscribePacket, UNSUBSCRIBE, flags, body)
    _check_roundtrip(packet, body)
    topics: list[str] = packet.payload.topics
    if not topics:
        raise Malformed("UNSUBSCRIBE asks for nothing")
    return _identifier(packet.variable_header.packet_id), topics


def decode_identifier(kind: int, flags: int, body: bytes) -> int:
    """What PUBACK, PUBREC, PUBREL and PUBCOMP carry. Raises Malformed."""
    if len(body) != _U16.size or flags != (2 if kind == PUBREL else 0):
        raise Malformed("an acknowledgement is a packet identifier and nothing else")
    return _identifier(_U16.unpack(body)[0])


def encode_connack(return_code: int, *, session_present: bool = False) -> bytes:
    """The answer to CONNECT (MQTT 3.1.1 §3.2)."""
    return bytes(ConnackPacket.build(int(session_present), return_code).to_bytes())


def encode_suback(packet_id: int, return_codes: list[int]) -> bytes:
    """The answer to SUBSCRIBE: a code for each filter, in their order (MQTT 3.1.1 §3.9)."""
    return bytes(SubackPacket.build(packet_id, return_codes).to_bytes())


def encode_identifier(kind: int, packet_id: int) -> bytes:
    """PUBACK, PUBREC, PUBREL, PUBCOMP or UNSUBACK."""
    return _HEADED_U16.pack(kind << 4 | (2 if kind == PUBREL else 0), 2, packet_id)


def encode_publish(topic: bytes, payload: bytes, *, qos: int, retain: bool, dup: bool, packet_id: int) -> bytes:
    """A PUBLISH packet; `topic` is encoded already, for it is the same for all who get the message."""
    identifier = _U16.pack(packet_id) if qos else b""
    flags = qos << 1 | (_RETAIN if retain else 0) | (_DUP if dup else 0)
    header = MQTTFixedHeader(PUBLISH, flags, _U16.size + len(topic) + len(identifier) + len(payload))
    return b"".join((header.to_bytes(), _U16.pack(len(topic)), topic, identifier, payload))


def _check_version(body: bytes) -> None:
    """Refuse other versions by their first bytes (MQTT 3.1.1 §3.1.2.2)."""
    for name in _NAMES:
        prefix = _U16.pack(len(name)) + name.encode()
        if body.startswith(prefix) and len(body) > len(prefix):
            if name == _NAMES[0] and body[len(prefix)] == LEVEL:
                return
            raise UnknownVersion
    raise Malformed("this is not MQTT")


def _will(packet: Any) -> Will | None:
    if not packet.will_flag:
        if packet.will_qos or packet.will_retain_flag:
            raise Malformed("a will without its flag")
        return None
    if packet.will_topic is None or packet.will_message is None or packet.will_qos > HIGHEST_QOS:
        raise Malformed("a will without its fields")
    return Will(
        topic=packet.will_topic,
        payload=bytes(packet.will_message),
        qos=packet.will_qos,
        retain=packet.will_retain_flag,
    )


def _decode(packet_class: Any, kind: int, flags: int, body: bytes) -> Any:
    if flags != _RESERVED_FLAGS[kind]:
        raise Malformed("reserved flags are in use")
    header = MQTTFixedHeader(kind, flags, len(body))
    try:
        return _run(packet_class.from_stream(BufferReader(body), fixed_header=header))
    except _DECODING_ERRORS as error:
        raise Malformed(str(error)) from error


def _run(decoding: Coroutine[Any, Any, Any]) -> Any:
    """amqtt's decoders are coroutines; over a buffer they never wait."""
    try:
        decoding.send(None)
    except StopIteration as done:
        return done.value
    decoding.close()
    raise Malformed("the packet ends too early")


def _check_roundtrip(packet: Any, body: bytes) -> None:
    encoded = bytes(packet.variable_header.to_bytes()) + bytes(
        packet.payload.to_bytes(packet.fixed_header, packet.variable_header)
    )
    if encoded != body:
        raise Malformed("the packet is not what it says")


def _identifier(packet_id: int) -> int:
    if not packet_id:
        raise Malformed("packet identifier 0")
    return packet_id
