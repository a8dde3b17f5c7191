"""The packets that a subscriber needs, of MQTT 3.1.1 and 5.0 (OASIS), as bytes.

Written here because paho reads on when we are full, or else loses its keep-alive; see contrib/decisions/0032.
"""

from collections.abc import Sequence
from enum import IntEnum
from struct import error as struct_error
from struct import pack, unpack_from
from typing import Final

from attrs import frozen

V311, V5 = 4, 5
LONGEST_REMAINING = 4  # bytes of the length in a fixed header (§2.1.4)


class Kind(IntEnum):
    """The type of a packet (MQTT 5.0 §2.1.2)."""

    CONNECT = 1
    CONNACK = 2
    PUBLISH = 3
    PUBACK = 4
    SUBSCRIBE = 8
    SUBACK = 9
    UNSUBSCRIBE = 10
    UNSUBACK = 11
    PINGREQ = 12
    PINGRESP = 13
    DISCONNECT = 14


class Property(IntEnum):
    """The properties that we say or look at (MQTT 5.0 §2.2.2.2)."""

    SESSION_EXPIRY = 0x11
    RECEIVE_MAXIMUM = 0x21
    SHARED_SUBSCRIPTIONS = 0x2A


PINGREQ: Final = bytes((Kind.PINGREQ << 4, 0))
DISCONNECT: Final = bytes((Kind.DISCONNECT << 4, 0))
_SIZES: Final = {
    **dict.fromkeys((0x01, 0x17, 0x19, 0x24, 0x25, 0x28, 0x29, 0x2A), 1),
    **dict.fromkeys((0x13, 0x21, 0x22, 0x23), 2),
    **dict.fromkeys((0x02, 0x11, 0x18, 0x27), 4),
}
_TEXTS: Final = frozenset({0x03, 0x08, 0x09, 0x12, 0x15, 0x16, 0x1A, 0x1C, 0x1F})
_PAIR: Final = 0x26


class Malformed(Exception):
    """What came is not MQTT."""


@frozen(kw_only=True)
class Hello:
    """What we say when we connect."""

    client_id: str
    username: str
    password: str = ""
    keep_alive: int
    clean: bool = False
    expiry: int = 0
    receive_maximum: int


@frozen(kw_only=True)
class Welcome:
    """CONNACK. `code` is a reason code of 5.0 or a return code of 3.1.1; 0 is yes."""

    code: int
    session_present: bool
    shares: bool


@frozen
class Publish:
    """A message that came. `packet_id` is 0 with QoS 0; `retained` when it is an old one, kept for new subscribers."""

    topic: str
    payload: bytes
    packet_id: int
    retained: bool


def connect(hello: Hello, version: int) -> bytes:
    """CONNECT (§3.1). Without a clean start the session of before goes on."""
    flags = (0x80 if hello.username else 0) | (0x40 if hello.username and hello.password else 0)
    flags |= 0x02 if hello.clean else 0
    head = _text("MQTT") + bytes((version, flags)) + pack("!H", hello.keep_alive)
    if version == V5:
        properties = pack("!BI", Property.SESSION_EXPIRY, hello.expiry)
        properties += pack("!BH", Property.RECEIVE_MAXIMUM, hello.receive_maximum)
        head += _length(len(properties)) + properties
    body = head + _text(hello.client_id)
    if hello.username:
        body += _text(hello.username) + (_text(hello.password) if hello.password else b"")
    return _packet(Kind.CONNECT << 4, body)


def subscribe(packet_id: int, filters: Sequence[str], version: int) -> bytes:
    """SUBSCRIBE with QoS 1 (§3.8); 5.0 is told to keep retained messages to itself."""
    options = bytes((0x21 if version == V5 else 0x01,))
    body = b"".join(_text(wanted) + options for wanted in filters)
    return _packet(Kind.SUBSCRIBE << 4 | 0x02, _identified(packet_id, version) + body)


def unsubscribe(packet_id: int, filters: Sequence[str], version: int) -> bytes:
    """UNSUBSCRIBE (§3.10)."""
    body = b"".join(_text(wanted) for wanted in filters)
    return _packet(Kind.UNSUBSCRIBE << 4 | 0x02, _identified(packet_id, version) + body)


