"""What is known of topics, and that it stays bounded."""

from datetime import timedelta
from uuid import uuid4

from core.ids import DeviceUuid
from core.monitoring import TopicBook
from core.monitoring.book import LONGEST_TOPIC, MOST_BYTES, MOST_WAITING
from core.mqtt import Message
from tests.support.clock import NOON

UUID = DeviceUuid("7a1f1a52-5c2f-4f0e-9d3a-0d5f3c1f9a01")
DEVICE = f"device_{UUID}"


def saw(book: TopicBook, topic: str, payload: bytes = b"1", *, by: str = DEVICE, minute: int = 0) -> None:
    """A message has passed at noon, or so many minutes later."""
    message = Message(topic=topic, payload=payload, username=by)
    book.saw(message, NOON + timedelta(minutes=minute), minute)


def names(book: TopicBook) -> list[str]:
    """The topics, the longest silent first."""
    return [topic.name for topic in book]


def test_messages_and_bytes_of_a_topic_are_counted_minute_by_minute() -> None:
    book, topic = TopicBook(), f"iot/device/{UUID}/sensor/modbus"
    for minute in (100, 100, 103, 130):
        saw(book, topic, b"123", minute=minute)
    found = book.find(topic)
    assert found is not None
    view = found.view()
    assert (view.messages, view.size, view.device_uuid) == (4, 12, UUID)
    assert view.last_at - view.first_at == timedelta(minutes=30)
    assert [found.activity(minutes, 130).messages for minutes in (5, 15, 30, 60)] == [1, 1, 2, 4]
    assert [found.activity(minutes, 162).messages for minutes in (30, 60)] == [0, 2]
    assert found.activity(60, 500).messages == 0


def test_a_topic_is_found_by_its_id_too() -> None:
    book = TopicBook()
    saw(book, "a/b")
    found = book.find("a/b")
    assert found is not None
    assert book.find(found.id) is found
    assert book.find("a") is None


def test_the_longest_silent_topic_makes_room() -> None:
    """Contract §11.4 B-13."""
    book = TopicBook(most=3)
    for name in ("a", "b", "c", "a", "d"):
        saw(book, name, by=f"user-{name}")
    assert names(book) == ["c", "a", "d"]


def test_a_device_that_invents_topics_pushes_out_only_its_own() -> None:
    book = TopicBook(most=10, per_owner=3)
    saw(book, "plant/line", by="plant")
    for number in range(50):
        saw(book, f"iot/device/{UUID}/sensor/{number}")
    assert names(book) == ["plant/line", *(f"iot/device/{UUID}/sensor/{number}" for number in (47, 48, 49))]


def test_long_topics_and_large_messages_take_bounded_room() -> None:
    book = TopicBook(per_owner=5_000)
    for number in range(4_900):
        saw(book, f"{number}/" + "x" * 60_000, b'{"a":"' + bytes(4_000) + b'"}', by="flood")
        book.examine()
    assert max(len(name) for name in names(book)) == LONGEST_TOPIC
    assert sum(topic.weight for topic in book) <= MOST_BYTES


def test_what_comes_beyond_the_samples_that_may_wait_is_counted_only() -> None:
    book = TopicBook(per_owner=5_000)
    for number in range(MOST_WAITING + 50):
        saw(book, str(number), b'{"a":1}')
    while book.examine():
        pass
    assert sum(topic.schema is not None for topic in book) == MOST_WAITING
    assert len(book) == MOST_WAITING + 50


def test_the_latest_message_is_shown_and_all_samples_make_the_schema() -> None:
    book = TopicBook()
    for payload in (b'{"a":1}', b'{"b":"x"}', b"\xff"):
        saw(book, "t", payload)
        book.examine()
    found = book.find("t")
    assert found is not None
    assert found.schema == {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "string"}}}
    assert found.sample.type.value == "binary"


def test_what_was_saved_is_not_saved_again_but_what_came_meanwhile_is() -> None:
    book = TopicBook()
    saw(book, "t", b"12")
    saw(book, "t", b"34")
    records = book.unsaved()
    saw(book, "t", b"5")
    book.saved(records)
    assert [(record.messages, record.size) for record in records] == [(2, 4)]
    assert [(record.messages, record.size) for record in book.unsaved()] == [(1, 1)]


def test_a_device_is_forgotten_with_its_topics() -> None:
    book, other = TopicBook(), uuid4()
    saw(book, f"iot/device/{UUID}/state")
    saw(book, f"iot/device/{other}/state")
    book.forget_device(UUID)
    assert names(book) == [f"iot/device/{other}/state"]
    book.clear()
    assert len(book) == 0
