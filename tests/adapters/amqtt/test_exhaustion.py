"""Abuse case 21: what clients may make us hold is bounded."""

import asyncio

import pytest

from adapters.amqtt import EmbeddedBroker
from tests.adapters.amqtt.conftest import Dial, Start
from tests.adapters.amqtt.doubles import (
    DEVICE,
    PUBACK,
    PUBREC,
    Keeper,
    Raw,
    connect_packet,
    packet,
    publish_packet,
    turns,
)

NAME = f"device_{DEVICE}"
STATE = f"iot/device/{DEVICE}/state"


@pytest.fixture(autouse=True)
def ann(keeper: Keeper) -> None:
    keeper.allow("ann", "a/#")


async def is_refused(raw: Raw) -> bool:
    try:
        await raw.next()
    except EOFError:
        return True
    return False


async def test_abuse_21_a_connect_that_announces_a_lot_is_cut_by_its_header(broker: EmbeddedBroker, dial: Dial) -> None:
    raw = await dial(broker)
    raw.send(b"\x10\xff\xff\xff\x7f")
    assert await is_refused(raw)


async def test_abuse_21_a_packet_that_announces_too_much_is_cut_by_its_header(
    broker: EmbeddedBroker, device: Raw
) -> None:
    device.send(b"\x30\xff\xff\x7f")
    assert await is_refused(device)
    assert broker.statistics().messages_in == 0


async def test_abuse_21_strangers_from_one_address_are_bounded_and_known_clients_do_not_count(
    start: Start, dial: Dial
) -> None:
    broker = await start(pending_per_address=2)
    known = await dial(broker, NAME)
    strangers = [await dial(broker) for _ in range(2)]
    await known.silent()
    assert broker._interior.door.inside == 3
    assert await is_refused(await dial(broker))
    leaving = [asyncio.create_task(one.left.wait()) for one in broker._connections if one.login is None]
    await strangers[0].close()
    await asyncio.wait(leaving, return_when=asyncio.FIRST_COMPLETED)
    await (await dial(broker)).login("ann", "ann")
    assert await known.silent()


@pytest.mark.parametrize("bound", [{"connections": 2}, {"pending": 2}])
async def test_abuse_21_connections_are_bounded_in_all(start: Start, dial: Dial, bound: dict[str, int]) -> None:
    broker = await start(**bound)
    for _ in range(2):
        await dial(broker)
    assert await is_refused(await dial(broker))


async def test_abuse_21_subscriptions_of_a_session_are_bounded(start: Start, dial: Dial) -> None:
    broker = await start(subscriptions=3)
    raw = await dial(broker, "ann")
    assert await raw.subscribe(*((f"a/{number}", 0) for number in range(5))) == [0, 0, 0, 0x80, 0x80]
    assert await raw.subscribe(("a/9", 0)) == [0x80]
    assert await raw.subscribe(("a/0", 1)) == [1]


async def test_abuse_21_one_packet_cannot_ask_the_gatekeeper_without_end(
    start: Start, dial: Dial, keeper: Keeper
) -> None:
    broker = await start(subscriptions=3)
    raw = await dial(broker, "ann")
    codes = await raw.subscribe(*((f"z/{number}", 0) for number in range(5_000)))
    assert codes == [0x80] * 5_000
    assert len(keeper.asked) == 3


async def test_abuse_21_qos_2_messages_that_are_never_released_are_bounded(start: Start, dial: Dial) -> None:
    broker = await start(unreleased=5)
    raw = await dial(broker, NAME)
    for number in range(1, 6):
        raw.send(publish_packet(STATE, b"x", qos=2, packet_id=number))
        await raw.expect(PUBREC)
    raw.send(publish_packet(STATE, b"x", qos=2, packet_id=6))
    assert await is_refused(raw)


@pytest.mark.parametrize("topic", ["a/" * 999 + "a", "/" * 65_000])
async def test_abuse_21_a_topic_with_a_thousand_levels_is_refused(
    broker: EmbeddedBroker, dial: Dial, topic: str
) -> None:
    raw = await dial(broker, "ann")
    assert await raw.subscribe((topic, 0)) == [0x80]
    raw.send(publish_packet(topic, b"x", qos=1))
    assert await is_refused(raw)


