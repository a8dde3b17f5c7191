"""What happens to devices."""

from typing import ClassVar

from attrs import frozen

from core.events import Event
from core.ids import DeviceUuid


@frozen(kw_only=True)
class DeviceEvent(Event):
    """Something happened to a device."""

    uuid: DeviceUuid


@frozen(kw_only=True)
class DeviceEdited(DeviceEvent):
    """A person changed what we know of a device; `changes` names the fields."""

    NAME: ClassVar[str] = "device.edited"
    changes: tuple[str, ...]


@frozen(kw_only=True)
class DeviceActivated(DeviceEvent):
    """A device may speak to us again."""

    NAME: ClassVar[str] = "device.activated"


@frozen(kw_only=True)
class DeviceDeactivated(DeviceEvent):
    """A device may speak to us no more, until it is activated."""

    NAME: ClassVar[str] = "device.deactivated"
    SEVERITY: ClassVar[str] = "warning"


@frozen(kw_only=True)
class DeviceReleased(DeviceEvent):
    """A device may enrol again with another key."""

    NAME: ClassVar[str] = "device.released"
    SEVERITY: ClassVar[str] = "warning"


@frozen(kw_only=True)
class DeviceRemoved(DeviceEvent):
    """A device is gone, with its credentials and its states."""

    NAME: ClassVar[str] = "device.removed"
    SEVERITY: ClassVar[str] = "warning"
    name: str


@frozen(kw_only=True)
class DeviceOnline(DeviceEvent):
    """A device that was silent has been heard of."""

    NAME: ClassVar[str] = "device.online"


@frozen(kw_only=True)
class DeviceOffline(DeviceEvent):
    """A device has been silent for longer than it may."""

    NAME: ClassVar[str] = "device.offline"
    SEVERITY: ClassVar[str] = "warning"
