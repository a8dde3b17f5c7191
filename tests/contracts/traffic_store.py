"""What a store of traffic promises. Subclasses give `store`."""

from datetime import timedelta
from typing import Any

from core.ids import DeviceUuid
from core.traffic import RequestCount, RequestKey, TopicCount, TopicOrder, TopicTotals, TrafficStore
from core.transactions import Transactions
from tests.contracts.telemetry_parts import NOW, new_uuid

DAY = NOW - timedelta(hours=24)
POLL = "/api/v1/device/{uuid}/state"


def requests(uuid: DeviceUuid, count: int = 1, *, hours: int = 0, status: int = 200, **key: Any) -> RequestCount:
    """So many requests, each with 10 bytes in, 100 bytes out, and half a second."""
    known = {"endpoint": POLL, "method": "GET"} | key
    hour = NOW - timedelta(hours=hours)
    return RequestCount(
        key=RequestKey(hour=hour, device_uuid=uuid, status=status, **known),
        count=count,
        bytes_in=10 * count,
        bytes_out=100 * count,
        seconds=0.5 * count,
    )


def messages(topic: str, count: int, size: int, *, hours: int = 0, uuid: DeviceUuid | None = None) -> TopicCount:
    """So many messages, of so many bytes together."""
    at = NOW - timedelta(hours=hours)
    return TopicCount(hour=at, topic=topic, device_uuid=uuid, messages=count, size=size, last_at=at)


class TrafficStoreContract:
    """The tests."""

    async def test_requests_add_up_by_endpoint_the_busiest_first(
        self, store: TrafficStore, transactions: Transactions
    ) -> None:
        one, other = new_uuid(), new_uuid()
        async with transactions.begin() as tx:
            await store.add_requests(tx, [])
            await store.add_requests(tx, [requests(one, 2), requests(one, 3, status=304), requests(other, 4)])
            await store.add_requests(tx, [requests(one, 1), requests(one, 1, hours=1), requests(one, 9, hours=25)])
            await store.add_requests(tx, [requests(other, 1, status=500, method="PATCH")])
            found = await store.endpoints(tx, DAY, 10)
            assert [(each.device_uuid, each.method, each.count, each.failed) for each in found] == [
                (one, "GET", 7, 0),
                (other, "GET", 4, 0),
                (other, "PATCH", 1, 1),
            ]
            assert (found[0].statuses, found[0].bytes_in, found[0].bytes_out) == ({200: 4, 304: 3}, 70, 700)
            assert found[0].seconds == 3.5
            assert await store.endpoints(tx, DAY, 1) == found[:1]
            assert await store.endpoints(tx, DAY, 10, other) == found[1:]

    async def test_requests_add_up_by_device(self, store: TrafficStore, transactions: Transactions) -> None:
        one, other = new_uuid(), new_uuid()
        async with transactions.begin() as tx:
            await store.add_requests(tx, [requests(one, 2), requests(one, 3, status=404, method="PATCH")])
            await store.add_requests(tx, [requests(other, 9), requests(one, 50, hours=25)])
            busiest, second = await store.devices(tx, DAY, 10)
            assert (busiest.device_uuid, busiest.count, busiest.endpoints) == (other, 9, 1)
            assert (second.device_uuid, second.count, second.failed) == (one, 5, 3)
            assert (second.size, second.seconds, second.endpoints) == (550, 2.5, 2)
            assert await store.devices(tx, DAY, 1) == [busiest]

    async def test_messages_add_up_by_topic(self, store: TrafficStore, transactions: Transactions) -> None:
        uuid = new_uuid()
        async with transactions.begin() as tx:
            await store.add_topics(tx, [])
            await store.add_topics(tx, [messages("b", 5, 50, hours=2), messages("a", 1, 900, hours=1, uuid=uuid)])
            await store.add_topics(tx, [messages("b", 1, 10), messages("b", 2, 5), messages("old", 99, 1, hours=25)])
            assert await store.topic_totals(tx, DAY) == TopicTotals(topics=2, messages=9, size=965)
            found = {order: await store.topics(tx, DAY, order, 10) for order in TopicOrder}
            assert {order: "".join(topic.topic for topic in topics) for order, topics in found.items()} == {
                TopicOrder.MESSAGES: "ba",
                TopicOrder.SIZE: "ab",
                TopicOrder.LATEST: "ba",
                TopicOrder.NAME: "ab",
            }
            b, a = found[TopicOrder.MESSAGES]
            assert (b.messages, b.size, b.last_at, b.device_uuid, a.device_uuid) == (8, 65, NOW, None, uuid)
            assert await store.topics(tx, DAY, TopicOrder.MESSAGES, 1) == [b]

    async def test_of_nothing_the_totals_are_zero(self, store: TrafficStore, transactions: Transactions) -> None:
        async with transactions.read() as tx:
            assert await store.topic_totals(tx, DAY) == TopicTotals(topics=0, messages=0, size=0)

    async def test_old_hours_are_forgotten_a_batch_at_a_time(
        self, store: TrafficStore, transactions: Transactions
    ) -> None:
        async with transactions.begin() as tx:
            await store.add_requests(tx, [requests(new_uuid(), hours=hours) for hours in range(6)])
            await store.add_topics(tx, [messages(str(hours), 1, 1, hours=hours) for hours in range(4)])
            before = NOW - timedelta(hours=2)
            assert [await store.drop_before(tx, before, 2) for _ in range(3)] == [2, 1, 0]
            assert (len(await store.endpoints(tx, DAY, 10)), (await store.topic_totals(tx, DAY)).topics) == (3, 3)

    async def test_what_a_device_sent_until_a_moment_is_forgotten(
        self, store: TrafficStore, transactions: Transactions
    ) -> None:
        uuid, until = new_uuid(), NOW - timedelta(hours=1)
        async with transactions.begin() as tx:
            await store.add_requests(tx, [requests(uuid), requests(uuid, hours=1), requests(new_uuid(), hours=1)])
            await store.add_topics(tx, [messages("theirs", 1, 1, hours=2, uuid=uuid), messages("b", 1, 1, hours=2)])
            assert [await store.drop_device(tx, uuid, until, 10) for _ in range(2)] == [1, 0]
            assert (len(await store.endpoints(tx, DAY, 10)), (await store.topic_totals(tx, DAY)).topics) == (2, 1)
