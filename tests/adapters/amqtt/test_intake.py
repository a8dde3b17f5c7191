"""Messages from devices: acknowledged after they are stored, many at a time, in order."""

import asyncio
import struct

import pytest

from adapters.amqtt import EmbeddedBroker
from tests.adapters.amqtt.conftest import Dial, Start
from tests.adapters.amqtt.doubles import (
    CONNACK,
    DEVICE,
    PUBACK,
    PUBCOMP,
    PUBREC,
    Box,
    Keeper,
    Raw,
    connect_packet,
    packet,
    publish_packet,
    turns,
)

STATE = f"iot/device/{DEVICE}/state"
NAME = f"device_{DEVICE}"


def release(packet_id: int) -> bytes:
    return packet(0x62, struct.pack("!H", packet_id))


async def test_a_message_is_acknowledged_only_when_it_is_stored(device: Raw, box: Box) -> None:
    box.open.clear()
    device.send(publish_packet(STATE, b"{}", qos=1))
    await box.until(begun=1)
    assert await device.silent()
    box.open.set()
    assert await device.expect(PUBACK) == b"\x00\x01"
    assert [message.payload for message in box.stored] == [b"{}"]


async def test_a_message_says_who_sent_it(device: Raw, box: Box) -> None:
    device.send(publish_packet(STATE, b"{}", qos=1, retain=True))
    await device.expect(PUBACK)
    message = box.stored[0]
    assert (message.username, message.client_id, message.topic) == (NAME, NAME, STATE)
    assert (message.qos, message.retain) == (1, True)


async def test_a_message_that_cannot_be_stored_ends_the_connection_without_an_acknowledgement(
    device: Raw, box: Box
) -> None:
    box.full = True
    device.send(publish_packet(STATE, b"{}", qos=1))
    await box.until(begun=1)
    with pytest.raises(EOFError):
        await device.next()


async def test_nothing_after_a_message_that_could_not_be_stored_is_acknowledged(device: Raw, box: Box) -> None:
    box.unwelcome = b"2"
    box.open.clear()
    device.send(*(publish_packet(STATE, b"%d" % number, qos=1, packet_id=number) for number in range(1, 5)))
    await box.until(begun=4)
    box.open.set()
    acknowledged = []
    with pytest.raises(EOFError):
        while True:
            acknowledged.append(await device.expect(PUBACK))
    assert acknowledged in ([b"\x00\x01"], [])
    await box.until(stored=3)


async def test_what_was_not_acknowledged_is_stored_when_the_client_sends_it_again(
    broker: EmbeddedBroker, device: Raw, dial: Dial, box: Box
) -> None:
    box.full = True
    device.send(publish_packet(STATE, b"again", qos=1))
    await device.closed()
    box.full = False
    back = await dial(broker, NAME)
    back.send(publish_packet(STATE, b"again", qos=1, dup=True))
    await back.expect(PUBACK)
    assert [message.payload for message in box.stored] == [b"again"]


async def test_a_message_without_qos_that_cannot_be_stored_is_counted_and_the_connection_stays(
    broker: EmbeddedBroker, device: Raw, box: Box
) -> None:
    box.full = True
    device.send(publish_packet(STATE, b"{}"))
    await box.until(begun=1)
    assert await device.silent()
    assert broker.statistics().messages_dropped == 1


async def test_many_messages_of_one_client_are_stored_at_the_same_time_but_not_too_many(
    start: Start, dial: Dial, box: Box
) -> None:
    broker = await start(storing=8)
    device = await dial(broker, NAME)
    box.open.clear()
    device.send(*(publish_packet(STATE, b"%d" % number, qos=1, packet_id=number) for number in range(1, 21)))
    await box.until(begun=8)
    await turns(20)
    assert len(box.begun) == 8
    box.open.set()
    acknowledged = [struct.unpack("!H", await device.expect(PUBACK))[0] for _ in range(20)]
    assert acknowledged == list(range(1, 21))
    assert [message.payload for message in box.begun] == [b"%d" % number for number in range(1, 21)]


async def test_acknowledgements_keep_the_order_of_the_messages(device: Raw, box: Box, broker: EmbeddedBroker) -> None:
    box.open.clear()
    device.send(publish_packet(STATE, b"slow", qos=1, packet_id=1))
    # Not permitted: nothing is stored for it, but its acknowledgement waits for its turn.
    device.send(publish_packet("elsewhere", b"quick", qos=1, packet_id=2))
    await box.until(begun=1)
    assert await device.silent()
    box.open.set()
    assert [await device.expect(PUBACK), await device.expect(PUBACK)] == [b"\x00\x01", b"\x00\x02"]
    assert broker.statistics().messages_dropped == 1


