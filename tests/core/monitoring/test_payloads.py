"""What is kept of one message."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.monitoring import MessageType
from core.monitoring.payloads import LONGEST_EXAMINED, LONGEST_SAMPLE, examined


@pytest.mark.parametrize(
    ("payload", "kind", "text"),
    [
        (b'{"value": 21.5}', MessageType.JSON, '{"value":21.5}'),
        (b"21.5", MessageType.JSON, "21.5"),
        (b"true", MessageType.JSON, "true"),
        (b"torque 7", MessageType.STRING, "torque 7"),
        (b'{"cut off', MessageType.STRING, '{"cut off'),
        (b"<a/>", MessageType.XML, "<a/>"),
        (b"\xff\x00", MessageType.BINARY, "/wA="),
        (b"", MessageType.EMPTY, ""),
        (b" ", MessageType.STRING, " "),
    ],
)
def test_the_kind_of_a_payload_is_told_by_looking_at_it(payload: bytes, kind: MessageType, text: str) -> None:
    sample = examined(payload)
    assert (sample.type, sample.text, sample.truncated) == (kind, text, False)


def test_a_sample_is_at_most_four_kilobytes_and_says_that_it_was_cut() -> None:
    sample = examined(json.dumps({"messages": ["ä" * 100] * 100}).encode())
    assert (len(sample.text.encode()) <= LONGEST_SAMPLE, sample.truncated, sample.type) == (
        True,
        True,
        MessageType.JSON,
    )
    assert sample.schema is not None


def test_secrets_in_a_state_report_are_not_shown() -> None:
    environment = {"MYSQL_ROOT_PASSWORD": "hunter2", "LOG_LEVEL": "debug"}
    sample = examined(json.dumps({"apps": {"1": {"services": [{"config": {"environment": environment}}]}}}).encode())
    assert "hunter2" not in sample.text
    assert "debug" in sample.text


def test_what_is_nested_too_deeply_to_look_for_secrets_is_not_shown() -> None:
    sample = examined(b'{"a":' * 5_000 + b'{"password":"hunter2"}' + b"}" * 5_000)
    assert (sample.text, sample.truncated) == ("", True)


def test_what_is_too_large_is_not_looked_into() -> None:
    sample = examined(b'"' + b"x" * LONGEST_EXAMINED + b'"')
    assert (sample.type, sample.text) == (MessageType.LARGE, "")


@given(payload=st.binary(max_size=200) | st.text(max_size=50).map(lambda text: json.dumps([text]).encode()))
def test_any_payload_can_be_looked_into(payload: bytes) -> None:
    sample = examined(payload)
    assert len(sample.text.encode()) <= LONGEST_SAMPLE
