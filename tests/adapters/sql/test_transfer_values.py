"""What makes two rows the same, however each database writes them down."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.sql.transfer_values import Kind, Replaced, Sum, canonical, canonical_json
from core.errors import Invalid


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('{"b": 1, "a": [1.0, 1e2]}', '{"a":[1,100],"b":1.0}'),
        ("1e308", "1" + "0" * 308),
        ("-0.0", "0"),
        ("1e-7", "0.0000001"),
        ("1e5000", "1" + "0" * 5000),
        ('"\\u00e9"', '"\u00e9"'),
    ],
    ids=["keys and whole numbers", "large", "negative zero", "small", "larger than Python likes", "escapes"],
)
def test_json_is_the_same_however_it_is_written(one: str, other: str) -> None:
    assert canonical_json(one.encode()) == canonical_json(other.encode())


@pytest.mark.parametrize(("one", "other"), [("0.1", '"0.1"'), ("1", "true"), ("0.1", "0.10000000000000001")])
def test_json_that_differs_is_not_the_same(one: str, other: str) -> None:
    assert canonical_json(one.encode()) != canonical_json(other.encode())


@pytest.mark.parametrize("text", ["NaN", "Infinity", "{", "", "\xff"])
def test_what_is_not_json_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="not JSON"):
        canonical_json(text.encode("latin-1"))


def test_what_postgresql_cannot_keep_is_replaced_and_counted() -> None:
    replaced = Replaced()
    assert replaced.text(b"a\0b\xff") == "a\ufffdb\ufffd".encode()
    assert replaced.json(rb'"\u0000 \ud83d\ude00 \ud83d \\u0000 \u00e9"') == '"\ufffd'.encode() + (
        rb" \ud83d\ude00 " + "\ufffd".encode() + rb' \\u0000 \u00e9"'
    )
    assert replaced.text("\U0001f600".encode()) == "\U0001f600".encode()
    assert replaced.values == 2


def test_a_sum_does_not_depend_on_the_order_but_on_every_row() -> None:
    rows = [(1, b"a", None), (2, b"", 0.5), (3, b"a", True)]
    sums = [Sum(), Sum(), Sum()]
    for row in rows:
        sums[0].add(row)
    for row in reversed(rows):
        sums[1].add(row)
    for row in rows[:2] + rows[:1]:
        sums[2].add(row)
    assert sums[0] == sums[1] != sums[2]


def test_negative_zero_is_zero_since_sqlite_knows_no_other() -> None:
    assert repr(canonical([Kind.FLOAT])((-0.0,))) == "(0.0,)"


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=10))
def test_json_says_the_same_with_any_spelling_of_its_texts(value: object) -> None:
    plain = json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")
    if json.loads(plain) == value:
        assert canonical_json(plain) == canonical_json(json.dumps(value, indent=1).encode())
