"""Abuse cases 13 to 23, each tried on the live broker."""

import asyncio

import pytest

from adapters.amqtt import EmbeddedBroker
from core.errors import Unavailable
from core.mqtt import Access
from tests.adapters.amqtt.conftest import Dial, Start
from tests.adapters.amqtt.doubles import (
    CONNACK,
    DEVICE,
    OTHER,
    PUBACK,
    PUBREC,
    Box,
    Keeper,
    Raw,
    connect_packet,
    publish_packet,
    subscribe_packet,
)

NAME = f"device_{DEVICE}"
STATE = f"iot/device/{DEVICE}/state"
UPDATE = f"iot/device/{DEVICE}/agent/update"


async def answer(raw: Raw, *args: str, **options: bool) -> int:
    raw.send(connect_packet(*args, **options))  # type: ignore[arg-type]
    return (await raw.expect(CONNACK))[1]


async def leave(raw: Raw) -> None:
    raw.send(b"\xe0\x00")
    await raw.closed()


@pytest.mark.parametrize("name", ["#", "+", "a/b", "$SYS", "x#", "device_#", "a" * 300])
async def test_abuse_13_names_that_would_change_a_filter_are_refused_before_they_are_looked_up(
    broker: EmbeddedBroker, dial: Dial, keeper: Keeper, name: str
) -> None:
    assert await answer(await dial(broker), "client", name) == 4
    assert await answer(await dial(broker), name, "ann") in {2, 4}
    assert keeper.logins == 0


async def test_abuse_13_nul_in_a_name_is_malformed(broker: EmbeddedBroker, dial: Dial, keeper: Keeper) -> None:
    for client_id, username in (("a\x00b", "ann"), ("a", "ann\x00")):
        raw = await dial(broker)
        raw.send(connect_packet(client_id, username))
        with pytest.raises(EOFError):
            await raw.next()
    assert keeper.logins == 0


@pytest.mark.parametrize("wanted", ["#", "+/#", "$SYS/#", "$share/g/#", "iot/device/+/state", f"iot/device/{OTHER}/#"])
async def test_abuse_14_a_device_cannot_subscribe_beyond_its_commands(
    broker: EmbeddedBroker, device: Raw, wanted: str
) -> None:
    assert await device.subscribe((wanted, 1)) == [0x80]
    await broker.publish(f"iot/device/{OTHER}/state", b"private", retain=True)
    assert await device.silent()
    assert broker.statistics().subscriptions == 0


async def test_abuse_14_nobody_publishes_under_the_servers_own_topics(
    broker: EmbeddedBroker, dial: Dial, keeper: Keeper
) -> None:
    keeper.allow("root", "$SYS/#")
    root = await dial(broker, "root", will=("$SYS/load", b"forged", 1, True))
    assert await root.subscribe(("$SYS/#", 1)) == [1]
    root.send(publish_packet("$SYS/load", b"forged", qos=1, retain=True))
    await root.expect(PUBACK)
    assert await root.silent()
    [connection] = broker._connections
    await root.close()
    await connection.left.wait()
    assert broker.statistics().retained == 0


async def test_abuse_15_write_only_does_not_read_and_read_only_does_not_write(
    broker: EmbeddedBroker, watcher: Raw, dial: Dial, keeper: Keeper
) -> None:
    keeper.allow("writer", "a", Access.WRITE)
    keeper.allow("reader", "a", Access.READ)
    keeper.allow("listener", "a", Access.SUBSCRIBE)
    writer, reader, listener = [await dial(broker, name) for name in ("writer", "reader", "listener")]
    await watcher.subscribe(("a", 1))
    assert [await raw.subscribe(("a", 1)) for raw in (writer, reader, listener)] == [[0x80], [1], [1]]
    reader.send(publish_packet("a", b"forged", qos=1))
    await reader.expect(PUBACK)
    writer.send(publish_packet("a", b"written", qos=1))
    await writer.expect(PUBACK)
    assert (await reader.message())[1] == (await watcher.message())[1] == b"written"
    assert await listener.silent()
    assert await writer.silent()


