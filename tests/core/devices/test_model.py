"""Decisions about one device."""

from datetime import timedelta

import pytest

from core.devices import Device, DeviceEdit, DeviceStatus, ProvisioningState, device_api_key
from core.errors import Conflict, Invalid
from tests.support.clock import NOON
from tests.support.enrolment import a_device

LATER = NOON + timedelta(minutes=1)


@pytest.mark.parametrize("key", ["a" * 64, "A-z_0" * 10, "0123456789abcdef" * 4])
def test_a_long_random_key_is_taken(key: str) -> None:
    assert device_api_key(key) == key


@pytest.mark.parametrize(
    "key", ["", "a" * 42, "a" * 257, "a" * 63 + " ", "a" * 64 + "\n", "a" * 63 + "ä", None, 7, ["a"]]
)
def test_a_weak_or_odd_key_is_refused_without_repeating_it(key: object) -> None:
    with pytest.raises(Invalid) as refusal:
        device_api_key(key)
    assert list(refusal.value.fields) == ["deviceApiKey"]
    assert "aaa" not in refusal.value.message


@pytest.mark.parametrize("written", ["02-00-00-00-00-0a", "02:00:00:00:00:0A", " 02:00:00:00:00:0a "])
def test_a_mac_address_has_one_form(written: str) -> None:
    assert a_device(mac_address=written).mac_address == "02:00:00:00:00:0A"


def test_a_mac_address_may_be_absent() -> None:
    assert a_device(mac_address="").mac_address is None


@pytest.mark.parametrize("written", ["02:00:00:00:00", "02:00:00:00:00:0g", "02:00:00:00:00:01\nx", "\u0660" * 17])
def test_what_is_no_mac_address_is_refused(written: str) -> None:
    with pytest.raises(Invalid, match="macAddress"):
        a_device(mac_address=written)


@pytest.mark.parametrize("field", ["name", "type", "os_version", "agent_version"])
@pytest.mark.parametrize("text", ["", "x" * 300, "a\nPostUp = reboot", "a\0"])
def test_what_a_device_calls_itself_is_short_and_plain(field: str, text: str) -> None:
    """Abuse case 45: names end up in configuration files."""
    with pytest.raises(Invalid):
        a_device(**{field: text})


def test_a_device_that_is_switched_is_one_revision_later() -> None:
    off = a_device().switched(LATER, active=False)
    assert (off.status, off.active, off.revision, off.modified_at) == (DeviceStatus.INACTIVE, False, 2, LATER)
    assert off.switched(LATER, active=True).active


def test_only_a_registered_device_is_released() -> None:
    released = a_device().released(LATER)
    assert released.provisioning is ProvisioningState.RELEASED
    for state in (ProvisioningState.RELEASED, ProvisioningState.PENDING):
        with pytest.raises(Conflict):
            a_device(provisioning=state).released(LATER)


def test_an_edit_changes_what_it_names_and_nothing_else() -> None:
    device = a_device(mac_address="02:00:00:00:00:01")
    edited = DeviceEdit(name="press 7", ip_address="2001:DB8::7").applied_to(device, LATER)
    assert (edited.name, edited.ip_address, edited.revision) == ("press 7", "2001:db8::7", 2)
    assert (edited.type, edited.mac_address, edited.uuid) == (device.type, device.mac_address, device.uuid)


def test_an_edit_of_nothing_is_refused() -> None:
    with pytest.raises(Invalid, match="at least one"):
        DeviceEdit().applied_to(a_device(), LATER)


@pytest.mark.parametrize(
    "edit", [{"name": "a\nb"}, {"mac_address": "x"}, {"ip_address": "999.0.0.1"}, {"type": "x" * 101}]
)
def test_an_edit_with_a_wrong_value_is_refused(edit: dict[str, str]) -> None:
    with pytest.raises(Invalid):
        DeviceEdit(**edit).applied_to(a_device(), LATER)


def test_a_device_does_not_tell_more_of_itself_than_it_knows() -> None:
    device: Device = a_device()
    assert (device.is_online, device.last_seen, device.fleet_id, device.provisioned_by) == (False, None, None, None)
