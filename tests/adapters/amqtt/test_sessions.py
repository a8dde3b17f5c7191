"""Sessions: what is kept, for whom, and for how long."""

import asyncio

import pytest

from adapters.amqtt import EmbeddedBroker
from core.errors import Invalid, Unavailable
from tests.adapters.amqtt.conftest import Dial, Start
from tests.adapters.amqtt.doubles import (
    CONNACK,
    DEVICE,
    PUBLISH,
    PUBREL,
    UNSUBACK,
    Keeper,
    Raw,
    connect_packet,
    packet,
    publish_packet,
    text,
    turns,
)

NAME = f"device_{DEVICE}"
UPDATE = f"iot/device/{DEVICE}/agent/update"


async def leave(raw: Raw) -> None:
    raw.send(b"\xe0\x00")
    await raw.closed()


async def durable(broker: EmbeddedBroker, dial: Dial, name: str = "ann") -> Raw:
    raw = await dial(broker, name, clean=False)
    await raw.subscribe(("a/#", 2))
    return raw


@pytest.fixture(autouse=True)
def ann(keeper: Keeper) -> None:
    keeper.allow("ann", "#")


async def test_a_device_hears_its_commands_and_nothing_else(broker: EmbeddedBroker, device: Raw) -> None:
    assert await device.subscribe((UPDATE, 1), (f"iot/device/{DEVICE}/#", 1)) == [1, 0x80]
    await broker.publish(UPDATE, b"go")
    assert await device.message() == (UPDATE, b"go", 1, False)


async def test_a_session_is_present_only_where_it_was_kept(broker: EmbeddedBroker, dial: Dial) -> None:
    await leave(await durable(broker, dial))
    again = await dial(broker)
    assert await again.login("ann", "ann", clean=False)
    await leave(again)
    clean = await dial(broker)
    assert not await clean.login("ann", "ann", clean=True)
    await leave(clean)
    assert broker.statistics().sessions == 0


async def test_what_was_not_acknowledged_is_sent_again_first_and_marked(broker: EmbeddedBroker, dial: Dial) -> None:
    first = await durable(broker, dial)
    await broker.publish("a/1", b"one")
    await first.expect(PUBLISH)
    await first.close()
    await broker.publish("a/2", b"two")
    again = await dial(broker)
    await again.login("ann", "ann", clean=False)
    kind, flags, body = await again.next()
    assert (kind, flags & 8) == (PUBLISH, 8)
    assert body.endswith(b"one")
    assert (await again.next())[2].endswith(b"two")


async def test_a_received_qos_2_message_is_released_on_the_next_connection(broker: EmbeddedBroker, dial: Dial) -> None:
    first = await durable(broker, dial)
    await broker.publish("a/1", b"one", qos=2)
    identifier = (await first.expect(PUBLISH))[5:7]
    first.send(packet(0x50, identifier))
    assert await first.expect(PUBREL) == identifier
    await first.close()
    again = await dial(broker)
    await again.login("ann", "ann", clean=False)
    assert await again.expect(PUBREL) == identifier
    again.send(packet(0x70, identifier))
    assert await again.silent()


async def test_messages_without_qos_are_not_kept(broker: EmbeddedBroker, dial: Dial) -> None:
    await leave(await durable(broker, dial))
    await broker.publish("a/1", b"lost", qos=0)
    again = await dial(broker)
    await again.login("ann", "ann", clean=False)
    assert await again.silent()


async def test_unacknowledged_messages_are_bounded_and_the_others_follow(start: Start, dial: Dial) -> None:
    broker = await start(unacknowledged=2)
    raw = await durable(broker, dial)
    for number in range(5):
        await broker.publish("a/1", b"%d" % number)
    held = [await raw.next(), await raw.next()]
    assert await raw.silent()
    for _, _, body in held:
        raw.send(packet(0x40, body[5:7]))
    assert [(await raw.message())[1] for _ in range(3)] == [b"2", b"3", b"4"]


async def test_unsubscribing_ends_the_delivery(broker: EmbeddedBroker, dial: Dial) -> None:
    raw = await durable(broker, dial)
    raw.send(packet(0xA2, b"\x00\x07" + text("a/#") + text("never/had")))
    assert await raw.expect(UNSUBACK) == b"\x00\x07"
    await broker.publish("a/1", b"x")
    assert await raw.silent()
    assert broker.statistics().subscriptions == 0


async def test_overlapping_filters_deliver_once_at_the_highest_qos(broker: EmbeddedBroker, dial: Dial) -> None:
    raw = await dial(broker, "ann")
    await raw.subscribe(("a/#", 0), ("a/+", 1), ("#", 0))
    await broker.publish("a/1", b"x", qos=2)
    assert await raw.message() == ("a/1", b"x", 1, False)
    assert await raw.silent()


