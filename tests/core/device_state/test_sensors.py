"""The sensors of a device, and when they went and came back (contract §4.9, §9.5)."""

from typing import Any

import pytest

from core.device_state import EndpointHealth, SensorStage
from core.device_state.endpoints import MOST_CHANGES, changes_of
from core.devices import DEVICE_READ
from core.errors import Conflict, Forbidden, Invalid, NotFound
from tests.support.clock import NOON
from tests.support.states import MANAGER, OTHER, UUID, States, device_actor, person

VIEWER = person(DEVICE_READ)
BOILER: dict[str, Any] = {
    "name": "boiler",
    "protocol": "modbus",
    "connection": {"type": "tcp", "host": "192.0.2.7", "port": 502, "slaveId": 1},
    "dataPoints": [{"name": "temperature", "address": 0, "functionCode": 3}],
}
PUMP = {**BOILER, "name": "pump", "connection": {"host": "192.0.2.8"}}


async def reported(states: States, **fields: Any) -> None:
    await states.reports.receive(device_actor(), {UUID: {"version": 2, **fields}})


def told(name: str, **fields: Any) -> dict[str, Any]:
    """A sensor as agents report it."""
    return {"id": "its own", "name": name, "protocol": "modbus", "connectionString": "{}", "enabled": 1, **fields}


async def deployed(states: States, *sensors: dict[str, Any]) -> None:
    await states.enrol()
    for sensor in sensors:
        await states.sensors.add(MANAGER, UUID, sensor)
    await states.desired.deploy(MANAGER, UUID)


async def stages(states: States) -> dict[str, SensorStage]:
    return {each.name: each.stage for each in (await states.sensors.all(VIEWER, UUID)).sensors}


async def test_two_sensors_have_an_id_each_in_the_configuration(states: States) -> None:
    """§12.1 item 25."""
    await deployed(states, BOILER, PUMP)
    sensors = (await states.desired.view(MANAGER, UUID)).deployed.content.config["sensors"]
    assert [sensor["name"] for sensor in sensors] == ["boiler", "pump"]
    assert len({sensor["id"] for sensor in sensors}) == 2
    assert all(sensor["id"] == sensor["uuid"] for sensor in sensors)


async def test_a_report_never_alters_a_definition(states: States) -> None:
    """§12.1 item 25, T-02: neither one with sensors, without data points, nor one without."""
    await deployed(states, BOILER, PUMP)
    before = (await states.desired.view(MANAGER, UUID)).content
    await reported(states, config={"sensors": [told("boiler")]})
    await reported(states, config={"sensors": []})
    await reported(states, config={})
    assert (await states.desired.view(MANAGER, UUID)).content == before


async def test_a_sensor_is_added_to_the_draft_with_its_defaults(states: States) -> None:
    await states.enrol()
    edited = await states.sensors.add(MANAGER, UUID, {**BOILER, "unknown": 1, "id": "mine"})
    assert (edited.sensor.stage, edited.sensor.poll_interval, edited.sensor.enabled) == (
        SensorStage.PENDING,
        5000,
        True,
    )
    assert edited.sensor.id not in {None, "mine"}
    assert not edited.target.deployed.content.config.get("sensors")
    assert "restart the agent" in edited.target.cautions[-1].message


async def test_names_are_unique(states: States) -> None:
    await deployed(states, BOILER)
    with pytest.raises(Conflict, match="boiler"):
        await states.sensors.add(MANAGER, UUID, {**PUMP, "name": " boiler "})


async def test_a_sensor_is_changed_by_its_name_or_its_id(states: States) -> None:
    await deployed(states, BOILER)
    by_name = await states.sensors.change(MANAGER, UUID, "boiler", {"pollInterval": 1000})
    assert by_name.sensor.id is not None
    by_id = await states.sensors.change(MANAGER, UUID, by_name.sensor.id, {"enabled": False, "name": "boiler"})
    assert (by_id.sensor.poll_interval, by_id.sensor.enabled) == (1000, False)
    assert (by_id.sensor.id, by_id.sensor.data_points) == (by_name.sensor.id, BOILER["dataPoints"])


async def test_how_a_sensor_is_reached_is_said_in_one_way(states: States) -> None:
    await deployed(states, BOILER)
    await states.sensors.change(MANAGER, UUID, "boiler", {"connectionString": "tcp://192.0.2.9:502"})
    [sensor] = (await states.desired.view(MANAGER, UUID)).content.config["sensors"]
    assert "connection" not in sensor
    await states.sensors.change(MANAGER, UUID, "boiler", {"connection": {"host": "192.0.2.9"}})
    [sensor] = (await states.desired.view(MANAGER, UUID)).content.config["sensors"]
    assert "connectionString" not in sensor


async def test_a_sensor_cannot_be_renamed(states: States) -> None:
    """§9.5: agents match by name and would keep both."""
    await deployed(states, BOILER)
    with pytest.raises(Invalid, match="delete it") as refusal:
        await states.sensors.change(MANAGER, UUID, "boiler", {"name": "kettle"})
    assert list(refusal.value.fields) == ["name"]


async def test_a_sensor_is_removed_from_the_draft(states: States) -> None:
    await deployed(states, BOILER, PUMP)
    target = await states.sensors.remove(MANAGER, UUID, "boiler")
    assert [each["name"] for each in target.content.config["sensors"]] == ["pump"]
    assert len(target.deployed.content.config["sensors"]) == 2
    with pytest.raises(NotFound):
        await states.sensors.remove(MANAGER, UUID, "boiler")
    with pytest.raises(NotFound):
        await states.sensors.change(MANAGER, UUID, "boiler", {"enabled": False})


