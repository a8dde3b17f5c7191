"""What messages look like, told from samples."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from core.monitoring import merged, nodes_of, schema_of
from core.monitoring.schema import DEEPEST, MOST_NODES

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda below: st.lists(below, max_size=4) | st.dictionaries(st.text(max_size=5), below, max_size=4),
    max_leaves=20,
)


def test_a_reading_is_described_in_the_words_of_json_schema() -> None:
    reading = {"sensor": "modbus-pipe", "count": 3, "value": 21.5, "ok": True, "error": None, "tags": ["a", "b"]}
    assert schema_of(reading) == {
        "type": "object",
        "properties": {
            "sensor": {"type": "string"},
            "count": {"type": "integer"},
            "value": {"type": "number"},
            "ok": {"type": "boolean"},
            "error": {"type": "null"},
            "tags": {"type": "array", "items": {"type": "string"}},
        },
    }


def test_what_differs_between_samples_is_described_by_both() -> None:
    one, other = schema_of({"a": 1, "b": None}), schema_of({"a": 1.5, "b": "x", "c": []})
    assert merged(one, other) == {
        "type": "object",
        "properties": {"a": {"type": "number"}, "b": {"type": ["null", "string"]}, "c": {"type": "array"}},
    }


def test_items_of_different_types_are_described_together() -> None:
    assert schema_of([1, "x", None])["items"] == {"type": ["integer", "null", "string"]}


def test_a_deep_value_is_described_down_to_a_depth() -> None:
    value: Any = "bottom"
    for _ in range(50):
        value = {"below": value}
    assert nodes_of(schema_of(value)) == DEEPEST


def test_a_schema_stays_small_whatever_clients_send() -> None:
    """Contract §11.4 B-13."""
    schema = schema_of({})
    for sample in range(20):
        wide = {f"{sample}-{name}": {f"x{below}": below for below in range(50)} for name in range(50)}
        schema = merged(schema, schema_of(wide))
    assert nodes_of(schema) <= MOST_NODES


@given(value=JSON)
def test_a_schema_describes_its_own_value_already(value: Any) -> None:
    schema = schema_of(value)
    assert merged(schema, schema) == schema
    assert nodes_of(schema) <= MOST_NODES


@given(one=JSON, other=JSON)
def test_the_order_of_samples_does_not_matter(one: Any, other: Any) -> None:
    first, second = schema_of(one), schema_of(other)
    assert merged(first, second) == merged(second, first)
