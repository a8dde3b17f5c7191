"""Log lines, as agents send them."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Invalid
from core.telemetry import MOST_LINES, LogLine, batch_of
from core.telemetry.cleaning import is_clean
from core.telemetry.lines import LONGEST_MESSAGE
from tests.support.odd import anything

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
KEY = "70a6b2446da563a6" * 4
CONTAINER = "f77147bf9677a14d72923bde5da67e2f400834b1b6faa3fe430ca7fe25f9cc0e"


def line(**sent: Any) -> LogLine:
    """What is kept of one line."""
    batch = batch_of(json.dumps({"message": "hello", "timestamp": 1795447265721} | sent).encode() + b"\n", NOW)
    return batch.lines[0]


def test_a_line_of_the_agent_is_kept_with_all_it_says() -> None:
    sent = {
        "timestamp": 1795447265721,
        "level": "info",
        "message": "Polling target state",
        "source": {"type": "system", "name": "CloudSync"},
        "isSystem": True,
        "deviceId": "5f3a1deb-f4c3-4e1b-8e76-70de4d2e3f56",
        "context": {"component": "CloudSync", "operation": "poll", "apiKeyPrefix": KEY[:16]},
    }
    assert line(**sent) == LogLine(
        at=datetime(2026, 11, 23, 15, 21, 5, 721000, tzinfo=UTC),
        time_clamped=False,
        level="info",
        message="Polling target state",
        truncated=False,
        source_type="system",
        source_name="CloudSync",
        service_name="CloudSync",
        service_id=None,
        container_id=None,
        is_system=True,
        is_stderr=False,
        context={"component": "CloudSync", "operation": "poll", "apiKeyPrefix": "[redacted]"},
    )


def test_a_line_of_a_container_is_kept_under_the_name_of_its_service() -> None:
    source = {"type": "container", "name": "web_nginx_1"}
    kept = line(source=source, serviceName="nginx", serviceId=2, containerId=CONTAINER, isStdErr=True)
    assert (kept.service_name, kept.service_id, kept.container_id) == ("nginx", 2, CONTAINER)
    assert kept.is_stderr


def test_one_hundred_lines_with_a_bad_one_make_ninety_nine() -> None:
    """Contract §12.1 item 15."""
    lines = [json.dumps({"message": f"line {n}"}) for n in range(100)]
    lines[42] = lines[42][:-4]
    batch = batch_of("\n".join(lines).encode(), NOW)
    assert (len(batch.lines), batch.rejected) == (99, 1)


def test_blank_lines_are_nothing() -> None:
    assert batch_of(b'\n\r\n{"message":"x"}\r\n\n', NOW).rejected == 0


def test_only_newlines_part_lines() -> None:
    assert batch_of('{"message":"a\u2028b\x85"}\n'.encode(), NOW).lines[0].message == "a\u2028b"


@pytest.mark.parametrize(
    "sent", [b"[]", b"7", b'"text"', b"{}", b'{"message":null}', b'{"message":{}}', b"\x00", b"{{"]
)
def test_what_is_no_line_is_counted_and_left_out(sent: bytes) -> None:
    batch = batch_of(sent, NOW)
    assert (len(batch.lines), batch.rejected) == (0, 1)


def test_bytes_that_are_no_utf_8_do_not_lose_the_line() -> None:
    assert batch_of(b'{"message":"caf\xe9"}', NOW).lines[0].message == "caf\ufffd"


def test_a_batch_of_too_many_lines_is_refused_before_any_is_read() -> None:
    with pytest.raises(Invalid):
        batch_of(b"{}\n" * (MOST_LINES + 1), NOW)


@pytest.mark.parametrize("sent", [4070908800000, 0, None, "soon"])
def test_times_that_cannot_be_are_marked(sent: object) -> None:
    kept = line(timestamp=sent)
    assert (kept.at, kept.time_clamped) == (NOW, True)


def test_a_long_message_is_cut_between_characters_and_marked() -> None:
    kept = line(message="ü" * LONGEST_MESSAGE)
    assert kept.truncated
    assert len(kept.message.encode()) == LONGEST_MESSAGE


@pytest.mark.parametrize(
    ("sent", "kept"),
    [("WARN", "warn"), ("warning", "warn"), ("notice", "notice"), (None, "info"), (7, "7"), ({}, "info")],
)
def test_unexpected_levels_are_kept_or_read_as_info(sent: object, kept: str) -> None:
    assert line(level=sent).level == kept


def test_a_context_larger_than_people_read_is_left_out() -> None:
    assert line(context={f"k{n}": "x" * 1000 for n in range(200)}).context == {"omitted": "too large"}


@given(sent=st.dictionaries(st.sampled_from(["timestamp", "level", "source", "serviceName", "context"]), anything))
def test_no_line_is_too_odd(sent: dict[str, Any]) -> None:
    kept = line(**sent)
    json.dumps([kept.context, kept.source_name, kept.service_name, kept.level], allow_nan=False).encode()


@given(data=st.binary() | st.text(st.characters(exclude_categories=["Cs"])).map(str.encode))
def test_no_batch_is_too_odd(data: bytes) -> None:
    for kept in batch_of(data, NOW).lines:
        assert is_clean(kept.message)
