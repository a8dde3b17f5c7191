"""What happens to the states of devices."""

from typing import ClassVar

from attrs import frozen

from core.devices import DeviceEvent


@frozen(kw_only=True)
class TargetStateDrafted(DeviceEvent):
    """Somebody edited what a device shall run; the device does not know yet."""

    NAME: ClassVar[str] = "target_state.drafted"
    revision: int


@frozen(kw_only=True)
class TargetStateDeployed(DeviceEvent):
    """A draft became what the device shall run; it is told at its next poll."""

    NAME: ClassVar[str] = "target_state.deployed"
    version: int


@frozen(kw_only=True)
class DraftCancelled(DeviceEvent):
    """Somebody dropped a draft; `version` is still what the device shall run."""

    NAME: ClassVar[str] = "target_state.draft_cancelled"
    version: int


@frozen(kw_only=True)
class CurrentStateChanged(DeviceEvent):
    """A device runs something else than before, or has seen another version of what it shall run."""

    NAME: ClassVar[str] = "current_state.changed"
    version: int | None
    apps: tuple[str, ...]


@frozen(kw_only=True)
class ReportRefused(DeviceEvent):
    """Something was published as the report of this device that is none of its own; it was dropped."""

    NAME: ClassVar[str] = "report.refused"
    SEVERITY: ClassVar[str] = "warning"
    reason: str
