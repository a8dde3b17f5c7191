"""The ten defects that amqtt 0.12.1 has as it comes, each tried on the live broker."""

import asyncio
import gc
import itertools
import struct
import time

import pytest

from adapters.amqtt import EmbeddedBroker
from core.mqtt import Access
from tests.adapters.amqtt.conftest import Dial, Start
from tests.adapters.amqtt.doubles import (
    CONNACK,
    DEVICE,
    OTHER,
    PUBACK,
    UNSUBACK,
    Keeper,
    Raw,
    connect_packet,
    packet,
    publish_packet,
    text,
)

STATE = f"iot/device/{DEVICE}/state"


async def test_defect_1_a_new_client_gets_no_retained_messages_of_others_subscriptions(
    broker: EmbeddedBroker, watcher: Raw, dial: Dial
) -> None:
    await watcher.subscribe(("secrets/#", 1))
    await broker.publish("secrets/one", b"x", retain=True)
    await watcher.message()
    newcomer = await dial(broker, f"device_{OTHER}")
    assert await newcomer.silent()


async def test_defect_1_retained_messages_are_checked_as_reads(
    broker: EmbeddedBroker, dial: Dial, keeper: Keeper
) -> None:
    keeper.allow("half", "a/+", Access.SUBSCRIBE)
    keeper.allow("half", "a/open", Access.READ)
    await broker.publish("a/open", b"1", retain=True)
    await broker.publish("a/shut", b"2", retain=True)
    half = await dial(broker, "half")
    assert await half.subscribe(("a/+", 0)) == [0]
    assert await half.message() == ("a/open", b"1", 0, True)
    assert await half.silent()


@pytest.mark.parametrize("clean", [True, False])
async def test_defect_2_a_wrong_password_does_not_touch_the_session_of_that_client_id(
    broker: EmbeddedBroker, dial: Dial, keeper: Keeper, *, clean: bool
) -> None:
    keeper.allow("ann", "a/#")
    victim = await dial(broker, "ann", clean=False)
    await victim.subscribe(("a/#", 1))
    thief = await dial(broker)
    thief.send(connect_packet("ann", "ann", "wrong", clean=clean))
    assert (await thief.expect(CONNACK))[1] == 4
    await thief.closed()
    await broker.publish("a/b", b"still here")
    assert (await victim.message())[1] == b"still here"


async def test_defect_3_failed_logins_leave_nothing_behind(broker: EmbeddedBroker, dial: Dial) -> None:
    for number in range(50):
        raw = await dial(broker)
        raw.send(connect_packet(f"client-{number}", "ann", "wrong", clean=False))
        await raw.closed()
    gc.collect()
    assert broker.statistics().sessions == 0
    assert not broker._interior.logging_in
    assert not broker._interior.door._pending


async def test_defect_4_a_will_may_only_go_where_its_client_may_publish(
    broker: EmbeddedBroker, watcher: Raw, dial: Dial
) -> None:
    await watcher.subscribe(("#", 1))
    command = f"iot/device/{DEVICE}/agent/update"
    forger = await dial(broker, f"device_{DEVICE}", will=(command, b"update!", 1, True))
    await forger.close()
    honest = await dial(broker, f"device_{OTHER}", will=(f"iot/device/{OTHER}/agent/status", b"gone", 1, False))
    await honest.close()
    assert (await watcher.message())[1] == b"gone"
    assert await watcher.silent()
    assert broker.statistics().retained == 0


async def test_defect_5_a_silent_client_is_cut_after_one_and_a_half_keep_alives_and_its_will_published(
    broker: EmbeddedBroker, watcher: Raw, dial: Dial
) -> None:
    await watcher.subscribe(("#", 1))
    begun = time.monotonic()
    will = (f"iot/device/{DEVICE}/agent/status", b"silent", 1, False)
    silent = await dial(broker, f"device_{DEVICE}", keep_alive=1, will=will)
    await silent.closed()
    assert 1.4 < time.monotonic() - begun < 3
    assert (await watcher.message())[1] == b"silent"


async def test_defect_5_pings_keep_a_connection_alive(broker: EmbeddedBroker, dial: Dial) -> None:
    raw = await dial(broker, f"device_{DEVICE}", keep_alive=1)
    for _ in range(3):
        await asyncio.sleep(0.6)  # the keep-alive itself is what is tested
        assert await raw.silent()


