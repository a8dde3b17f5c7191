"""What a store of topics promises. Subclasses give `store`."""

from datetime import timedelta
from typing import Any

import pytest
from attrs import evolve

from core.errors import NotFound
from core.monitoring import MessageType, SchemaChange, TopicRecord, TopicStore
from core.transactions import Transactions
from tests.contracts.telemetry_parts import NOW, new_uuid

NUMBER = {"type": "integer"}
TEXT = {"type": "string"}


def a_record(name: str = "a/b", hours: int = 0, **more: Any) -> TopicRecord:
    """A topic on which something came so many hours before noon, first and last."""
    at = NOW - timedelta(hours=hours)
    record: dict[str, Any] = {
        "name": name,
        "device_uuid": None,
        "messages": 2,
        "size": 10,
        "type": MessageType.JSON,
        "schema": NUMBER,
        "first_at": at,
        "last_at": at,
    }
    return TopicRecord(**record | more)


class TopicStoreContract:
    """The tests."""

    async def test_what_comes_is_counted_on_top_of_what_is_known(
        self, store: TopicStore, transactions: Transactions
    ) -> None:
        first, later = a_record(hours=2), a_record(messages=3, type=MessageType.STRING, schema=None)
        async with transactions.begin() as tx:
            await store.add(tx, [])
            await store.add(tx, [first])
            await store.add(tx, [later, a_record("c", hours=1, schema=None)])
            topics = await store.topics(tx, 10)
            known = evolve(later, messages=5, size=20, schema=NUMBER, first_at=first.first_at)
            assert topics == [known, a_record("c", hours=1, schema=None)]
            assert await store.topics(tx, 1) == [known]
            assert await store.schemas(tx, ["a/b", "c", "unknown"]) == {"a/b": NUMBER}

    async def test_changes_of_a_schema_are_listed_newest_first(
        self, store: TopicStore, transactions: Transactions
    ) -> None:
        async with transactions.begin() as tx:
            await store.add(tx, [a_record(), a_record("other")])
            await store.changed(tx, {}, NOW)
            await store.changed(tx, {"a/b": NUMBER, "other": TEXT}, NOW)
            await store.changed(tx, {"a/b": TEXT}, NOW)
            assert await store.history(tx, "a/b", 10) == [
                SchemaChange(at=NOW, schema=TEXT),
                SchemaChange(at=NOW, schema=NUMBER),
            ]
            assert len(await store.history(tx, "a/b", 1)) == 1
            with pytest.raises(NotFound):
                await store.history(tx, "unknown", 10)

    async def test_the_summary_adds_up(self, store: TopicStore, transactions: Transactions) -> None:
        async with transactions.begin() as tx:
            empty = await store.summary(tx)
            assert (empty.topics, empty.messages, empty.last_at) == (0, 0, None)
            text = a_record("c", hours=3, schema=None, type=MessageType.STRING)
            await store.add(tx, [a_record(), text])
            summary = await store.summary(tx)
        assert (summary.topics, summary.messages, summary.size, summary.schemas) == (2, 4, 20, 1)
        assert summary.types == {"json": 1, "string": 1}
        assert (summary.first_at, summary.last_at) == (NOW - timedelta(hours=3), NOW)

    async def test_silent_topics_are_forgotten_with_their_histories(
        self, store: TopicStore, transactions: Transactions
    ) -> None:
        async with transactions.begin() as tx:
            await store.add(tx, [a_record(str(hours), hours=hours) for hours in range(5)])
            await store.changed(tx, {"4": NUMBER}, NOW)
            moment = NOW - timedelta(hours=2)
            assert [await store.drop_before(tx, moment, 1) for _ in range(3)] == [1, 1, 0]
            assert [await store.drop_beyond(tx, 1, 1) for _ in range(3)] == [1, 1, 0]
            assert [topic.name for topic in await store.topics(tx, 10)] == ["0"]
            with pytest.raises(NotFound):
                await store.history(tx, "4", 10)

    async def test_topics_of_a_device_are_forgotten(self, store: TopicStore, transactions: Transactions) -> None:
        uuid = new_uuid()
        async with transactions.begin() as tx:
            await store.add(tx, [a_record("a", hours=2, device_uuid=uuid), a_record("b", device_uuid=uuid)])
            await store.add(tx, [a_record("c", hours=2, device_uuid=new_uuid())])
            assert [await store.drop_device(tx, uuid, NOW - timedelta(hours=1), 10) for _ in range(2)] == [1, 0]
            assert {topic.name for topic in await store.topics(tx, 10)} == {"b", "c"}
