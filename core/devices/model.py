"""A device, and the decisions about one."""

import re
from datetime import datetime
from enum import Enum
from ipaddress import ip_address as address_of
from typing import Any

from attrs import evolve, field, frozen

from core.checks import PlainText
from core.errors import Conflict, Invalid
from core.ids import DeviceUuid

LONGEST_NAME = 255
LONGEST_TYPE = 100
_MAC = re.compile(r"[0-9A-Fa-f]{2}(?:[:-][0-9A-Fa-f]{2}){5}")
_KEY = re.compile(r"[A-Za-z0-9_-]{43,256}")


class DeviceStatus(Enum):
    """Whether the device may speak to us."""

    ACTIVE = "active"
    INACTIVE = "inactive"


class ProvisioningState(Enum):
    """How far the device has come with its enrolment."""

    PENDING = "pending"
    REGISTERED = "registered"
    RELEASED = "released"


def mac_address(value: str | None) -> str | None:
    """The MAC address in its usual form, upper case with colons. Raises Invalid."""
    if value is None or not value.strip():
        return None
    if not _MAC.fullmatch(value.strip()):
        raise Invalid("macAddress must look like 02:00:00:00:00:01", field="macAddress")
    return value.strip().upper().replace("-", ":")


def ip_address(value: str | None) -> str | None:
    """The IPv4 or IPv6 address in its usual form. Raises Invalid."""
    if value is None:
        return None
    try:
        return str(address_of(value.strip()))
    except ValueError as error:
        raise Invalid("ipAddress must look like 192.0.2.7 or 2001:db8::7", field="ipAddress") from error


def device_api_key(value: object) -> str:
    """A device's own key: at least 256 bits in hexadecimal or base64url. Raises Invalid that does not repeat it."""
    if not isinstance(value, str) or not _KEY.fullmatch(value):
        raise Invalid("deviceApiKey must be 64 hexadecimal digits", field="deviceApiKey")
    return value


@frozen(kw_only=True)
class Device:
    """A machine we manage, from its registration until it is removed."""

    uuid: DeviceUuid
    name: str = field(validator=PlainText(longest=LONGEST_NAME, called="deviceName"))
    type: str = field(validator=PlainText(longest=LONGEST_TYPE, called="deviceType"))
    created_at: datetime
    modified_at: datetime
    id: int = 0
    status: DeviceStatus = DeviceStatus.ACTIVE
    provisioning: ProvisioningState = ProvisioningState.REGISTERED
    fleet_id: str | None = None
    provisioned_at: datetime | None = None
    provisioned_by: str | None = None
    mac_address: str | None = field(default=None, converter=mac_address)
    ip_address: str | None = None
    os_version: str | None = field(default=None, validator=PlainText(longest=100, optional=True, called="osVersion"))
    agent_version: str | None = field(
        default=None, validator=PlainText(longest=100, optional=True, called="agentVersion")
    )
    is_online: bool = False
    connectivity_at: datetime | None = None
    last_seen: datetime | None = None
    revision: int = 1

    @property
    def active(self) -> bool:
        """Whether the device may speak to us."""
        return self.status is DeviceStatus.ACTIVE

    def changed(self, now: datetime, **changes: Any) -> "Device":
        """The same device with other values, one revision later."""
        return evolve(self, modified_at=now, revision=self.revision + 1, **changes)

    def switched(self, now: datetime, *, active: bool) -> "Device":
        """The same device, in service or out of it."""
        return self.changed(now, status=DeviceStatus.ACTIVE if active else DeviceStatus.INACTIVE)

    def released(self, now: datetime) -> "Device":
        """The same device, free to enrol again with another key."""
        if self.provisioning is not ProvisioningState.REGISTERED:
            raise Conflict(f"only a registered device can be released; this one is {self.provisioning.value}")
        return self.changed(now, provisioning=ProvisioningState.RELEASED)


@frozen(kw_only=True)
class DeviceEdit:
    """What people may change of a device. None leaves a value as it is."""

    name: str | None = None
    type: str | None = None
    ip_address: str | None = field(default=None, converter=ip_address)
    mac_address: str | None = None

    def applied_to(self, device: Device, now: datetime) -> Device:
        """The device after the edit. Raises Invalid when nothing is to be changed or a value is wrong."""
        wanted = {
            "name": self.name,
            "type": self.type,
            "ip_address": self.ip_address,
            "mac_address": self.mac_address,
        }
        changes = {name: value for name, value in wanted.items() if value is not None}
        if not changes:
            raise Invalid("name at least one of deviceName, deviceType, ipAddress, macAddress")
        return device.changed(now, **changes)


@frozen(kw_only=True)
class KnownDevice:
    """What the hot paths need to know of a device that has shown its key."""

    uuid: DeviceUuid
    active: bool