async def test_subscribers_get_what_devices_report_once_it_is_stored(device: Raw, watcher: Raw, box: Box) -> None:
    await watcher.subscribe(("iot/#", 1))
    box.open.clear()
    device.send(publish_packet(STATE, b"{}", qos=1))
    await box.until(begun=1)
    assert await watcher.silent()
    box.open.set()
    assert await watcher.message() == (STATE, b"{}", 1, False)


async def test_while_messages_wait_for_the_disk_the_socket_is_not_read(start: Start, dial: Dial, box: Box) -> None:
    broker = await start(storing=2, storing_bytes_total=10_000)
    device = await dial(broker, NAME)
    box.open.clear()
    before = broker.statistics().bytes_in
    device.send(*(publish_packet(STATE, b"x" * 100_000, qos=1, packet_id=number) for number in range(1, 31)))
    await box.until(begun=1)
    await turns(50)
    assert broker.statistics().bytes_in - before < 300_000
    box.open.set()
    for _ in range(30):
        await device.expect(PUBACK)


async def test_a_client_is_not_cut_for_silence_while_it_is_us_who_do_not_listen(
    start: Start, dial: Dial, box: Box
) -> None:
    broker = await start(storing=1, longest_silence=0.5)
    device = await dial(broker, NAME)
    box.open.clear()
    device.send(*(publish_packet(STATE, b"x", qos=1, packet_id=number) for number in (1, 2)))
    await asyncio.sleep(1.2)  # the silence itself is what is tested
    box.open.set()
    assert [await device.expect(PUBACK) for _ in range(2)] == [b"\x00\x01", b"\x00\x02"]


async def test_a_message_larger_than_256_kb_passes(device: Raw, box: Box) -> None:
    device.send(publish_packet(STATE, b"x" * 1_048_576, qos=1))
    await device.expect(PUBACK)
    assert len(box.stored[0].payload) == 1_048_576


async def test_qos_2_is_received_after_storing_and_delivered_once(device: Raw, box: Box) -> None:
    box.open.clear()
    device.send(publish_packet(STATE, b"once", qos=2, packet_id=9))
    await box.until(begun=1)
    device.send(publish_packet(STATE, b"once", qos=2, packet_id=9, dup=True))
    assert await device.silent()
    box.open.set()
    assert await device.expect(PUBREC) == b"\x00\x09"
    device.send(publish_packet(STATE, b"once", qos=2, packet_id=9, dup=True))
    assert await device.expect(PUBREC) == b"\x00\x09"
    device.send(release(9))
    assert await device.expect(PUBCOMP) == b"\x00\x09"
    assert len(box.begun) == 1
    device.send(publish_packet(STATE, b"another", qos=2, packet_id=9))
    await device.expect(PUBREC)
    assert [message.payload for message in box.stored] == [b"once", b"another"]


async def test_qos_2_is_not_delivered_again_on_the_next_connection_of_a_durable_session(
    broker: EmbeddedBroker, dial: Dial, box: Box
) -> None:
    first = await dial(broker, NAME, clean=False)
    first.send(publish_packet(STATE, b"once", qos=2, packet_id=9))
    await first.expect(PUBREC)
    await first.close()
    second = await dial(broker)
    assert await second.login(NAME, NAME, clean=False)
    second.send(publish_packet(STATE, b"once", qos=2, packet_id=9, dup=True))
    await second.expect(PUBREC)
    assert len(box.stored) == 1


async def test_qos_2_that_is_still_being_stored_when_the_client_comes_back_is_not_stored_twice(
    broker: EmbeddedBroker, dial: Dial, box: Box
) -> None:
    first = await dial(broker, NAME, clean=False)
    box.open.clear()
    first.send(publish_packet(STATE, b"once", qos=2, packet_id=9))
    await box.until(begun=1)
    await first.close()
    second = await dial(broker)
    second.send(connect_packet(NAME, NAME, clean=False), publish_packet(STATE, b"once", qos=2, packet_id=9, dup=True))
    await turns(20)
    box.open.set()
    assert await second.expect(CONNACK) == b"\x01\x00"
    await second.expect(PUBREC)
    assert len(box.begun) == 1


async def test_the_gatekeeper_hears_of_a_client_with_its_connect_its_messages_and_its_pings(
    device: Raw, keeper: Keeper
) -> None:
    assert keeper.heard == [NAME]
    device.send(publish_packet(STATE, b"{}", qos=1))
    await device.expect(PUBACK)
    assert keeper.heard == [NAME] * 2
    await device.silent()
    assert keeper.heard == [NAME] * 3


async def test_a_duplicate_release_is_completed_too(device: Raw) -> None:
    device.send(release(77))
    assert await device.expect(PUBCOMP) == struct.pack("!H", 77)
