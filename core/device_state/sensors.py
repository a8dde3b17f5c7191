"""The sensors that a device shall read: edited in the draft, one at a time (contract §4.9, §9.5)."""

from collections.abc import Mapping
from typing import Any

from attrs import evolve, frozen

from core.actor import Actor
from core.checks import require
from core.device_state.drafts import ANYTHING, Drafts, Expected, may_edit
from core.device_state.findings import Caution
from core.device_state.model import Content, Target
from core.device_state.ports import ReportedStateStore
from core.device_state.sensor_checks import name_of, sensors_in
from core.device_state.sensor_views import SensorList, SensorView, sensor_list
from core.devices import DEVICE_READ
from core.errors import Conflict, Invalid, NotFound
from core.ids import DeviceUuid
from core.transactions import Transactions

CHANGEABLE = frozenset(
    {
        "name",
        "protocol",
        "enabled",
        "pollInterval",
        "connection",
        "connectionString",
        "dataPoints",
        "registers",
        "metadata",
    }
)
FIRST_OF_ALL = Caution(
    "config.sensors",
    "had none until now: agents start an adapter only if there is a sensor for it when they start; restart the agent",
)


@frozen(kw_only=True)
class EditedSensor:
    """A sensor after an edit, and the draft that it is in."""

    sensor: SensorView
    target: Target


class Sensors:
    """Lists, adds, changes and removes sensors. Nothing that a device reports ever changes a definition (T-02)."""

    def __init__(self, *, transactions: Transactions, drafts: Drafts, reported: ReportedStateStore) -> None:
        self._transactions = transactions
        self._drafts = drafts
        self._reported = reported

    async def all(self, actor: Actor, uuid: DeviceUuid) -> SensorList:
        """Those people asked for, as they see them, and those the agent found. NotFound."""
        require(actor, DEVICE_READ)
        async with self._transactions.read() as tx:
            target = await self._drafts.target(tx, uuid)
            reported = await self._reported.find(tx, uuid)
        return sensor_list(evolve(target, with_secrets=may_edit(actor)), reported)

    async def add(
        self, actor: Actor, uuid: DeviceUuid, sensor: Mapping[str, Any], expected: Expected = ANYTHING
    ) -> EditedSensor:
        """One more in the draft, with an id of its own. Conflict if there is one of this name; Invalid, NotFound."""
        name = str(sensor.get("name") or "").strip()

        def change(seen: Content) -> tuple[Any, Any]:
            sensors = sensors_in(seen.config)
            if any(name_of(each) == name for each in sensors):
                raise Conflict(f"the device has a sensor of the name {name} already")
            return seen.apps, {**seen.config, "sensors": [*sensors, _known_fields(sensor)]}

        target = await self._drafts.edit(actor, uuid, change, expected)
        if not sensors_in(target.deployed.content.config):
            target = evolve(target, cautions=(*target.cautions, FIRST_OF_ALL))
        return _edited(target, name)

    async def change(
        self,
        actor: Actor,
        uuid: DeviceUuid,
        name: str,
        changes: Mapping[str, Any],
        expected: Expected = ANYTHING,
    ) -> EditedSensor:
        """Another value for some of its fields. `name` may be its id. Invalid for a new name; NotFound."""

        def change(seen: Content) -> tuple[Any, Any]:
            sensors = sensors_in(seen.config)
            place = _place_of(name, sensors)
            _refuse_rename(sensors[place], changes)
            sensors[place] = _changed(sensors[place], changes)
            return seen.apps, {**seen.config, "sensors": sensors}

        return _edited(await self._drafts.edit(actor, uuid, change, expected), name)

    async def remove(self, actor: Actor, uuid: DeviceUuid, name: str, expected: Expected = ANYTHING) -> Target:
        """One less in the draft. `name` may be its id. NotFound."""

        def change(seen: Content) -> tuple[Any, Any]:
            sensors = sensors_in(seen.config)
            del sensors[_place_of(name, sensors)]
            return seen.apps, {**seen.config, "sensors": sensors}

        return await self._drafts.edit(actor, uuid, change, expected)


def _known_fields(sensor: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in sensor.items() if name in CHANGEABLE and value is not None}


def _changed(sensor: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """The sensor with what is said of it; how it is reached is said in one way only."""
    said = _known_fields(changes) | {"name": sensor["name"]}
    other = {"connection": "connectionString", "connectionString": "connection"}
    replaced = {other[name] for name in said if name in other and other[name] not in said}
    return {name: value for name, value in sensor.items() if name not in replaced} | said


def _refuse_rename(sensor: Mapping[str, Any], changes: Mapping[str, Any]) -> None:
    wanted = changes.get("name")
    if wanted is None or (isinstance(wanted, str) and wanted.strip() == sensor.get("name")):
        return
    message = (
        "a sensor cannot be renamed, since agents know it by its name and would read both:"
        " delete it, deploy, add it under the new name, and deploy again"
    )
    raise Invalid(message, field="name")


def _place_of(name: str, sensors: list[Mapping[str, Any]]) -> int:
    """Where it stands, by its name or else by its id. NotFound."""
    for key in ("name", "id", "uuid"):
        for number, sensor in enumerate(sensors):
            if sensor.get(key) == name:
                return number
    raise NotFound("the device has no such sensor")


def _edited(target: Target, name: str) -> EditedSensor:
    views = sensor_list(target, None).sensors
    [sensor] = [view for view in views if name in {view.name, view.id}][:1]
    return EditedSensor(sensor=sensor, target=target)
