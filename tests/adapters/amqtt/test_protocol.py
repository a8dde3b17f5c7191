"""What is not MQTT 3.1.1 is refused, cleanly, and never crashes anything."""

import logging
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.amqtt import EmbeddedBroker
from adapters.amqtt.codec import (
    UnknownVersion,
    decode_connect,
    decode_identifier,
    decode_publish,
    decode_subscribe,
    decode_unsubscribe,
    encode_publish,
)
from adapters.amqtt.framer import Framer, Malformed
from tests.adapters.amqtt.conftest import Dial
from tests.adapters.amqtt.doubles import (
    CONNACK,
    DEVICE,
    Raw,
    connect_packet,
    packet,
    publish_packet,
    subscribe_packet,
    text,
)

NAME = f"device_{DEVICE}"
STATE = f"iot/device/{DEVICE}/state"
CONNECT_BODY = connect_packet(NAME, NAME, will=("a", b"\xff\x00", 1, True))[2:]


@pytest.mark.parametrize(
    "protocol", [b"\x00\x04MQTT\x05", b"\x00\x06MQIsdp\x03", b"\x00\x04MQTT\x03", b"\x00\x04MQTT\xff"]
)
async def test_other_versions_of_mqtt_are_told_so_and_closed(
    broker: EmbeddedBroker, dial: Dial, protocol: bytes
) -> None:
    raw = await dial(broker)
    raw.send(connect_packet(NAME, NAME, protocol=protocol))
    assert await raw.expect(CONNACK) == b"\x00\x01"
    await raw.closed()


async def test_an_mqtt_5_connect_with_properties_is_told_so(broker: EmbeddedBroker, dial: Dial) -> None:
    raw = await dial(broker)
    raw.send(packet(0x10, b"\x00\x04MQTT\x05\x02\x00\x3c\x05\x11\x00\x00\x00\x0a\x00\x01a"))
    assert await raw.expect(CONNACK) == b"\x00\x01"


@pytest.mark.parametrize(
    "bad",
    [
        packet(0x82, b"\x00\x01"),  # SUBSCRIBE to nothing
        packet(0xA2, b"\x00\x01"),  # UNSUBSCRIBE from nothing
        packet(0x80, b"\x00\x01\x00\x01a\x00"),  # wrong flags
        packet(0x82, b"\x00\x00\x00\x01a\x00"),  # identifier 0
        packet(0x82, b"\x00\x01\x00\x01a\x03"),  # QoS 3
        packet(0x82, b"\x00\x01\x00\x09a\x00"),  # shorter than it says
        packet(0x82, b"\x00\x01\x00\x01a"),  # no QoS
        packet(0x82, b"\x00\x01\x00\x01\xff\x00"),  # not UTF-8
        packet(0x82, b"\x00\x01\x00\x03\xed\xa0\x80\x00"),  # a surrogate
        packet(0x36, b"\x00\x01a\x00\x01"),  # PUBLISH at QoS 3
        packet(0x38, b"\x00\x01a"),  # a duplicate at QoS 0
        packet(0x32, b"\x00\x01a\x00\x00"),  # identifier 0
        packet(0x32, b"\x00\x01a\x00"),  # no identifier
        packet(0x30, b""),
        packet(0x30, b"\x00\x00"),  # no topic
        packet(0x30, b"\x00\x03a/#"),
        packet(0x30, b"\x00\x02a+"),
        packet(0x30, b"\x00\x02a\x00"),  # NUL
        packet(0x30, b"\x00\x01\xff"),
        packet(0x30, b"\xff\xffa"),
        packet(0x40, b"\x00"),
        packet(0x40, b"\x00\x00"),
        packet(0x42, b"\x00\x01"),
        packet(0x60, b"\x00\x01"),
        packet(0x62, b"\x00\x01\x00"),
        packet(0xC0, b"x"),
        packet(0xC1),
        packet(0xE0, b"x"),
        packet(0x00),
        packet(0xF0),
        packet(0x20, b"\x00\x00"),
        packet(0x90, b"\x00\x01\x00"),
        packet(0xB0, b"\x00\x01"),
        packet(0xD0),
        connect_packet(NAME, NAME),  # a second CONNECT
        b"\xc0\x80\x80\x80\x80\x00",  # a length of five bytes
    ],
    ids=bytes.hex,
)
async def test_a_malformed_packet_closes_its_connection_and_no_other(
    broker: EmbeddedBroker, dial: Dial, watcher: Raw, caplog: pytest.LogCaptureFixture, bad: bytes
) -> None:
    raw = await dial(broker, NAME)
    with caplog.at_level(logging.ERROR):
        raw.send(bad)
        with pytest.raises(EOFError):
            await raw.next()
    assert await watcher.silent()
    assert not caplog.records


