"""What happens when devices enrol."""

from typing import ClassVar

from attrs import frozen

from core.events import Event
from core.ids import DeviceUuid, ProvisioningKeyId


@frozen(kw_only=True)
class ProvisioningKeyCreated(Event):
    """A key was made that lets devices enrol."""

    NAME: ClassVar[str] = "provisioning_key.created"
    key_id: ProvisioningKeyId
    fleet_id: str
    max_uses: int


@frozen(kw_only=True)
class ProvisioningKeyRevoked(Event):
    """A key lets no more devices enrol."""

    NAME: ClassVar[str] = "provisioning_key.revoked"
    SEVERITY: ClassVar[str] = "warning"
    key_id: ProvisioningKeyId
    reason: str | None


@frozen(kw_only=True)
class DevicePreregistered(Event):
    """A device is expected: it has a place, and the key `key_id` leads to it."""

    NAME: ClassVar[str] = "device.preregistered"
    uuid: DeviceUuid
    name: str
    type: str
    key_id: ProvisioningKeyId


@frozen(kw_only=True)
class PendingDeviceClaimed(Event):
    """A device that was expected has come: what was known as `pending_uuid` is known as `uuid` from now on."""

    NAME: ClassVar[str] = "device.claimed"
    uuid: DeviceUuid
    pending_uuid: DeviceUuid
    name: str


@frozen(kw_only=True)
class DeviceRegistered(Event):
    """A device enrolled, for the first time or again after its release or a lost answer (`fresh` is false)."""

    NAME: ClassVar[str] = "device.registered"
    uuid: DeviceUuid
    name: str
    type: str
    key_id: ProvisioningKeyId
    fresh: bool


@frozen(kw_only=True)
class DeviceKeyExchanged(Event):
    """A device has proved that it holds its key; it counts itself as provisioned now."""

    NAME: ClassVar[str] = "device.key_exchanged"
    uuid: DeviceUuid


@frozen(kw_only=True)
class RegistrationRefused(Event):
    """Somebody tried to enrol and was refused. The reason is for the audit log; it was not told."""

    NAME: ClassVar[str] = "provisioning.refused"
    SEVERITY: ClassVar[str] = "warning"
    uuid: str
    reason: str
    address: str
