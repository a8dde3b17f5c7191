"""What may be a tag, and what definitions say to it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Conflict, Invalid
from core.tags import MOST_TAGS, NewTagDefinition, TagDefinition, TagDefinitionEdit
from core.tags.model import Rules, changes, merged, selectors_of, tag_key, tag_value, tags_of
from tests.support.clock import NOON

TAGS = st.dictionaries(st.sampled_from("abcdefgh"), st.sampled_from("xyz"))


def defined(*definitions: TagDefinition) -> Rules:
    return Rules(by_key={each.key: each for each in definitions})


def a_definition(key: str = "site", **fields: Any) -> TagDefinition:
    return TagDefinition(key=key, created_at=NOON, created_by="system", updated_at=NOON, **fields)


@pytest.mark.parametrize("key", ["a", "site", "cost-centre", "cost_centre", "k8s.io", "0", "a" * 64])
def test_a_slug_is_a_key(key: str) -> None:
    assert tag_key(key) == key


@pytest.mark.parametrize(
    "key",
    [
        "",
        "Site",
        " site",
        "site ",
        "site\n",
        "-a",
        "a-",
        ".a",
        "a b",
        "a:b",
        "a/b",
        "é",
        "a" * 65,
        "a';--",
        None,
        7,
        "a\0",
    ],
)
def test_anything_else_is_no_key(key: object) -> None:
    with pytest.raises(Invalid) as refusal:
        tag_key(key)
    assert set(refusal.value.fields) == {"key"}


def test_a_value_is_printable_text() -> None:
    assert tag_value(" Halle 4: Süd ") == "Halle 4: Süd"
    assert len(tag_value("x" * 255)) == 255


@pytest.mark.parametrize("value", ["", " ", "x" * 256, "a\nb", "a\0b", "\ud800", "a\u2028b", None, 4, True, ["a"]])
def test_anything_else_is_no_value(value: object) -> None:
    with pytest.raises(Invalid):
        tag_value(value)


def test_a_document_of_tags_is_refused_where_it_is_wrong() -> None:
    assert tags_of({"site": " Roth "}) == {"site": "Roth"}
    for wrong in ({"Site": "a"}, {"site": ""}, {"site": 4}, {f"k{n}": "v" for n in range(MOST_TAGS + 1)}):
        with pytest.raises(Invalid):
            tags_of(wrong)


def test_a_selector_is_a_key_and_a_value_and_the_value_may_have_colons() -> None:
    assert selectors_of(["site:Roth", "url:http://a:80"]) == (("site", "Roth"), ("url", "http://a:80"))
    assert selectors_of([]) == ()


@pytest.mark.parametrize("text", ["site", ":", "site:", ":Roth", "Site:Roth", "site OR 1=1:x"])
def test_a_selector_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as refusal:
        selectors_of(["line:4", text])
    assert set(refusal.value.fields) == {"tag"}


def test_too_many_selectors_are_refused() -> None:
    with pytest.raises(Invalid):
        selectors_of(["a:b"] * (MOST_TAGS + 1))


@given(before=TAGS, after=TAGS)
def test_the_changes_lead_from_what_was_to_what_shall_be(before: dict[str, str], after: dict[str, str]) -> None:
    put, removed = changes(before, after)
    assert {key: value for key, value in {**before, **put}.items() if key not in removed} == after
    assert all(before.get(key) != value for key, value in put.items())


def test_a_device_has_so_many_tags_and_no_more() -> None:
    full = {f"k{n}": "v" for n in range(MOST_TAGS)}
    assert merged(full, {"k0": "w"})["k0"] == "w"
    with pytest.raises(Invalid, match="50"):
        merged(full, {"one-more": "v"})


def test_only_allowed_values_may_be_written_and_all_that_are_wrong_are_named() -> None:
    rules = defined(a_definition(allowed_values=("a", "b")), a_definition("line", allowed_values=("1",)))
    rules.check({"site": "a", "line": "1", "free": "anything"})
    with pytest.raises(Invalid) as refusal:
        rules.check({"site": "c", "line": "2", "free": "anything"})
    assert set(refusal.value.fields) == {"tags.site", "tags.line"}


def test_a_definition_without_values_allows_any() -> None:
    defined(a_definition()).check({"site": "anything"})


def test_a_required_tag_can_neither_be_taken_off_nor_left_out() -> None:
    rules = defined(a_definition(is_required=True), a_definition("line"))
    rules.check_removal("line")
    rules.check_removal("undefined")
    with pytest.raises(Conflict):
        rules.check_removal("site")
    rules.check_whole({"site": "a"})
    with pytest.raises(Invalid) as refusal:
        rules.check_whole({"line": "1"})
    assert set(refusal.value.fields) == {"tags.site"}


def test_one_tag_may_be_written_while_a_required_one_is_still_missing() -> None:
    """Otherwise two required tags could never be given one after the other."""
    defined(a_definition(is_required=True)).check({"line": "1"})


def test_allowed_values_are_kept_once_each_in_their_order() -> None:
    assert NewTagDefinition(key="site", allowed_values=["b", " a", "b"]).allowed_values == ("b", "a")


@pytest.mark.parametrize(
    "wrong",
    [
        {"key": "Site"},
        {"allowed_values": ["a", ""]},
        {"allowed_values": [f"v{n}" for n in range(201)]},
        {"description": "x" * 1001},
        {"description": "a\nb"},
    ],
)
def test_a_wrong_definition_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        NewTagDefinition(**{"key": "site", **wrong})


def test_an_edit_changes_what_it_names() -> None:
    before = a_definition(description="where", allowed_values=("a",), is_required=True)
    assert before.edited(TagDefinitionEdit(is_required=False), NOON).is_required is False
    assert before.edited(TagDefinitionEdit(allowed_values=[]), NOON).admits("anything")
    edited = before.edited(TagDefinitionEdit(description=""), NOON)
    assert (edited.description, edited.allowed_values) == ("", ("a",))
    with pytest.raises(Invalid):
        before.edited(TagDefinitionEdit(), NOON)
