"""Who may do what: the truth tables of contract §12.2 and the tricks of abuse cases 13 to 15 and 19."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.ids import DeviceUuid
from core.mqtt import Access, Rule, device_of, device_rules, device_username, is_plain, may_be_called, permits

UUID = DeviceUuid("5f3a1deb-f4c3-4e1b-8e76-70de4d2e3f56")
OTHER = DeviceUuid("0b8e7a0e-9d1c-4d43-8a3c-0d6f3f1c2a11")
BRANCH = f"iot/device/{UUID}"
ALL = Access.READ | Access.WRITE | Access.SUBSCRIBE


def device_may(topic: str, access: Access) -> bool:
    name = device_username(UUID)
    return permits(device_rules(UUID), topic, access, username=name, client_id=name)


@pytest.mark.parametrize(("granted", "asked"), list(product(range(1, 8), (1, 2, 4))))
def test_item_32_what_is_asked_must_be_granted_and_reading_brings_subscribing(granted: int, asked: int) -> None:
    implied = granted | (4 if granted & 1 else 0)
    assert permits([Rule(topic="a/b", access=granted)], "a/b", asked) is (implied & asked == asked)


def test_item_32_write_alone_allows_neither_reading_nor_subscribing() -> None:
    rules = [Rule(topic="a", access=Access.WRITE)]
    assert [permits(rules, "a", asked) for asked in (1, 2, 4)] == [False, True, False]


@pytest.mark.parametrize("asked", [0, 3, 5, 6, 7, 8, -1, 12])
def test_abuse_15_what_is_not_one_known_access_is_denied(asked: int) -> None:
    assert not permits([Rule(topic="#", access=ALL)], "a", asked)


@pytest.mark.parametrize(
    ("topic", "allowed"), [(BRANCH, True), (f"{BRANCH}X/state", False), (f"{BRANCH}/a//b", True), ("$SYS/x", False)]
)
def test_item_33_rules_match_level_by_level(topic: str, *, allowed: bool) -> None:
    assert permits([Rule(topic=f"{BRANCH}/#", access=ALL)], topic, Access.READ) is allowed


@pytest.mark.parametrize(
    "wanted",
    [
        "#",
        "+/#",
        "$SYS/#",
        "$share/g/#",
        "iot/device/+/state",
        "agent/+/x",
        f"{BRANCH}/#",
        f"{BRANCH}/+",
        f"{BRANCH}/jobs/+",
        f"{BRANCH}/jobs/#",
        f"iot/device/{OTHER}/agent/update",
        "",
        "$share/g",
        "$share/g/",
    ],
)
def test_item_34_and_abuse_14_a_device_cannot_subscribe_to_more_than_its_commands(wanted: str) -> None:
    assert not device_may(wanted, Access.SUBSCRIBE)


def test_item_34_a_wildcard_does_not_open_the_servers_own_topics() -> None:
    for access in (Access.READ, Access.WRITE, Access.SUBSCRIBE):
        assert not permits([Rule(topic="#", access=ALL)], "$SYS/load", access)
    assert not permits([Rule(topic="#", access=ALL)], "$SYS/#", Access.SUBSCRIBE)
    assert permits([Rule(topic="$SYS/#", access=ALL)], "$SYS/#", Access.SUBSCRIBE)


@pytest.mark.parametrize("topic", [f"{BRANCH}/agent/update", f"{BRANCH}/state"])
def test_item_34_a_shared_filter_is_judged_as_the_plain_one(topic: str) -> None:
    assert device_may(f"$share/g/{topic}", Access.SUBSCRIBE) is device_may(topic, Access.SUBSCRIBE)


def test_item_35_a_rule_for_one_level_does_not_admit_all_levels() -> None:
    rules = [Rule(topic="a/+", access=ALL)]
    assert not permits(rules, "a/#", Access.SUBSCRIBE)
    assert permits(rules, "a/+", Access.SUBSCRIBE)


@pytest.mark.parametrize("name", ["+", "#", "a/b", "a\x00", "a+b", "x#", "$SYS", "$share"])
def test_item_36_and_abuse_13_names_that_would_change_a_filter_are_refused(name: str) -> None:
    rules = [Rule(topic="home/%u/#", access=ALL), Rule(topic="home/%c/#", access=ALL), Rule(topic="#", access=ALL)]
    assert not is_plain(name)
    assert not permits(rules, "home/x/y", Access.READ, username=name, client_id="c")
    assert not permits(rules, "home/x/y", Access.READ, username="u", client_id=name)


def test_placeholders_stand_for_the_names_and_are_not_expanded_twice() -> None:
    rules = [Rule(topic="%u/%c", access=ALL)]
    assert permits(rules, "ann/phone", Access.WRITE, username="ann", client_id="phone")
    assert not permits(rules, "bob/phone", Access.WRITE, username="ann", client_id="phone")
    assert permits(rules, "%c/phone", Access.WRITE, username="%c", client_id="phone")
    assert not permits(rules, "phone/phone", Access.WRITE, username="%c", client_id="phone")


@pytest.mark.parametrize(
    ("username", "client_id", "allowed"),
    [
        (device_username(UUID), device_username(UUID), True),
        (device_username(UUID), "else", False),
        (device_username(UUID), device_username(OTHER), False),
        ("ann", device_username(UUID), False),
        ("ann", "phone", True),
    ],
)
def test_item_37_devices_are_called_what_they_are_and_nobody_else_is(
    username: str, client_id: str, *, allowed: bool
) -> None:
    assert may_be_called(username, client_id) is allowed


@pytest.mark.parametrize("command", ["jobs/notify-next", "agent/update", "jobs/1/update/accepted", "jobs/start-next"])
def test_item_38_a_device_cannot_command_itself(command: str) -> None:
    assert not device_may(f"{BRANCH}/{command}", Access.WRITE)


@pytest.mark.parametrize("report", ["state", "sensor/modbus", "sensor/", "jobs/7/update", "agent/status"])
def test_a_device_may_report_but_not_read_reports(report: str) -> None:
    assert device_may(f"{BRANCH}/{report}", Access.WRITE)
    assert not device_may(f"{BRANCH}/{report}", Access.READ)
    assert not device_may(f"{BRANCH}/{report}", Access.SUBSCRIBE)
    assert not device_may(f"iot/device/{OTHER}/{report}", Access.WRITE)


@pytest.mark.parametrize("command", ["jobs/notify-next", "agent/update"])
def test_a_device_hears_its_commands(command: str) -> None:
    assert device_may(f"{BRANCH}/{command}", Access.SUBSCRIBE)
    assert device_may(f"{BRANCH}/{command}", Access.READ)


def test_the_wide_rules_end_at_the_devices_branch() -> None:
    rules = device_rules(UUID, wide=True)
    assert permits(rules, f"{BRANCH}/anything/at/all", Access.WRITE)
    assert permits(rules, f"{BRANCH}/#", Access.SUBSCRIBE)
    assert not permits(rules, f"iot/device/{OTHER}/state", Access.WRITE)


def test_abuse_19_no_rules_grant_nothing() -> None:
    assert not any(permits([], "a", access) for access in Access)


def test_the_highest_priority_decides_and_a_denial_wins_a_draw() -> None:
    grant = Rule(topic="a/#", access=ALL, priority=1)
    assert not permits([grant, Rule(topic="a/b", access=ALL, deny=True, priority=1)], "a/b", Access.READ)
    assert not permits([grant, Rule(topic="a/b", access=ALL, deny=True, priority=2)], "a/b", Access.READ)
    assert permits([grant, Rule(topic="a/b", access=ALL, deny=True)], "a/b", Access.READ)
    assert permits([grant, Rule(topic="a/b", access=ALL, deny=True, priority=2)], "a/c", Access.READ)


@given(st.text(max_size=60))
def test_only_the_canonical_name_of_a_device_is_a_devices_name(text: str) -> None:
    assert device_of(text) is None
    assert device_of(f"device_{text}") is None
    assert device_of(device_username(UUID)) == UUID
    assert device_of(device_username(UUID).upper()) is None
    assert device_of(UUID) is None
