"""Settings from the environment: typed, and all that are wrong are told at once."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Invalid
from core.settings import Setting, Settings, boolean, integer, list_of_text, seconds, size, text

PORT = Setting(name="PORT", read=integer(0, 65535), default=3002, summary="A port")
SPAN = Setting(name="SPAN", read=seconds, default=timedelta(minutes=5), summary="A span")
WORDS: Setting[tuple[str, ...]] = Setting(name="WORDS", read=list_of_text, default=(), summary="Words")


def test_a_setting_that_is_not_given_has_its_default() -> None:
    for environment in ({}, {"PORT": ""}, {"PORT": "  "}):
        assert Settings([PORT], environment)[PORT] == 3002


def test_a_setting_has_the_type_it_was_declared_with() -> None:
    settings = Settings([PORT, SPAN, WORDS], {"PORT": " 80 ", "SPAN": "15m", "WORDS": "a, b,,c "})
    assert (settings[PORT], settings[SPAN], settings[WORDS]) == (80, timedelta(minutes=15), ("a", "b", "c"))


def test_everything_that_is_wrong_is_told_at_once_by_name() -> None:
    with pytest.raises(Invalid) as refusal:
        Settings([PORT, SPAN, WORDS], {"PORT": "70000", "SPAN": "soon", "WORDS": "fine"})
    assert set(refusal.value.fields) == {"PORT", "SPAN"}
    assert "between 0 and 65535" in refusal.value.message
    assert "soon" in refusal.value.message


def test_a_name_declared_twice_is_refused() -> None:
    twin = Setting(name="PORT", read=text, default="", summary="Another")
    with pytest.raises(Invalid, match="PORT is declared twice"):
        Settings([PORT, twin], {})


def test_what_was_not_declared_cannot_be_read() -> None:
    with pytest.raises(KeyError):
        Settings([PORT], {"SPAN": "5s"})[SPAN]


@pytest.mark.parametrize(
    ("given_text", "span"),
    [
        ("300", timedelta(minutes=5)),
        ("300s", timedelta(minutes=5)),
        ("250ms", timedelta(milliseconds=250)),
        ("1.5 h", timedelta(minutes=90)),
        ("15min", timedelta(minutes=15)),
        ("7d", timedelta(days=7)),
    ],
)
def test_time_spans_are_understood(given_text: str, span: timedelta) -> None:
    assert seconds(given_text) == span


@pytest.mark.parametrize("wrong", ["-5s", "5 minutes", "1e3", "", "s", "5s5s", "9" * 20 + "d", "9" * 400])
def test_what_is_no_time_span_is_refused_by_name(wrong: str) -> None:
    with pytest.raises(Invalid, match="SPAN"):
        SPAN.parsed(wrong)


@pytest.mark.parametrize("word", ["1", "true", "YES", " on "])
def test_yes_is_said_in_several_ways(word: str) -> None:
    assert boolean(word)


@pytest.mark.parametrize("word", ["0", "false", "No", "off", ""])
def test_no_is_said_in_several_ways(word: str) -> None:
    assert not boolean(word)


@given(st.text())
def test_no_text_raises_anything_but_a_refusal(anything: str) -> None:
    for setting in (PORT, SPAN, Setting(name="FLAG", read=boolean, default=False, summary="A flag")):
        try:
            setting.parsed(anything)
        except Invalid as refusal:
            assert list(refusal.fields) == [setting.name]  # noqa: PT017 - most texts are refused, some are not


@pytest.mark.parametrize(
    ("given_text", "count"),
    [("0", 0), ("4096", 4096), ("500MB", 500 * 1024**2), ("1.5 GiB", 3 * 1024**3 // 2), ("64k", 65536), ("2tb", 2**41)],
)
def test_a_size_is_read_as_people_write_it(given_text: str, count: int) -> None:
    assert size()(given_text) == count


@pytest.mark.parametrize("odd", ["", "much", "-1", "1PB", "1e9", "5000TB", "1KB", "9" * 400])
def test_a_size_that_is_none_or_out_of_bounds_is_refused(odd: str) -> None:
    with pytest.raises(ValueError):
        size(lowest=2048)(odd)
