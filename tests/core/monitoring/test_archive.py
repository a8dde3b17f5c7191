"""Topics that outlive the process."""

from datetime import timedelta

import pytest

from adapters.sql.monitoring import SqlTopicStore
from adapters.sql.sqlite import SqliteTransactions
from core.devices import DeviceRemoved
from core.errors import Forbidden, NotFound, Unavailable
from core.events import Announced
from core.monitoring import MqttMonitor, TopicArchive, TopicBook
from core.transactions import Transactions
from tests.contracts.telemetry_parts import new_uuid
from tests.core.monitoring.parts import ADMIN, NOBODY, READER, Interrupted, message
from tests.support.clock import TestClock

KEPT = timedelta(days=90)


class Process:
    """Monitor and archive, as they live together in one process."""

    def __init__(self, transactions: Transactions, clock: TestClock) -> None:
        book = TopicBook()
        self.monitor = MqttMonitor(transactions=transactions, book=book, clock=clock, enabled=True)
        self.archive = TopicArchive(transactions=transactions, store=SqlTopicStore(), book=book, clock=clock, kept=KEPT)


@pytest.fixture
def process(transactions: SqliteTransactions, clock: TestClock) -> Process:
    """The process."""
    return Process(transactions, clock)


async def test_what_was_seen_is_saved_once(process: Process) -> None:
    process.monitor.saw(message("a", b"12345"))
    process.monitor.saw(message("a", b"12345"))
    assert [await process.archive.sync(ADMIN), await process.archive.save()] == [1, 0]
    process.monitor.saw(message("a", b"1"))
    await process.archive.save()
    (topic,) = await process.archive.topics(READER)
    assert (topic.name, topic.messages, topic.size) == ("a", 3, 11)


async def test_after_a_restart_a_schema_is_not_forgotten_but_grows(
    process: Process, transactions: SqliteTransactions, clock: TestClock
) -> None:
    process.monitor.saw(message("a", b'{"x": 1}'))
    await process.archive.save()
    clock.advance(hours=1)
    anew = Process(transactions, clock)
    anew.monitor.saw(message("a", b'{"y": 2}'))
    await anew.archive.save()
    anew.monitor.saw(message("a", b'{"x": 3}'))
    await anew.archive.save()
    changes = await anew.archive.history(READER, "a")
    assert [sorted(change.schema["properties"]) for change in changes] == [["x", "y"], ["x"]]
    assert (await anew.archive.summary(READER)).messages == 3


async def test_what_could_not_be_saved_is_saved_later(transactions: SqliteTransactions, clock: TestClock) -> None:
    interrupted = Interrupted(transactions, down=True)
    process = Process(interrupted, clock)
    process.monitor.saw(message("a"))
    with pytest.raises(Unavailable):
        await process.archive.save()
    interrupted.down = False
    assert [await process.archive.save(), await process.archive.save()] == [1, 0]


async def test_silent_topics_are_forgotten_after_their_time(process: Process, clock: TestClock) -> None:
    process.monitor.saw(message("old"))
    await process.archive.save()
    clock.advance(days=91)
    process.monitor.saw(message("new"))
    await process.archive.save()
    assert await process.archive.forget_old() == 1
    assert [topic.name for topic in await process.archive.topics(READER)] == ["new"]


async def test_topics_go_with_their_device(process: Process, clock: TestClock) -> None:
    uuid = new_uuid()
    process.monitor.saw(message(f"iot/device/{uuid}/state"))
    await process.archive.save()
    event = DeviceRemoved(at=clock.now(), by="user:1:eva", uuid=uuid, name="gateway")
    await process.archive.forget(Announced(id=1, event=event))
    assert (await process.archive.topics(READER), process.monitor.topics(READER)) == ([], [])


async def test_who_asks_must_be_allowed_to(process: Process) -> None:
    with pytest.raises(Forbidden):
        await process.archive.sync(READER)
    with pytest.raises(Forbidden):
        await process.archive.topics(NOBODY)
    with pytest.raises(NotFound):
        await process.archive.history(READER, "unknown")
