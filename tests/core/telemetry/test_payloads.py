"""Sensor messages, in every form of contract §3.2."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.telemetry import Reading, ReadingKind, readings_of
from core.telemetry.cleaning import is_clean
from core.telemetry.payloads import LONGEST_RAW, MOST_READINGS
from tests.support.odd import anything

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
SENT = "2026-11-24T11:59:00.120Z"
AT = datetime(2026, 11, 24, 11, 59, 0, 120000, tzinfo=UTC)


def one(**more: Any) -> dict[str, Any]:
    """A reading, as the agent sends it."""
    reading = {"timestamp": SENT, "deviceName": "modbus1", "registerName": "temperature_1", "value": 26.5}
    return reading | {"unit": "C", "quality": "GOOD"} | more


def envelope(*messages: object, **more: Any) -> bytes:
    """A batch, as the agent sends it."""
    texts = [message if isinstance(message, str) else json.dumps(message) for message in messages]
    return json.dumps({"sensor": "modbus-pipe", "timestamp": SENT, "messages": texts} | more).encode()


def read(payload: bytes, topic: str = "modbus") -> list[Reading]:
    """What is kept of a message."""
    return readings_of(topic, payload, NOW)


def test_a_message_of_one_reading() -> None:
    (reading,) = read(envelope(one(qualityCode=192)))
    assert (reading.kind, reading.topic, reading.sensor) == (ReadingKind.READING, "modbus", "modbus1")
    assert (reading.register, reading.value, reading.unit) == ("temperature_1", 26.5, "C")
    assert (reading.quality, reading.quality_code) == ("GOOD", "192")
    assert (reading.at, reading.time_clamped, reading.raw) == (AT, False, None)


def test_twelve_messages_of_two_readings_make_twenty_four_readings_of_two_registers() -> None:
    """Contract §12.1 item 24."""
    messages = [
        {"timestamp": SENT, "readings": [one(registerName=name, value=n) for name in ("temperature_1", "pressure_1")]}
        for n in range(12)
    ]
    readings = read(envelope(*messages))
    assert len(readings) == len({reading.digest for reading in readings}) == 24
    assert {reading.register for reading in readings} == {"temperature_1", "pressure_1"}


def test_what_is_no_reading_among_readings_is_kept_as_it_came() -> None:
    first, second, third = read(envelope({"timestamp": SENT, "readings": [7, one(), {"deviceName": "plc"}]}))
    assert (first.kind, first.raw) == (ReadingKind.RAW, "7")
    assert second.kind is ReadingKind.READING
    assert (third.kind, third.raw) == (ReadingKind.RAW, '{"deviceName": "plc"}')


def test_a_simulated_reading_has_a_time_in_milliseconds_and_the_metric_in_the_topic() -> None:
    message = {"value": 19.21, "unit": "C", "timestamp": 1795521540120, "simulation": True}
    (reading,) = read(envelope(message, sensor="temperature"), topic="temperature")
    assert (reading.sensor, reading.register, reading.at, reading.value) == ("temperature", "temperature", AT, 19.21)


def test_csv_is_kept_as_it_came_and_read_as_well() -> None:
    text = f'modbus1,temperature_1,26.5,C,GOOD,{SENT}\n"plc, east",door,true,,BAD,{SENT}\n'
    first, second = read(envelope(text))
    assert (first.kind, first.sensor, first.register, first.value) == (
        ReadingKind.CSV,
        "modbus1",
        "temperature_1",
        26.5,
    )
    assert first.raw == f"modbus1,temperature_1,26.5,C,GOOD,{SENT}"
    assert (second.sensor, second.value, second.unit, second.at) == ("plc, east", True, None, AT)


@pytest.mark.parametrize("text", ["a,b,c", "a,b,1,C,GOOD,yesterday", '"open,b,1,C,GOOD,' + SENT, "not csv", "", "21.5"])
def test_messages_that_nobody_can_read_are_kept_as_they_came(text: str) -> None:
    (reading,) = read(envelope(text))
    assert (reading.kind, reading.raw, reading.at) == (ReadingKind.RAW, text, AT)


def test_a_heartbeat_has_no_messages_and_is_kept_as_it_came() -> None:
    payload = json.dumps({"sensor": "modbus-pipe", "timestamp": SENT, "state": "CONNECTED", "stats": {}}).encode()
    (reading,) = read(payload)
    assert (reading.kind, reading.raw, reading.sensor) == (ReadingKind.HEARTBEAT, payload.decode(), "modbus-pipe")


def test_a_reading_without_an_envelope_is_a_reading() -> None:
    (reading,) = read(json.dumps(one()).encode())
    assert (reading.kind, reading.value) == (ReadingKind.READING, 26.5)


def test_text_that_is_no_json_is_kept_as_it_came() -> None:
    assert read(b"temp=21.5\r\n")[0].raw == "temp=21.5\r\n"


def test_bytes_that_are_no_text_are_kept_in_base64() -> None:
    (reading,) = read(b"\x00\xff\x10")
    assert (reading.raw, reading.raw_encoding) == ("AP8Q", "base64")


def test_what_is_kept_as_it_came_is_bounded() -> None:
    assert len(read(b"x" * (LONGEST_RAW * 2))[0].raw or "") == LONGEST_RAW


def test_a_message_holds_a_bounded_number_of_readings() -> None:
    payload = json.dumps({"messages": [""] * (MOST_READINGS + 5)}).encode()
    assert len(read(payload)) == MOST_READINGS


@pytest.mark.parametrize("value", [0, -3, 26.400000000000002, 2**53, True, False, "open", None])
def test_values_keep_their_type(value: object) -> None:
    (reading,) = read(envelope(one(value=value)))
    assert reading.value == value
    assert type(reading.value) is type(value)


@pytest.mark.parametrize(("text", "kept"), [("1e999", None), ("NaN", None), ("1" * 30, float("1" * 30))])
def test_numbers_that_are_none_are_nothing_and_large_ones_are_rounded(text: str, kept: object) -> None:
    message = json.dumps(one(value=0)).replace('"value": 0', f'"value": {text}')
    assert read(envelope(message))[0].value == kept


def test_a_message_that_comes_twice_is_known_by_its_digests() -> None:
    payload = envelope(one(), "noise", f"a,b,1,C,GOOD,{SENT}")
    later = readings_of("modbus", payload, NOW + timedelta(hours=3))
    assert [reading.digest for reading in later] == [reading.digest for reading in read(payload)]


@pytest.mark.parametrize("other", [{"value": 26.6}, {"value": "26.5"}, {"registerName": "x"}, {"quality": "BAD"}])
def test_readings_of_the_same_moment_that_differ_have_different_digests(other: dict[str, Any]) -> None:
    first, second = read(envelope(one(), one(**other)))
    assert first.digest != second.digest


def test_true_and_one_are_different_values() -> None:
    first, second = read(envelope(one(value=True), one(value=1)))
    assert first.digest != second.digest


def test_the_same_text_twice_in_a_batch_is_two_messages() -> None:
    first, second = read(envelope("noise", "noise"))
    assert first.digest != second.digest


def test_without_a_time_the_same_is_sent_twice_only_within_a_minute() -> None:
    now, soon, later = (readings_of("x", b"21.5", NOW + timedelta(seconds=wait))[0] for wait in (0, 20, 90))
    assert now.digest == soon.digest != later.digest


def test_a_time_that_cannot_be_is_marked_and_still_tells_readings_apart() -> None:
    first, second = read(envelope(one(timestamp=5), one(timestamp=6)))
    assert (first.at, first.time_clamped) == (NOW, True)
    assert first.digest != second.digest


messages = st.lists(anything | st.text(st.characters(exclude_categories=["Cs"])), max_size=4)
odd = st.fixed_dictionaries({}, optional={"sensor": anything, "timestamp": anything, "messages": messages})
odder = st.dictionaries(
    st.sampled_from(["timestamp", "value", "deviceName", "registerName", "unit", "quality", "readings"]), anything
)


@given(body=anything | odd | odder | st.builds(lambda several: {"readings": several}, st.lists(odder, max_size=3)))
def test_no_message_is_too_odd(body: Any) -> None:
    for inner in (body, {"messages": [json.dumps(body)]}, {"messages": [body]}):
        for reading in readings_of("x", json.dumps(inner).encode(), NOW):
            texts = (reading.sensor, reading.register, reading.unit, reading.quality, reading.quality_code, reading.raw)
            assert all(text is None or is_clean(text) for text in texts)
            json.dumps(reading.value, allow_nan=False).encode()


@given(payload=st.binary())
def test_no_bytes_are_too_odd(payload: bytes) -> None:
    assert all(is_clean(reading.raw or "") for reading in readings_of("x", payload, NOW))