async def test_abuse_16_the_will_of_a_revoked_client_is_not_published(
    broker: EmbeddedBroker, watcher: Raw, dial: Dial, keeper: Keeper
) -> None:
    await watcher.subscribe(("#", 1))
    status = f"iot/device/{DEVICE}/agent/status"
    cut = await dial(broker, NAME, will=(status, b"cut", 1, True))
    await broker.disconnect(NAME)
    await cut.closed()
    gone = await dial(broker, NAME, will=(status, b"gone", 1, True))
    gone.send(publish_packet(status, b"permitted before", qos=1))
    await gone.expect(PUBACK)
    assert (await watcher.message())[1] == b"permitted before"
    keeper.revoked.add(NAME)
    [connection] = [one for one in broker._connections if one.login is not None and one.login.username == NAME]
    await gone.close()
    await connection.left.wait()
    assert await watcher.silent()
    assert broker.statistics().retained == 0


async def test_abuse_17_a_retained_message_does_not_outlive_its_writers_right(
    broker: EmbeddedBroker, watcher: Raw, dial: Dial, keeper: Keeper
) -> None:
    keeper.allow("writer", "a/#")
    writer = await dial(broker, "writer")
    writer.send(publish_packet("a/1", b"x", qos=1, retain=True))
    await writer.expect(PUBACK)
    await watcher.subscribe(("a/#", 1))
    assert (await watcher.message())[3]
    keeper.revoked.add("writer")
    await watcher.subscribe(("a/#", 1))
    assert await watcher.silent()


async def test_abuse_17_messages_queued_for_a_revoked_client_are_gone(broker: EmbeddedBroker, dial: Dial) -> None:
    first = await dial(broker, NAME, clean=False)
    await first.subscribe((UPDATE, 2))
    await leave(first)
    for qos in (1, 2):
        await broker.publish(UPDATE, b"secret", qos=qos)
    await broker.disconnect(NAME)
    again = await dial(broker)
    assert not await again.login(NAME, NAME, clean=False)
    assert await again.silent()


@pytest.mark.parametrize("sent", [False, True])
async def test_abuse_17_what_may_not_be_read_any_more_is_not_sent_on_the_next_connection(
    broker: EmbeddedBroker, dial: Dial, keeper: Keeper, *, sent: bool
) -> None:
    keeper.allow("ann", "a/#")
    first = await dial(broker, "ann", clean=False)
    await first.subscribe(("a/#", 2))
    # Reading was permitted, and the answer is known.
    await broker.publish("a/1", b"public", qos=0)
    await first.message()
    if not sent:
        await leave(first)
    for qos in (1, 2):
        await broker.publish("a/1", b"secret", qos=qos)
        if sent:
            await first.next()
    await first.close()
    keeper.rules["ann"] = []
    again = await dial(broker)
    assert await again.login("ann", "ann", clean=False)
    assert await again.silent()


async def test_abuse_18_a_revoked_subscription_does_not_live_on_in_a_durable_session(
    broker: EmbeddedBroker, dial: Dial, keeper: Keeper
) -> None:
    keeper.allow("ann", "a/#")
    keeper.allow("ann", "b/#")
    first = await dial(broker, "ann", clean=False)
    await first.subscribe(("a/#", 1), ("b/#", 1))
    await leave(first)
    keeper.rules["ann"] = keeper.rules["ann"][1:]
    again = await dial(broker)
    assert await again.login("ann", "ann", clean=False)
    assert broker.statistics().subscriptions == 1


async def test_abuse_19_a_user_without_rules_may_do_nothing(
    broker: EmbeddedBroker, watcher: Raw, dial: Dial, box: Box
) -> None:
    await watcher.subscribe(("#", 1))
    poor = await dial(broker, "poor")
    assert await poor.subscribe(("a", 1)) == [0x80]
    poor.send(publish_packet(STATE, b"x", qos=1, packet_id=1), publish_packet(STATE, b"x", qos=2, packet_id=2))
    assert [(await poor.next())[0] for _ in range(2)] == [PUBACK, PUBREC]
    assert await watcher.silent()
    assert not box.begun


@pytest.mark.parametrize("failure", [Unavailable("away"), RuntimeError("bug"), TimeoutError()])
async def test_abuse_20_a_failing_gatekeeper_lets_nobody_in_and_is_asked_again(
    broker: EmbeddedBroker, dial: Dial, keeper: Keeper, failure: Exception
) -> None:
    keeper.fails = failure
    assert await answer(await dial(broker), NAME, NAME) == 3
    keeper.fails = None
    assert await answer(await dial(broker), NAME, NAME) == 0