def acknowledgement(packet_id: int) -> bytes:
    """PUBACK that says success (§3.4), alike in both versions."""
    return bytes((Kind.PUBACK << 4, 2, packet_id >> 8, packet_id & 0xFF))


def framed(buffer: bytearray, start: int) -> tuple[int, int, int] | None:
    """First byte, begin and end of the packet that starts there; None when it has not come whole yet."""
    size = shift = 0
    for position in range(start + 1, min(len(buffer), start + 1 + LONGEST_REMAINING)):
        byte = buffer[position]
        size |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            end = position + 1 + size
            return (buffer[start], position + 1, end) if end <= len(buffer) else None
    if len(buffer) > start + LONGEST_REMAINING:
        raise Malformed("a length has no end")
    return None


def welcome(body: bytes, version: int) -> Welcome:
    """CONNACK (§3.2). One of 3.1.1 may answer a CONNECT of 5.0."""
    if len(body) < 2:  # noqa: PLR2004 - flags and code
        raise Malformed("a CONNACK is too short")
    shares = version == V5 and len(body) > 2  # noqa: PLR2004
    if shares:
        shares = _number(body, 2, Property.SHARED_SUBSCRIPTIONS) != 0
    return Welcome(code=body[1], session_present=bool(body[0] & 1), shares=shares)


def published(first: int, body: bytes, version: int) -> Publish:
    """PUBLISH (§3.3)."""
    try:
        at = 2 + unpack_from("!H", body)[0]
        topic = body[2:at].decode()
        packet_id = 0
        if first & 0x06:
            (packet_id,) = unpack_from("!H", body, at)
            at += 2
    except (ValueError, struct_error) as error:
        raise Malformed("a PUBLISH cannot be read") from error
    if version == V5:
        size, at = _varint(body, at)
        at += size
    return Publish(topic, body[at:], packet_id, bool(first & 1))


def answered(body: bytes, version: int) -> tuple[int, bytes]:
    """SUBACK or UNSUBACK: which packet it answers, and a code for each filter."""
    if len(body) < 2:  # noqa: PLR2004
        raise Malformed("an answer is too short")
    at = 2
    if version == V5:
        size, at = _varint(body, at)
        at += size
    return int.from_bytes(body[:2], "big"), body[at:]


def _number(body: bytes, at: int, wanted: int) -> int | None:
    """The value of a property that is a number, if it is there."""
    size, at = _varint(body, at)
    end = at + size
    try:
        while at < end:
            name, at = body[at], at + 1
            if name == wanted:
                return int.from_bytes(body[at : at + _SIZES[name]], "big")
            at = _after(body, name, at)
    except IndexError as error:
        raise Malformed("properties are cut off") from error
    return None


def _after(body: bytes, name: int, at: int) -> int:
    """Where the value of the property ends."""
    if name in _SIZES:
        return at + _SIZES[name]
    if name in _TEXTS or name == _PAIR:
        for _ in range(2 if name == _PAIR else 1):
            at += 2 + int.from_bytes(body[at : at + 2], "big")
        return at
    if name == 0x0B:  # noqa: PLR2004 - the identifier of a subscription
        return _varint(body, at)[1]
    raise Malformed(f"there is no property {name:#x}")


def _varint(body: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    for position in range(at, min(len(body), at + LONGEST_REMAINING)):
        value |= (body[position] & 0x7F) << shift
        shift += 7
        if not body[position] & 0x80:
            return value, position + 1
    raise Malformed("a length is cut off")


def _identified(packet_id: int, version: int) -> bytes:
    return pack("!H", packet_id) + (b"\x00" if version == V5 else b"")


def _packet(first: int, body: bytes) -> bytes:
    return bytes((first,)) + _length(len(body)) + body


def _length(size: int) -> bytes:
    encoded = bytearray()
    while True:
        size, byte = size >> 7, size & 0x7F
        encoded.append(byte | (0x80 if size else 0))
        if not size:
            return bytes(encoded)


def _text(text: str) -> bytes:
    encoded = text.encode()
    return pack("!H", len(encoded)) + encoded
