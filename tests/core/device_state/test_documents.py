"""JSON documents: one spelling, bounds, leniency."""

import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.device_state.documents import (
    SAFE_NUMBER,
    Cleaning,
    canonical,
    check_document,
    deep_merged,
    etag_of,
    lenient_json,
    names_etag,
)
from core.errors import Invalid

numbers = st.integers(-SAFE_NUMBER, SAFE_NUMBER) | st.floats(-1e15, 1e15)
text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
documents: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | numbers | text,
    lambda below: st.lists(below, max_size=4) | st.dictionaries(text, below, max_size=4),
    max_leaves=20,
)
odd: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=20),
    lambda below: (
        st.lists(below, max_size=4) | st.dictionaries(st.text(st.characters(), max_size=9), below, max_size=4)
    ),
    max_leaves=20,
)


def shuffled(value: Any, chance: random.Random) -> Any:
    if isinstance(value, dict):
        pairs = [(key, shuffled(below, chance)) for key, below in value.items()]
        chance.shuffle(pairs)
        return dict(pairs)
    return [shuffled(below, chance) for below in value] if isinstance(value, list) else value


@given(document=documents, chance=st.randoms(use_true_random=False))
def test_the_canonical_form_does_not_depend_on_the_order_of_keys(document: Any, chance: random.Random) -> None:
    assert canonical(shuffled(document, chance)) == canonical(document)


@given(document=documents)
def test_the_canonical_form_says_the_same_as_the_document(document: Any) -> None:
    assert json.loads(canonical(document)) == document


@given(value=odd)
def test_what_was_cleaned_can_be_stored_and_served(value: Any) -> None:
    cleaned = Cleaning().of(value)
    check_document(cleaned, "cleaned")
    stored = canonical(cleaned)
    assert b"\\u0000" not in stored
    assert b"\0" not in stored


@given(value=documents)
def test_cleaning_leaves_what_is_clean_as_it_is(value: Any) -> None:
    cleaning = Cleaning()
    assert cleaning.of(value) == value
    assert cleaning.notes == []


def test_cleaning_bounds_depth_width_and_length() -> None:
    deep: Any = 1
    for _ in range(1000):
        deep = [deep]
    cleaning = Cleaning()
    kept = cleaning.of({"deep": deep, "wide": [0] * 100_000, "long": "x" * 1_000_000, "flat": 1})
    assert len(canonical(kept)) < 40_000
    assert kept["flat"] == 1
    assert sorted(cleaning.notes) == ["the end of a long text", "too deep or too much", "too many entries"]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 2**53, "\0", "\ud800", {"\0": 1}, [object()]])
def test_a_document_of_people_must_be_servable_as_it_is(value: Any) -> None:
    with pytest.raises(Invalid):
        check_document({"a": [value]}, "config")


def test_a_document_of_people_must_not_be_nested_without_end() -> None:
    deep: Any = 1
    for _ in range(40):
        deep = {"a": deep}
    with pytest.raises(Invalid, match="32 levels"):
        check_document(deep, "config")


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b'{"a": NaN}', {"a": None}),
        (b'{"a": -Infinity}', {"a": None}),
        (b'"\\ud800"', "\ud800"),
        (b'"\xff"', "\ufffd"),
        (b"12345678901234567890123", 12345678901234567890123.0),
    ],
)
def test_odd_json_of_devices_is_let_in(data: bytes, value: Any) -> None:
    assert lenient_json(data) == value


@pytest.mark.parametrize("data", [b"", b"{", b"[" * 100_000, b"{'a': 1}", b"1" * 5000 + b"x"])
def test_what_is_no_json_is_refused(data: bytes) -> None:
    with pytest.raises(Invalid):
        lenient_json(data)


def test_objects_are_merged_key_by_key_and_lists_replaced() -> None:
    base = {"a": {"x": 1, "y": [1, 2]}, "b": 1}
    assert deep_merged(base, {"a": {"y": [3]}, "b": {"z": 1}}) == {"a": {"x": 1, "y": [3]}, "b": {"z": 1}}
    assert base == {"a": {"x": 1, "y": [1, 2]}, "b": 1}


def test_an_etag_is_named_in_any_of_its_spellings() -> None:
    etag = etag_of(b"body")
    bare = etag.strip('"')
    for header in (etag, bare, f"W/{etag}", f"w/{etag}", f'"a",{etag} , "b"', f"a,{bare}", "*", ' "x", * '):
        assert names_etag(header, etag), header
    for header in ("", '""', '"other"', bare[:-1], f"{bare}0", "W/", ","):
        assert not names_etag(header, etag), header