async def test_abuse_20_a_failing_gatekeeper_permits_nothing_and_nothing_of_it_is_remembered(
    broker: EmbeddedBroker, device: Raw, keeper: Keeper, box: Box
) -> None:
    keeper.fails = RuntimeError("the database is away")
    assert await device.subscribe((UPDATE, 1)) == [0x80]
    device.send(publish_packet(STATE, b"denied", qos=1))
    await device.expect(PUBACK)
    keeper.fails = None
    assert await device.subscribe((UPDATE, 1)) == [1]
    keeper.fails_at = Access.READ
    await broker.publish(UPDATE, b"denied")
    assert await device.silent()
    keeper.fails_at = None
    await broker.publish(UPDATE, b"allowed")
    assert (await device.message())[1] == b"allowed"
    device.send(publish_packet(STATE, b"allowed", qos=1))
    await device.expect(PUBACK)
    assert [message.payload for message in box.stored] == [b"allowed"]


async def test_abuse_20_a_revoked_device_is_cut_whatever_was_permitted_before(
    broker: EmbeddedBroker, device: Raw, keeper: Keeper, dial: Dial
) -> None:
    device.send(publish_packet(STATE, b"x", qos=1))
    await device.expect(PUBACK)
    keeper.revoked.add(NAME)
    await broker.disconnect(NAME)
    await device.closed()
    assert await answer(await dial(broker), NAME, NAME) == 4


async def test_abuse_20_a_login_that_was_just_found_good_does_not_slip_past_a_revocation(
    broker: EmbeddedBroker, dial: Dial, keeper: Keeper
) -> None:
    keeper.holds[NAME] = asyncio.Event()
    raw = await dial(broker)
    raw.send(connect_packet(NAME, NAME))
    await keeper.login_begun.wait()
    await broker.disconnect(NAME)
    keeper.holds[NAME].set()
    with pytest.raises(EOFError):
        await raw.next()
    assert broker.statistics().sessions == 0


async def test_abuse_22_nobody_takes_a_devices_client_id(broker: EmbeddedBroker, device: Raw, dial: Dial) -> None:
    assert await answer(await dial(broker), NAME, "ann") == 4
    assert await answer(await dial(broker), NAME, f"device_{OTHER}") == 4
    assert await answer(await dial(broker), "another", NAME) == 4
    assert await device.silent()


@pytest.mark.parametrize("present", [True, False])
async def test_abuse_22_a_session_is_not_taken_over_by_another_user(
    broker: EmbeddedBroker, dial: Dial, keeper: Keeper, *, present: bool
) -> None:
    keeper.allow("ann", "a/#")
    ann = await dial(broker, "ann", "shared-name", clean=False)
    await ann.subscribe(("a/#", 1))
    if not present:
        await leave(ann)
    assert await answer(await dial(broker), "shared-name", "bob", clean=True) == 2
    assert await answer(await dial(broker), "shared-name", "bob", clean=False) == 2
    assert broker.statistics().subscriptions == 1
    assert not present or await ann.silent()


async def test_abuse_22_two_devices_with_one_name_replace_each_other_and_one_stays(
    broker: EmbeddedBroker, dial: Dial
) -> None:
    raws = [await dial(broker) for _ in range(10)]
    for raw in raws:
        raw.send(connect_packet(NAME, NAME))
    await asyncio.gather(*(raw.closed() for raw in raws[:-1]))
    assert (await raws[-1].expect(CONNACK))[1] == 0
    assert await raws[-1].silent()
    assert broker.statistics().sessions == 1


async def test_abuse_23_a_storm_of_reconnects_is_weathered(start: Start, dial: Dial, keeper: Keeper) -> None:
    broker = await start(pending=300)
    raws = [await dial(broker) for _ in range(250)]
    for number, raw in enumerate(raws):
        keeper.allow(f"user-{number}", "a")
        raw.send(connect_packet(f"user-{number}", f"user-{number}"), subscribe_packet(("a", 1)))
    for raw in raws:
        assert (await raw.expect(CONNACK))[1] == 0
        assert (await raw.next())[2][-1] == 1
    assert broker.statistics().subscriptions == 250
