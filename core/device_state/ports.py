"""What the states of devices need from outside."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from core.device_state.endpoints import EndpointChange
from core.device_state.model import Deployed, DeployedVersion, Draft, Reported
from core.ids import DeviceUuid
from core.transactions import Transaction


class DesiredStateStore(Protocol):
    """Remembers what devices shall run. tests/contracts/desired_state_store.py says exactly how."""

    async def hold(self, tx: Transaction, uuid: DeviceUuid) -> None:
        """Hold up others who hold the same until the transaction ends: what is read from now on stays true."""

    async def deployed(self, tx: Transaction, uuid: DeviceUuid) -> Deployed | None:
        """The highest version, or None if the device has none."""

    async def deploy(self, tx: Transaction, deployed: Deployed) -> None:
        """Remember a new version. Conflict if there is such a version; NotFound if there is no such device."""

    async def version(self, tx: Transaction, uuid: DeviceUuid, version: int) -> Deployed | None:
        """That version, or None if there is none, or none any more."""

    async def versions(self, tx: Transaction, uuid: DeviceUuid, limit: int) -> Sequence[DeployedVersion]:
        """The versions, the newest first."""

    async def prune(self, tx: Transaction, uuid: DeviceUuid, before: int) -> int:
        """Forget the versions below `before`, but never the highest there is; how many there were."""

    async def devices_with_app(self, tx: Transaction, app_id: int, limit: int) -> Sequence[DeviceUuid]:
        """Some of the devices that have the app in what they are served, or in their draft."""

    async def draft(self, tx: Transaction, uuid: DeviceUuid) -> Draft | None:
        """The draft, or None if there is none."""

    async def save_draft(self, tx: Transaction, draft: Draft) -> None:
        """Replace the previous revision, or begin with revision 1. Conflict if someone else did first."""

    async def drop_draft(self, tx: Transaction, uuid: DeviceUuid) -> bool:
        """Forget the draft; whether there was one."""


class ReportedStateStore(Protocol):
    """Remembers what devices say of themselves. tests/contracts/reported_state_store.py says exactly how."""

    async def find(self, tx: Transaction, uuid: DeviceUuid, *, to_change: bool = False) -> Reported | None:
        """What the device last said, or None. `to_change`, within `begin()`, holds it until the end.

        Where it cannot be held against other processes, the unit ends with Conflict if one of them has changed it.
        """

    async def save(self, tx: Transaction, reported: Reported, *, first: bool = False) -> None:
        """Replace what is known. NotFound if there is no such device.

        `first` is for who has found nothing: Conflict if there is something by now.
        """


class EndpointChangeStore(Protocol):
    """Remembers when sensors went and came back. tests/contracts/endpoint_change_store.py says exactly how."""

    async def add(self, tx: Transaction, uuid: DeviceUuid, changes: Sequence[EndpointChange]) -> None:
        """Remember them. The device must exist; they go when it goes."""

    async def last(
        self, tx: Transaction, uuid: DeviceUuid, protocol: str, name: str, *, since: datetime, limit: int
    ) -> Sequence[EndpointChange]:
        """Those of one sensor that were noticed since then, the newest first."""

    async def drop_before(self, tx: Transaction, moment: datetime, most: int) -> int:
        """Forget up to `most` that were noticed before the moment; how many there were."""


class AppNames(Protocol):
    """Knows what apps are called. Implemented by applications."""

    async def container_name(self, tx: Transaction, app_id: int) -> str | None:
        """The name of the app that Docker takes as part of a container's name, or None if it is not known."""


class VitalsSink(Protocol):
    """Keeps the numbers of reports. Implemented by telemetry."""

    async def record(self, tx: Transaction, uuid: DeviceUuid, report: Mapping[str, Any], *, late: bool) -> None:
        """Keep what the report says of the machine, in the transaction that keeps the rest of it.

        Called for every report. `report` has the names, units and types of contract §2.7, is bounded and has no
        NaN; absent means unchanged. `late` ones were taken at an unknown time in the past and must not replace what is
        known now. Must not raise for odd values: a device is never locked out by one. Raises Unavailable
        when there is no room, and then nothing of the report is kept.
        """