async def test_defect_6_no_acknowledged_message_is_lost_while_subscriptions_change(
    broker: EmbeddedBroker, device: Raw, watcher: Raw, dial: Dial, keeper: Keeper
) -> None:
    keeper.allow("restless", "#")
    restless = await dial(broker, "restless")
    await watcher.subscribe(("iot/#", 1))
    count = 500

    async def change() -> None:
        for identifier in itertools.count(1):
            await restless.subscribe(("iot/#", 0))
            restless.send(packet(0xA2, struct.pack("!H", identifier % 65_535 + 1) + text("iot/#")))
            while (await restless.next())[0] != UNSUBACK:
                pass

    changing = asyncio.create_task(change())
    for number in range(1, count + 1):
        device.send(publish_packet(STATE, b"%d" % number, qos=1, packet_id=number))
        if number % 50 == 0:
            await acknowledged(device, 50)
    received = [(await watcher.message())[1] for _ in range(count)]
    changing.cancel()
    await asyncio.wait([changing])
    assert received == [b"%d" % number for number in range(1, count + 1)]


async def test_defect_7_a_connection_without_connect_is_cut(start: Start, dial: Dial) -> None:
    broker = await start(connect_seconds=0.2)
    quiet, slow = await dial(broker), await dial(broker)
    for byte in connect_packet("slow", "ann")[:6]:
        slow.send(bytes([byte]))
        await asyncio.sleep(0.05)
    await asyncio.gather(quiet.closed(), slow.closed())
    assert broker.statistics().clients_connected == 0


@pytest.mark.parametrize(("published", "wanted", "delivered"), [(0, 2, 0), (1, 0, 0), (1, 2, 1), (2, 1, 1), (2, 2, 2)])
async def test_defect_8_the_qos_of_a_delivery_is_the_lower_of_both(
    broker: EmbeddedBroker, watcher: Raw, published: int, wanted: int, delivered: int
) -> None:
    await watcher.subscribe(("a", wanted))
    await broker.publish("a", b"x", qos=published)
    assert await watcher.message() == ("a", b"x", delivered, False)


async def test_defect_8_queued_messages_are_not_marked_as_retained(
    broker: EmbeddedBroker, dial: Dial, keeper: Keeper
) -> None:
    keeper.allow("ann", "a/#")
    first = await dial(broker, "ann", clean=False)
    await first.subscribe(("a/#", 1))
    await leave(first)
    await broker.publish("a/b", b"queued", retain=True)
    again = await dial(broker)
    assert await again.login("ann", "ann", clean=False)
    assert await again.message() == ("a/b", b"queued", 1, False)


async def test_defect_9_binary_messages_survive_the_offline_queue_and_come_once(
    broker: EmbeddedBroker, dial: Dial, keeper: Keeper
) -> None:
    keeper.allow("ann", "a/#")
    binary = bytes(range(256)) * 4
    first = await dial(broker, "ann", clean=False)
    await first.subscribe(("a/#", 1))
    await leave(first)
    await broker.publish("a/b", binary)
    for expected in (binary, None):
        again = await dial(broker)
        assert await again.login("ann", "ann", clean=False)
        if expected is not None:
            assert (await again.message())[1] == expected
        assert await again.silent()
        await leave(again)


@pytest.mark.parametrize("bound", [{"queued": 10}, {"queued_bytes": 10 * 400}, {"queued_bytes_total": 10 * 400}])
async def test_defect_9_the_offline_queue_is_bounded_and_drops_the_oldest(
    start: Start, dial: Dial, keeper: Keeper, bound: dict[str, int]
) -> None:
    broker = await start(**bound)
    keeper.allow("ann", "a/#")
    first = await dial(broker, "ann", clean=False)
    await first.subscribe(("a/#", 1))
    await leave(first)
    for number in range(100):
        await broker.publish("a/b", b"%3d" % number + b"." * 194)
    again = await dial(broker)
    await again.login("ann", "ann", clean=False)
    received = []
    while (last := (await again.message())[1][:3]) != b" 99":
        received.append(int(last))
    assert received == list(range(99 - len(received), 99))
    assert 8 <= len(received) <= 9
    assert broker.statistics().messages_dropped == 99 - len(received)


async def test_defect_10_the_cost_of_a_message_does_not_grow_with_the_subscriptions(broker: EmbeddedBroker) -> None:
    async def cost() -> float:
        begun = time.process_time()
        for _ in range(1_000):
            await broker.publish("iot/device/nobody/jobs/notify-next", b"x")
        return time.process_time() - begun

    with_none = await cost()
    subscriptions = broker._interior.sessions.subscriptions
    session = object()
    for number in range(30_000):
        subscriptions.put(f"iot/device/{number}/jobs/notify-next", session, 1)  # type: ignore[arg-type]
    # A scan of 30,000 filters would cost a thousand times as much.
    assert await cost() < 20 * with_none


async def acknowledged(raw: Raw, count: int) -> None:
    for _ in range(count):
        await raw.expect(PUBACK)


async def leave(raw: Raw) -> None:
    raw.send(b"\xe0\x00")
    await raw.closed()
