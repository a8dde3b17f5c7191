"""What two documents differ in."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from core.device_state.differences import Difference, differences, shown

json = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text("ab", max_size=2),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.sampled_from("abid"), below, max_size=3),
    max_leaves=12,
)


def told(before: Any, after: Any) -> list[tuple[str, str, Any, Any]]:
    return [(each.path, each.kind, each.before, each.after) for each in differences(before, after)]


def test_each_field_is_told_by_its_path() -> None:
    before = {"apps": {"1": {"appName": "a"}}, "config": {"gone": 1, "same": [1]}}
    after = {"apps": {"1": {"appName": "b"}}, "config": {"new": None, "same": [1]}}
    assert told(before, after) == [
        ("apps.1.appName", "changed", "a", "b"),
        ("config.gone", "removed", 1, None),
        ("config.new", "added", None, None),
    ]


def test_services_are_told_apart_by_their_ids() -> None:
    before = {"services": [{"serviceId": 1, "ports": ["1:1"]}, {"serviceId": 2}]}
    after = {"services": [{"serviceId": 2, "state": "stopped"}, {"serviceId": 3}]}
    assert told(before, after) == [
        ("services[serviceId=1]", "removed", {"serviceId": 1, "ports": ["1:1"]}, None),
        ("services[serviceId=2].state", "added", None, "stopped"),
        ("services[serviceId=3]", "added", None, {"serviceId": 3}),
    ]


def test_another_order_is_a_difference() -> None:
    assert told({"a": [{"id": 1}, {"id": 2}]}, {"a": [{"id": 2}, {"id": 1}]})[0][:2] == ("a", "changed")
    assert told([1, 2], [2, 1]) == [("[0]", "changed", 1, 2), ("[1]", "changed", 2, 1)]


def test_true_is_not_one() -> None:
    assert told({"a": True}, {"a": 1}) == [("a", "changed", True, 1)]
    assert told({"a": [True]}, {"a": [1]}) == [("a[0]", "changed", True, 1)]


@given(json, json)
def test_there_are_differences_unless_both_are_equal(before: Any, after: Any) -> None:
    assert (differences(before, after) == []) == (repr_of(before) == repr_of(after))


@given(json, json)
def test_every_difference_is_found_where_it_says(before: Any, after: Any) -> None:
    found = differences(before, after)
    assert shown(found, before, after) == found


@given(json, json)
def test_the_way_back_has_as_many_steps(before: Any, after: Any) -> None:
    def turned(each: Difference) -> tuple[str, Any, Any]:
        return each.path, each.after, each.before

    there, back = differences(before, after), differences(after, before)
    assert sorted(map(repr, map(turned, there))) == sorted(repr((b.path, b.before, b.after)) for b in back)


def test_a_changed_secret_is_told_and_not_shown() -> None:
    before, after = {"environment": {"KEY": "old"}}, {"environment": {"KEY": "new"}}
    hidden = {"environment": {"KEY": "[redacted]"}}
    [difference] = shown(differences(before, after), hidden, hidden)
    assert (difference.path, difference.before, difference.after) == ("environment.KEY", "[redacted]", "[redacted]")


def repr_of(value: Any) -> Any:
    """Without the order of keys; true is not 1."""
    if isinstance(value, dict):
        return "object", sorted((key, repr_of(below)) for key, below in value.items())
    if isinstance(value, list):
        return "list", [repr_of(below) for below in value]
    return type(value).__name__, value