async def test_abuse_21_a_topic_of_64_kb_is_a_topic_but_is_not_remembered(
    broker: EmbeddedBroker, dial: Dial, keeper: Keeper
) -> None:
    raw = await dial(broker, "ann")
    for number in range(3):
        raw.send(publish_packet(f"b/{number}" + "x" * 65_000, b"x", qos=1))
        await raw.expect(PUBACK)
    session = broker._interior.sessions.of_user("ann")[0]
    assert not session.gate.questions._kept
    assert len(keeper.asked) == 3


@pytest.mark.parametrize("bound", [{"retained": 3}, {"retained_bytes": 3 * 13}, {"retained_per_user": 3}])
async def test_abuse_21_retained_messages_are_bounded(start: Start, dial: Dial, bound: dict[str, int]) -> None:
    broker = await start(**bound)
    raw = await dial(broker, "ann")
    for number in range(6):
        raw.send(publish_packet(f"a/{number}", b"x" * 10, qos=1, retain=True))
        await raw.expect(PUBACK)
    assert broker.statistics().retained == 3
    raw.send(publish_packet("a/0", b"", qos=1, retain=True))
    await raw.expect(PUBACK)
    raw.send(publish_packet("a/9", b"x" * 10, qos=1, retain=True))
    await raw.expect(PUBACK)
    assert broker.statistics().retained == 3


async def test_abuse_21_a_client_that_asks_for_no_keep_alive_is_cut_after_the_longest_silence(
    start: Start, dial: Dial
) -> None:
    broker = await start(longest_silence=0.2)
    for keep_alive in (0, 65_535):
        await (await dial(broker, NAME, keep_alive=keep_alive)).closed()


async def test_abuse_21_a_client_that_does_not_read_makes_us_hold_a_bounded_queue(start: Start, dial: Dial) -> None:
    broker = await start(queued=50)
    raw = await dial(broker, "ann")
    await raw.subscribe(("a/#", 0))
    await broker.publish("a/1", b"first", qos=0)
    await raw.message()
    for number in range(3_000):
        await broker.publish("a/1", b"%4d" % number + b"x" * 10_000, qos=0)
        await asyncio.sleep(0)
    session = broker._interior.sessions.of_user("ann")[0]
    assert len(session.outbox.queue) == 50
    assert broker.statistics().messages_dropped > 500
    while not (await raw.message())[1].startswith(b"2999"):
        pass


class DeafSocket:
    """A WebSocket whose client sends pings without end and reads nothing."""

    address = "192.0.2.1"

    def __init__(self) -> None:
        self.received = 0
        self.gone = asyncio.Event()

    async def receive(self) -> bytes | None:
        await asyncio.sleep(0)
        self.received += 1
        return connect_packet(NAME, NAME) if self.received == 1 else b"\xc0\x00" * 8_192

    async def send(self, message: bytes) -> None:
        await self.gone.wait()
        raise ConnectionResetError

    def abort(self) -> None:
        self.gone.set()

    async def close(self) -> None:
        self.gone.set()


async def test_abuse_21_a_client_that_does_not_read_its_answers_is_not_read_either(broker: EmbeddedBroker) -> None:
    socket = DeafSocket()
    serving = asyncio.create_task(broker.serve_websocket(socket))
    await turns(200)
    assert 2 < socket.received < 10
    await broker.disconnect(NAME)
    await serving


async def test_abuse_21_queues_of_all_clients_together_are_bounded(start: Start, dial: Dial) -> None:
    broker = await start(queued_bytes_total=50_000)
    for number in range(5):
        raw = await dial(broker)
        await raw.login(f"client-{number}", "ann", clean=False)
        await raw.subscribe(("a/#", 1))
        raw.send(b"\xe0\x00")
        await raw.closed()
    for _ in range(100):
        await broker.publish("a/1", b"x" * 1_000)
        await asyncio.sleep(0)
    gauge = broker._interior.sessions._queued
    assert 40_000 < gauge.used <= 50_000
    sizes = [len(session.outbox.queue) for session in broker._interior.sessions.of_user("ann")]
    assert min(sizes) > 0
    await broker.disconnect("ann")
    assert gauge.used == 0


async def test_abuse_21_a_connection_before_authentication_gets_nothing_but_a_refusal(
    broker: EmbeddedBroker, dial: Dial, keeper: Keeper
) -> None:
    for first in (
        packet(0x82, b"\x00\x01\x00\x01#\x00"),
        publish_packet("a/1", b"x"),
        b"\xc0\x00",
        b"GET / HTTP/1.1\r\n",
    ):
        raw = await dial(broker)
        raw.send(first, connect_packet("ann", "ann"))
        assert await is_refused(raw)
    assert keeper.logins == 0