async def test_a_sensor_that_comes_back_before_it_was_gone_is_the_same(states: States) -> None:
    await deployed(states, BOILER)
    [before] = (await states.desired.view(MANAGER, UUID)).deployed.content.config["sensors"]
    await states.sensors.remove(MANAGER, UUID, "boiler")
    again = await states.sensors.add(MANAGER, UUID, BOILER)
    assert again.sensor.id == before["id"]


async def test_a_sensor_goes_from_draft_to_device(states: States) -> None:
    await states.enrol()
    await states.sensors.add(MANAGER, UUID, BOILER)
    assert await stages(states) == {"boiler": SensorStage.PENDING}
    await states.desired.deploy(MANAGER, UUID)
    assert await stages(states) == {"boiler": SensorStage.DEPLOYED}
    await reported(states, config={"sensors": [told("boiler")]})
    assert await stages(states) == {"boiler": SensorStage.RECONCILED}
    await states.sensors.change(MANAGER, UUID, "boiler", {"pollInterval": 1000})
    assert await stages(states) == {"boiler": SensorStage.PENDING}


async def test_what_the_agent_found_is_shown_as_found(states: States) -> None:
    """§9.5: neither deleted nor adopted."""
    await deployed(states, BOILER)
    await reported(
        states, config={"sensors": [told("boiler"), told("meter", connectionString='{"host": "192.0.2.1"}')]}
    )
    meter = (await states.sensors.all(VIEWER, UUID)).sensors[1]
    assert (meter.name, meter.discovered, meter.synced, meter.connection) == (
        "meter",
        True,
        False,
        {"host": "192.0.2.1"},
    )
    await states.sensors.remove(MANAGER, UUID, "boiler")
    assert await stages(states) == {"meter": SensorStage.DISCOVERED}


async def test_a_restart_is_hinted_at_until_the_protocol_was_reached(states: States) -> None:
    """§9.5: adapters start only with the agent."""
    await deployed(states, BOILER, PUMP)
    assert not (await states.sensors.all(VIEWER, UUID)).restart_needed
    await reported(states, config={"sensors": [told("boiler"), told("pump")]})
    assert (await states.sensors.all(VIEWER, UUID)).restart_needed
    await reported(states, endpoints_health={"boiler": {"protocol": "modbus", "connected": True}})
    assert not (await states.sensors.all(VIEWER, UUID)).restart_needed


async def test_who_may_not_edit_sees_no_secret_of_a_sensor(states: States) -> None:
    await states.enrol()
    await states.sensors.add(MANAGER, UUID, {**BOILER, "connection": {"host": "a", "password": "hunter2"}})
    assert "hunter2" not in str((await states.sensors.all(VIEWER, UUID)).sensors)
    assert "hunter2" in str((await states.sensors.all(MANAGER, UUID)).sensors)
    with pytest.raises(Forbidden):
        await states.sensors.add(VIEWER, UUID, BOILER)
    with pytest.raises(NotFound):
        await states.sensors.all(VIEWER, OTHER)


@pytest.mark.parametrize(
    ("entry", "word"),
    [
        ({"connected": True, "lastError": "old"}, "online"),
        ({"connected": None, "status": "offline"}, "offline"),
        ({"connected": False, "lastError": "no route"}, "error"),
        ({"connected": False, "lastError": {"message": "no route"}}, "error"),
        ({"connected": "yes"}, "offline"),
        ("text", "offline"),
        (None, "offline"),
    ],
)
def test_the_health_of_a_sensor_is_one_word(entry: Any, word: str) -> None:
    assert EndpointHealth.of(entry).word == word


async def test_a_change_is_written_down_and_a_poll_is_not(states: States) -> None:
    await deployed(states, BOILER)
    for connected, error, seconds in (
        (True, None, 1),
        (True, None, 2),
        (False, "timeout after 5 s", 3),
        (False, "timeout after 7 s", 4),
    ):
        states.clock.advance(minutes=1)
        health = {
            "protocol": "modbus",
            "connected": connected,
            "lastError": error,
            "lastPoll": f"{seconds}",
            "errorCount": seconds,
        }
        await reported(states, endpoints_health={"boiler": health})
    await reported(states, cpu_usage=5)
    changes = await states.endpoints.of(VIEWER, UUID, "modbus", "boiler", 24)
    assert [(each.connected, each.error_count, each.last_error) for each in changes] == [
        (False, 3, "timeout after 5 s"),
        (True, 1, None),
    ]
    assert await states.endpoints.of(VIEWER, UUID, "can", "boiler", 24) == []
    with pytest.raises(NotFound):
        await states.endpoints.of(VIEWER, OTHER, "modbus", "boiler", 24)


async def test_changes_are_shown_for_hours_and_kept_for_days(states: States) -> None:
    await deployed(states, BOILER)
    await reported(states, endpoints_health={"boiler": {"protocol": "modbus", "connected": True}})
    states.clock.advance(hours=30)
    assert await states.endpoints.of(VIEWER, UUID, "modbus", "boiler", 24) == []
    assert len(await states.endpoints.of(VIEWER, UUID, "modbus", "boiler", 48)) == 1
    assert await states.endpoints.forget_old() == 0
    states.clock.advance(days=30)
    assert await states.endpoints.forget_old() == 1


def test_a_device_with_odd_or_endless_health_writes_little() -> None:
    many = {f"sensor-{number}": {"connected": True} for number in range(1000)}
    assert len(changes_of(None, many, NOON)) == MOST_CHANGES
    assert changes_of(many, None, NOON) == []
    assert [each.connected for each in changes_of({}, {"a": "odd"}, NOON)] == [None]
