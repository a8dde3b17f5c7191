"""Topic names, filters, matching and containment (MQTT 3.1.1 §4.7)."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Invalid
from core.ids import DeviceUuid
from core.mqtt import (
    DeviceTopic,
    covers,
    device_topic,
    matches,
    parse_device_topic,
    topic_filter,
    topic_name,
    without_share,
)

UUID = DeviceUuid("5f3a1deb-f4c3-4e1b-8e76-70de4d2e3f56")

LEVELS = ("a", "b", "", "$s")
# "z" stands in no filter: it tells + from a union of literals.
TOPICS = [
    "/".join(levels) for depth in range(1, 5) for levels in product((*LEVELS, "z"), repeat=depth) if levels != ("",)
]

inner = st.sampled_from((*LEVELS, "+"))
filters = st.builds(
    lambda levels, rest: "/".join([*levels, *rest]),
    st.lists(inner, min_size=0, max_size=3),
    st.sampled_from([[], ["#"]]),
).filter(bool)


def matches_by_the_letter(pattern: str, topic: str) -> bool:
    """§4.7 read word for word, level by level."""

    def from_level(wanted: list[str], given_: list[str]) -> bool:
        if not wanted:
            return not given_
        if wanted[0] == "#":
            return True
        return bool(given_) and wanted[0] in {"+", given_[0]} and from_level(wanted[1:], given_[1:])

    if topic[0:1] == "$" and pattern[0] in "+#":
        return False
    return from_level(pattern.split("/"), topic.split("/"))


@given(pattern=filters, topic=st.sampled_from(TOPICS))
def test_matching_agrees_with_the_specification_read_word_for_word(pattern: str, topic: str) -> None:
    assert matches(pattern, topic) == matches_by_the_letter(pattern, topic)


@given(rule=filters, requested=filters)
def test_a_rule_covers_a_filter_exactly_when_it_matches_all_its_topics(rule: str, requested: str) -> None:
    every_topic_is_matched = all(matches(rule, topic) for topic in TOPICS if matches(requested, topic))
    assert covers(rule, requested) == every_topic_is_matched


def test_containment_is_right_for_every_pair_of_short_filters() -> None:
    short = {
        "/".join([*levels, *rest])
        for depth in range(4)
        for levels in product((*LEVELS, "+"), repeat=depth)
        for rest in ((), ("#",))
    } - {""}
    matched = {pattern: {topic for topic in TOPICS if matches(pattern, topic)} for pattern in short}
    wrong = [
        (rule, requested)
        for rule, requested in product(short, repeat=2)
        if covers(rule, requested) != (matched[requested] <= matched[rule])
    ]
    assert wrong == []


@given(rule=filters, requested=filters)
def test_a_shared_filter_counts_as_the_filter_it_shares(rule: str, requested: str) -> None:
    assert covers(rule, f"$share/group/{requested}") == covers(rule, requested)


@pytest.mark.parametrize(
    ("pattern", "topic", "matched"),
    [
        ("iot/device/U/#", "iot/device/U", True),
        ("iot/device/U/#", "iot/device/UX/state", False),
        ("iot/device/U/#", "iot/device/U/a//b", True),
        ("a/+", "a/", True),
        ("a/+", "a", False),
        ("+", "", True),
        ("+/+", "/a", True),
        ("#", "$SYS/load", False),
        ("+/load", "$SYS/load", False),
        ("$SYS/#", "$SYS/load", True),
        ("a.c", "abc", False),
        ("A", "a", False),
    ],
)
def test_item_33_matching_is_level_by_level(pattern: str, topic: str, *, matched: bool) -> None:
    assert matches(pattern, topic) is matched


def test_item_35_one_level_does_not_cover_all_levels() -> None:
    assert not covers("a/+", "a/#")
    assert covers("a/#", "a/+")
    assert covers("+/#", "#")
    assert covers("+/+/#", "/#")


@pytest.mark.parametrize(
    "text", ["", "a/#", "+", "a\x00b", "\ud800", "a" * 65_536, "é" * 32_768, "/" * 128, "a/" * 1_000]
)
def test_a_topic_that_nobody_can_publish_to_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        topic_name(text)


@pytest.mark.parametrize("text", ["/", " ", "a" * 65_535, "/" * 127, "$SYS/x", "température/ü"])
def test_an_unusual_topic_is_a_topic(text: str) -> None:
    assert topic_name(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "#/a",
        "a#",
        "a/b#",
        "a+",
        "a/+b/c",
        "\x00",
        "/" * 128,
        "$share/",
        "$share/g",
        "$share/g/",
        "$share//a",
        "$share/+/a",
        "$share/g/a#",
    ],
)
def test_a_malformed_filter_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        topic_filter(text)


@pytest.mark.parametrize("text", ["#", "+", "+/#", "a/+/b/#", "/", "$share", "$share/g/#", "$share/g//"])
def test_a_good_filter_is_taken(text: str) -> None:
    assert topic_filter(text) == text


def test_the_share_is_stripped_from_shared_filters_only() -> None:
    assert without_share("$share/g/a/b") == "a/b"
    assert without_share("share/g/a/b") == "share/g/a/b"


def test_a_topic_of_a_device_says_whose_it_is() -> None:
    assert parse_device_topic(device_topic(UUID, "jobs", "7", "update")) == DeviceTopic(
        uuid=UUID, kind="jobs", rest="7/update"
    )
    assert parse_device_topic(device_topic(UUID, "state")) == DeviceTopic(uuid=UUID, kind="state")


@pytest.mark.parametrize(
    "topic",
    [
        "",
        "iot",
        "iot/device",
        f"iot/device/{UUID}",
        f"iot/device/{UUID}/",
        f"iot/device/{UUID.upper()}/state",
        f"iot/other/{UUID}/state",
        f"/iot/device/{UUID}/state",
        "iot/device/+/state",
        f"iot/device/ {UUID}/state",
    ],
)
def test_other_topics_are_no_devices_topics(topic: str) -> None:
    assert parse_device_topic(topic) is None
