"""The monitor, as people use it."""

from datetime import timedelta

import pytest

from adapters.sql.sqlite import SqliteTransactions
from core.errors import Forbidden, NotFound
from core.monitoring import MqttMonitor, TopicBook
from tests.core.monitoring.parts import ADMIN, NOBODY, READER, message
from tests.support.clock import NOON, TestClock


def watching(transactions: SqliteTransactions, clock: TestClock, *, enabled: bool = True) -> MqttMonitor:
    """A monitor."""
    return MqttMonitor(transactions=transactions, book=TopicBook(), clock=clock, enabled=enabled)


@pytest.fixture
def monitor(transactions: SqliteTransactions, clock: TestClock) -> MqttMonitor:
    """A monitor that watches."""
    return watching(transactions, clock)


def test_topics_are_shown_latest_first_with_their_latest_message(monitor: MqttMonitor, clock: TestClock) -> None:
    for name, payload in (("a", b"1"), ("b", b"2"), ("a", b"3")):
        monitor.saw(message(name, payload))
        clock.advance(minutes=1)
    shown = monitor.topics(READER)
    assert [(topic.name, topic.messages, topic.sample.text) for topic in shown] == [("a", 2, "3"), ("b", 1, "2")]
    assert [topic.name for topic in monitor.topics(READER, within=timedelta(seconds=90))] == ["a"]
    assert [topic.name for topic in monitor.topics(READER, limit=1)] == ["a"]
    assert monitor.topic(READER, shown[1].id) == monitor.topic(READER, "b") == shown[1]
    with pytest.raises(NotFound):
        monitor.topic(READER, "c")


def test_the_tree_counts_what_lies_below_each_level(monitor: MqttMonitor) -> None:
    for name in ("plant/a/temperature", "plant/a", "plant/b", "plant/a"):
        monitor.saw(message(name))
    plant = monitor.tree(READER)["plant"]
    assert (plant["_name"], plant["_topic"], plant["_messagesCounter"], plant["_topicsCounter"]) == (
        "plant",
        "plant",
        4,
        3,
    )
    assert (plant["a"]["_messagesCounter"], plant["a"]["_message"], plant["a"]["_created"]) == (3, '{"value":1}', NOON)
    assert plant["a"]["temperature"]["_schema"] == {"type": "object", "properties": {"value": {"type": "integer"}}}
    assert "_message" not in plant


def test_a_level_that_is_called_like_a_marker_does_not_take_its_place(monitor: MqttMonitor) -> None:
    for name in ("a/_name", "_schema/_topicsCounter", "", "/"):
        monitor.saw(message(name))
    tree = monitor.tree(READER)
    assert (tree["_topicsCounter"], tree["a"]["_name"], tree["a"]["/_name"]["_name"]) == (4, "a", "_name")


def test_activity_is_shown_busiest_first_within_a_window(monitor: MqttMonitor, clock: TestClock) -> None:
    monitor.saw(message("early"))
    clock.advance(minutes=20)
    for name in ("one", "two", "two"):
        monitor.saw(message(name))
    assert [(each.topic.name, each.messages) for each in monitor.activity(READER, 15)] == [("two", 2), ("one", 1)]
    assert len(monitor.activity(READER, 30)) == 3
    assert monitor.activity_of(READER, "early", 30).minutes[-21] == 1


async def test_a_stopped_monitor_sees_and_shows_nothing(monitor: MqttMonitor) -> None:
    monitor.saw(message("a"))
    assert not (await monitor.stop(ADMIN)).running
    monitor.saw(message("b"))
    assert (monitor.running, monitor.topics(READER), monitor.status(READER).since) == (False, [], None)
    assert (await monitor.start(ADMIN)).running
    monitor.saw(message("c"))
    assert [topic.name for topic in monitor.topics(READER)] == ["c"]


async def test_starting_and_stopping_twice_changes_nothing(monitor: MqttMonitor, clock: TestClock) -> None:
    clock.advance(hours=1)
    assert (await monitor.start(ADMIN)).since == NOON
    await monitor.stop(ADMIN)
    assert not (await monitor.stop(ADMIN)).running


async def test_only_who_may_write_settings_starts_and_stops(transactions: SqliteTransactions, clock: TestClock) -> None:
    """Contract §11.4 B-13."""
    monitor = watching(transactions, clock, enabled=False)
    for change in (monitor.start, monitor.stop):
        with pytest.raises(Forbidden):
            await change(READER)
    assert not monitor.running
    for ask in (monitor.status, monitor.topics, monitor.tree):
        with pytest.raises(Forbidden):
            ask(NOBODY)
