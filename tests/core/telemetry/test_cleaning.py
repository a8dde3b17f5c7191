"""Odd values from devices: bounded, cut or left out, never an error."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.telemetry.cleaning import (
    MOST_NUMBER,
    NotJson,
    believed,
    clean_json,
    clean_text,
    is_clean,
    json_of,
    moment_of,
    number,
    whole,
    word,
)
from tests.support.odd import anything

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
KEY = "70a6b2446da563a6" * 4


@pytest.mark.parametrize("odd", [float("nan"), float("inf"), -float("inf"), True, None, "12", [], {}])
def test_what_is_no_finite_number_is_none(odd: object) -> None:
    assert number(odd) is None


@pytest.mark.parametrize(("sent", "kept"), [(2**63, MOST_NUMBER), (-(10**400), -MOST_NUMBER), (1e300, MOST_NUMBER)])
def test_numbers_are_clamped_to_what_every_database_takes(sent: float, kept: float) -> None:
    assert number(sent) == kept


def test_counts_are_never_negative() -> None:
    assert whole(-3) == 0


def test_escape_sequences_go_as_a_whole_and_not_only_their_first_character() -> None:
    assert clean_text("\x1b[31;1mred\x1b[0m \x1b]0;title\x07\x9b2Jplain\x1bc") == "red plain"


def test_control_characters_go_but_tab_and_newline_stay() -> None:
    assert clean_text("a\x00b\x08c\rd\te\nf\x7fg\x85h") == "abcd\te\nfgh"


def test_lone_surrogates_go() -> None:
    assert clean_text("a\ud800b\udfffc") == "abc"


def test_what_looks_like_a_key_is_not_kept() -> None:
    assert clean_text(f"using key {KEY.upper()}!") == "using key [redacted]!"


def test_a_key_cannot_hide_behind_characters_that_are_taken_out() -> None:
    assert KEY[:10] not in clean_text(KEY[:32] + "\x00" + KEY[32:])


def test_secrets_in_a_context_go_by_their_name_at_any_depth() -> None:
    sent = {"apiKeyPrefix": KEY[:16], "hasApiKey": True, "deep": [{"mqttPassword": "8tA7"}]}
    assert clean_json(sent) == {
        "apiKeyPrefix": "[redacted]",
        "hasApiKey": True,
        "deep": [{"mqttPassword": "[redacted]"}],
    }


def test_what_is_nested_too_deeply_is_left_out() -> None:
    deep: Any = "bottom"
    for _ in range(500):
        deep = [deep]
    assert "bottom" not in json.dumps(clean_json(deep))


@pytest.mark.parametrize("text", ["[" * 100_000, "1" * 5000, "{", "", "nope", '"\\ud8'])
def test_what_cannot_be_read_as_json_is_said_to_be_none(text: str) -> None:
    with pytest.raises(NotJson):
        json_of(text)


def test_nan_and_infinity_are_read_as_nothing() -> None:
    assert json_of('{"a": NaN, "b": [Infinity, -Infinity]}') == {"a": None, "b": [None, None]}


@given(value=anything)
def test_any_json_value_can_be_kept_after_cleaning(value: Any) -> None:
    kept = json.dumps(clean_json(value), allow_nan=False, ensure_ascii=False)
    kept.encode()
    assert "\x00" not in kept
    assert "\\u0000" not in kept


@given(text=st.text(st.characters()))
def test_cleaned_text_is_clean_and_stays_as_it_is(text: str) -> None:
    cleaned = clean_text(text)
    assert is_clean(cleaned)
    assert clean_text(cleaned) == cleaned


@given(value=anything)
def test_a_word_is_on_one_line(value: Any) -> None:
    kept = word(value)
    assert kept is None or (kept == kept.strip() and "\n" not in kept)


@pytest.mark.parametrize("sent", [1795447230049, "2026-11-23T15:20:30.049Z", "2026-11-23T16:20:30.049+01:00"])
def test_a_time_is_milliseconds_or_iso_8601(sent: object) -> None:
    assert moment_of(sent) == datetime(2026, 11, 23, 15, 20, 30, 49000, tzinfo=UTC)


@pytest.mark.parametrize("odd", [None, True, "yesterday", 1e300, float("nan"), [], {}, "0001-01-01T00:00:00+23:00"])
def test_what_is_no_time_is_none(odd: object) -> None:
    assert moment_of(odd) is None


@given(value=anything)
def test_looking_for_a_time_never_raises(value: Any) -> None:
    believed(moment_of(value), NOW)


@pytest.mark.parametrize(
    ("sent", "clamped"),
    [
        (NOW + timedelta(minutes=10), False),
        (NOW + timedelta(minutes=10, microseconds=1), True),
        (datetime(2015, 1, 1, tzinfo=UTC), False),
        (datetime(2014, 12, 31, 23, 59, tzinfo=UTC), True),
        (None, True),
    ],
)
def test_times_that_cannot_be_are_replaced_by_the_time_of_receipt(sent: datetime | None, *, clamped: bool) -> None:
    assert believed(sent, NOW) == (NOW if clamped else sent, clamped)
