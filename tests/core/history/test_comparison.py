"""What differs between two documents."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from core.history import Change, changes_between

leaves = st.none() | st.booleans() | st.integers() | st.text(max_size=3)
documents = st.recursive(
    leaves, lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(max_size=3), below, max_size=3)
)


def fields(before: Any, after: Any) -> dict[str, tuple[Any, Any]]:
    """The changes by their field."""
    return {change.field: (change.before, change.after) for change in changes_between(before, after)}


def test_the_way_to_each_change_is_told() -> None:
    before = {"apps": {"1": {"services": [{"image": "a:1"}]}}, "same": 1}
    after = {"apps": {"1": {"services": [{"image": "a:2"}, {"image": "b"}]}, "2": {}}, "same": 1}
    assert fields(before, after) == {
        "apps.1.services.0.image": ("a:1", "a:2"),
        "apps.1.services.1": (None, {"image": "b"}),
        "apps.2": (None, {}),
    }


def test_what_becomes_something_else_altogether_is_one_change() -> None:
    assert fields({"a": {"b": 1}}, {"a": [1]}) == {"a": ({"b": 1}, [1])}
    assert list(changes_between(None, {"a": 1}, "target")) == [Change(field="target", before=None, after={"a": 1})]


def test_types_count() -> None:
    assert fields({"a": 1}, {"a": True}) == {"a": (1, True)}


@given(document=documents)
def test_a_document_does_not_differ_from_itself(document: Any) -> None:
    assert not list(changes_between(document, document))


@given(before=documents, after=documents)
def test_the_way_back_has_the_same_changes_the_other_way_round(before: Any, after: Any) -> None:
    there = [(change.field, change.before, change.after) for change in changes_between(before, after)]
    back = [(change.field, change.after, change.before) for change in changes_between(after, before)]
    assert there == back