async def test_a_new_subscription_gets_what_is_retained_until_it_is_cleared(broker: EmbeddedBroker, dial: Dial) -> None:
    await broker.publish("a/1", b"old", retain=True)
    await broker.publish("a/1", b"new", retain=True)
    raw = await dial(broker, "ann")
    await raw.subscribe(("a/+", 1))
    assert await raw.message() == ("a/1", b"new", 1, True)
    await broker.publish("a/1", b"", retain=True)
    assert (await raw.message())[1] == b""
    await raw.subscribe(("a/+", 1))
    assert await raw.silent()


async def test_retained_messages_reach_a_slow_client_completely(start: Start, dial: Dial) -> None:
    broker = await start(queued=20, unacknowledged=5)
    for number in range(200):
        await broker.publish(f"a/{number}", b"x" * 1_000, retain=True)
    raw = await dial(broker, "ann")
    await raw.subscribe(("a/+", 1))
    await turns(2_000)
    assert len({(await raw.message())[0] for _ in range(200)}) == 200


async def test_forget_retained_forgets_what_the_filter_matches(broker: EmbeddedBroker) -> None:
    for topic in ("a/1", "a/2/3", "b"):
        await broker.publish(topic, b"x", retain=True)
    await broker.forget_retained("a/#")
    assert broker.statistics().retained == 1
    with pytest.raises(Invalid):
        await broker.forget_retained("a/#/b")


async def test_sessions_that_are_away_too_long_or_too_many_are_forgotten(start: Start, dial: Dial) -> None:
    broker = await start(sessions_per_user=2, session_seconds=0.2)
    for number in range(4):
        raw = await dial(broker)
        await raw.login(f"client-{number}", "ann", clean=False)
        await leave(raw)
    assert broker.statistics().sessions == 2
    await asyncio.sleep(0.25)  # the age itself is what is tested
    raw = await dial(broker)
    await raw.login("client-9", "ann", clean=False)
    await leave(raw)
    assert broker.statistics().sessions == 1


async def test_a_client_without_an_identifier_gets_one_if_its_session_is_clean(
    broker: EmbeddedBroker, dial: Dial
) -> None:
    raw = await dial(broker)
    await raw.login("", "ann")
    refused = await dial(broker)
    refused.send(connect_packet("", "ann", clean=False))
    assert await refused.expect(CONNACK) == b"\x00\x02"


async def test_the_same_client_takes_its_session_over_and_the_old_connection_is_cut(
    broker: EmbeddedBroker, dial: Dial
) -> None:
    old = await durable(broker, dial)
    new = await dial(broker)
    assert await new.login("ann", "ann", clean=False)
    await old.closed()
    await broker.publish("a/1", b"to the new one")
    assert (await new.message())[1] == b"to the new one"
    assert broker.statistics().clients_connected == 1


async def test_a_goodbye_withholds_the_will_and_a_cut_publishes_it(
    broker: EmbeddedBroker, watcher: Raw, dial: Dial
) -> None:
    await watcher.subscribe(("a/#", 1))
    await leave(await dial(broker, "ann", will=("a/will", b"goodbye", 1, False)))
    assert await watcher.silent()
    await (await dial(broker, "ann", will=("a/will", b"cut", 1, True))).close()
    assert await watcher.message() == ("a/will", b"cut", 1, False)
    assert broker.statistics().retained == 1


async def test_publishing_needs_a_topic_and_a_broker(broker: EmbeddedBroker) -> None:
    with pytest.raises(Invalid):
        await broker.publish("a/#", b"x")
    await broker.ping()
    await broker.stop()
    for attempt in (broker.publish("a", b"x"), broker.ping()):
        with pytest.raises(Unavailable):
            await attempt


async def test_a_message_that_waits_for_the_gatekeeper_is_not_overtaken(broker: EmbeddedBroker, dial: Dial) -> None:
    raw = await durable(broker, dial)
    await broker.publish("a/known", b"0")
    await raw.message()
    await broker.publish("a/new", b"1")
    await broker.publish("a/known", b"2")
    assert [(await raw.message())[1] for _ in range(2)] == [b"1", b"2"]


async def test_statistics_count_what_passes(broker: EmbeddedBroker, dial: Dial) -> None:
    raw = await durable(broker, dial)
    raw.send(publish_packet("a/1", b"x" * 100))
    await raw.message()
    now = broker.statistics()
    assert (now.clients_connected, now.sessions, now.subscriptions) == (1, 1, 1)
    assert (now.messages_in, now.messages_out, now.messages_dropped) == (1, 1, 0)
    assert now.bytes_in > 100
    assert now.bytes_out > 100