@pytest.mark.parametrize("bad", ["a/#/b", "a#", "+a", "$share/g/a", "$share/g/"])
async def test_a_malformed_or_shared_filter_is_refused_and_the_others_are_granted(watcher: Raw, bad: str) -> None:
    assert await watcher.subscribe(("a", 1), (bad, 1), ("b", 2)) == [1, 0x80, 2]


async def test_packets_may_come_in_pieces_and_in_heaps(broker: EmbeddedBroker, dial: Dial) -> None:
    raw = await dial(broker)
    heap = connect_packet(NAME, NAME) + publish_packet(STATE, b"x" * 300, qos=1) + b"\xc0\x00" * 3 + b"\xe0\x00"
    for start in range(0, len(heap), 7):
        raw.send(heap[start : start + 7])
        await raw.writer.drain()
    # The answers to pings do not wait for the disk.
    assert sorted([(await raw.next())[0] for _ in range(5)]) == [2, 4, 13, 13, 13]
    await raw.closed()


bodies = st.binary(max_size=60) | st.builds(
    lambda body, place, junk: body[:place] + junk + body[place + len(junk) :],
    st.sampled_from([CONNECT_BODY, subscribe_packet(("a/b", 1), ("é", 2))[2:], text("a") + b"\x00\x01xyz"]),
    st.integers(0, 100),
    st.binary(max_size=4),
)


@given(flags=st.integers(0, 15), body=bodies)
def test_any_bytes_are_a_packet_or_malformed_and_nothing_else(flags: int, body: bytes) -> None:
    for decode in (decode_connect, decode_publish, decode_subscribe, decode_unsubscribe):
        try:
            decode(flags, body)
        except (Malformed, UnknownVersion):
            continue
    for kind in (4, 5, 6, 7):
        try:
            decode_identifier(kind, flags, body)
        except Malformed:
            continue


@given(
    topic=st.text(max_size=20),
    payload=st.binary(max_size=200),
    qos=st.integers(0, 2),
    retain=st.booleans(),
    cuts=st.lists(st.integers(1, 50)),
)
def test_a_message_comes_out_as_it_went_in(
    topic: str, payload: bytes, *, qos: int, retain: bool, cuts: list[int]
) -> None:
    raw = encode_publish(topic.encode(), payload, qos=qos, retain=retain, dup=False, packet_id=7 if qos else 0)
    framer = Framer(1_000)
    packets = []
    for size in [*cuts, len(raw)]:
        framer.feed(raw[:size])
        raw = raw[size:]
        packets += list(framer.packets())
    [(kind, flags, body)] = packets
    decoded = decode_publish(flags, body)
    assert kind == 3
    assert (decoded.topic, decoded.payload, decoded.qos, decoded.retain) == (topic, payload, qos, retain)


def test_a_connect_is_read_as_it_was_written() -> None:
    connect = decode_connect(0, CONNECT_BODY)
    assert (connect.client_id, connect.username, connect.keep_alive, connect.clean) == (NAME, NAME, 60, True)
    assert connect.will is not None
    assert (connect.will.topic, connect.will.payload, connect.will.qos, connect.will.retain) == (
        "a",
        b"\xff\x00",
        1,
        True,
    )


@pytest.mark.parametrize("flags", [0x01, 0x42, 0x1A, 0x22, 0x1E])
def test_a_connect_that_contradicts_its_flags_is_malformed(flags: int) -> None:
    payload = text("c") + (text("w") + text("m") if flags & 4 else b"") + (text("p") if flags & 0x40 else b"")
    with pytest.raises(Malformed):
        decode_connect(0, b"\x00\x04MQTT\x04" + bytes([flags]) + struct.pack("!H", 60) + payload)
