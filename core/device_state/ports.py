"""What the states of devices need from outside."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from core.device_state.model import Deployed, DeployedVersion, Draft, Reported
from core.ids import DeviceUuid
from core.transactions import Transaction


class DesiredStateStore(Protocol):
    """Remembers what devices shall run. tests/contracts/desired_state_store.py says exactly how."""

    async def deployed(self, tx: Transaction, uuid: DeviceUuid) -> Deployed | None:
        """The highest version, or None if the device has none."""

    async def deploy(self, tx: Transaction, deployed: Deployed) -> None:
        """Remember a new version. Conflict if there is such a version; NotFound if there is no such device."""

    async def versions(self, tx: Transaction, uuid: DeviceUuid, limit: int) -> Sequence[DeployedVersion]:
        """The versions, the newest first."""

    async def draft(self, tx: Transaction, uuid: DeviceUuid) -> Draft | None:
        """The draft, or None if there is none."""

    async def save_draft(self, tx: Transaction, draft: Draft) -> None:
        """Replace the previous revision, or begin with revision 1. Conflict if someone else did first."""

    async def drop_draft(self, tx: Transaction, uuid: DeviceUuid) -> bool:
        """Forget the draft; whether there was one."""


class ReportedStateStore(Protocol):
    """Remembers what devices say of themselves. tests/contracts/reported_state_store.py says exactly how."""

    async def find(self, tx: Transaction, uuid: DeviceUuid, *, to_change: bool = False) -> Reported | None:
        """What the device last said, or None. `to_change`, within `begin()`, holds it until the end."""

    async def save(self, tx: Transaction, reported: Reported) -> None:
        """Replace what is known. NotFound if there is no such device."""


class VitalsSink(Protocol):
    """Keeps the numbers of reports. Implemented by telemetry."""

    async def record(self, tx: Transaction, uuid: DeviceUuid, report: Mapping[str, Any], *, late: bool) -> None:
        """Keep what the report says of the machine, in the transaction that keeps the rest of it.

        Called for every report. `report` has the names, units and types of contract §2.7, is bounded and has no
        NaN; absent means unchanged. `late` ones were taken at an unknown time in the past and must not replace what is
        known now. Must not raise for odd values: a device is never locked out by one.
        """
