"""Devices that registered by provisioning v2 have the seed's topics beside the others."""

import pytest

from core.ids import DeviceUuid
from core.mqtt import (
    Access,
    DeviceTopic,
    MqttAccount,
    device_branches,
    device_rules,
    device_username,
    matches,
    parse_device_topic,
    permits,
)

UUID = DeviceUuid("5f3a1deb-f4c3-4e1b-8e76-70de4d2e3f56")
OTHER = DeviceUuid("0b8e7a0e-9d1c-4d43-8a3c-0d6f3f1c2a11")


def may(topic: str, access: Access, *, v2: bool = True) -> bool:
    name = device_username(UUID)
    account = MqttAccount(username=name, digest="", is_active=True, device_uuid=UUID, v2=v2)
    return permits(account.rules(), topic, access, username=name, client_id=name)


@pytest.mark.parametrize(
    ("topic", "granted"),
    [
        (f"agent/{UUID}/status", {1, 2, 4}),
        (f"agent/{UUID}/#", {4}),
        (f"sensor/{UUID}/modbus", {2}),
        (f"state/{UUID}", {1, 2, 4}),
        (f"state/{UUID}/x/y", {1, 2, 4}),
        (f"state/{UUID}/#", {4}),
        (f"sensor/{UUID}/#", set()),
        (f"agent/{OTHER}/status", set()),
        (f"sensor/{OTHER}/modbus", set()),
        ("agent/+/status", set()),
        ("state/#", set()),
        (f"agent/{UUID.upper()}/status", set()),
        ("$share/g/agent/#", set()),
    ],
)
def test_the_seeds_topics_are_granted_to_v2_devices_only(topic: str, granted: set[int]) -> None:
    asked = [access for access in Access if ("#" not in topic and "+" not in topic) or access is Access.SUBSCRIBE]
    assert {access.value for access in asked if may(topic, access)} == granted
    assert not any(may(topic, access, v2=False) for access in asked)


@pytest.mark.parametrize("topic", [f"iot/device/{UUID}/sensor/modbus", f"iot/device/{UUID}/state"])
def test_v2_devices_keep_the_topics_that_all_devices_have(topic: str) -> None:
    assert may(topic, Access.WRITE)


def test_v2_devices_cannot_command_themselves_either() -> None:
    """Contract 12.2 item 38: commands come below iot/device only."""
    assert not may(f"iot/device/{UUID}/agent/update", Access.WRITE)
    assert not may(f"iot/device/{UUID}/jobs/notify-next", Access.WRITE)


def test_the_wide_rules_can_be_had_with_v2() -> None:
    rules = device_rules(UUID, wide=True, v2=True)
    assert permits(rules, f"iot/device/{UUID}/anything", Access.READ)
    assert permits(rules, f"agent/{UUID}/anything", Access.READ)


@pytest.mark.parametrize(
    ("topic", "kind", "rest"),
    [
        (f"agent/{UUID}/status", "agent", "status"),
        (f"sensor/{UUID}/modbus/1", "sensor", "modbus/1"),
        (f"state/{UUID}", "state", ""),
    ],
)
def test_the_seeds_topics_mean_what_the_others_mean(topic: str, kind: str, rest: str) -> None:
    assert parse_device_topic(topic) == DeviceTopic(uuid=UUID, kind=kind, rest=rest)


@pytest.mark.parametrize(
    "topic",
    [
        f"state/{UUID}/x",
        f"state/{UUID.upper()}",
        "state",
        "state/x",
        f"agents/{UUID}/status",
        f"/state/{UUID}",
        f"jobs/{UUID}/1/update",
    ],
)
def test_other_topics_are_nobodys(topic: str) -> None:
    assert parse_device_topic(topic) is None


@pytest.mark.parametrize("topic", [f"iot/device/{UUID}/state", f"agent/{UUID}/a", f"sensor/{UUID}/b", f"state/{UUID}"])
def test_whatever_a_device_may_have_left_lies_below_its_branches(topic: str) -> None:
    assert any(matches(branch, topic) for branch in device_branches(UUID))
