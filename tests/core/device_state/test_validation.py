"""A whole desired state before it is kept (contract §9.4, §9.5; G-05, G-06)."""

from collections.abc import Callable
from itertools import count
from typing import Any

import pytest

from core.device_state.findings import Caution
from core.device_state.model import Content
from core.device_state.validation import checked
from core.errors import Invalid

SENSOR: dict[str, Any] = {
    "name": "boiler",
    "protocol": "modbus",
    "connection": {"type": "tcp", "host": "192.0.2.7", "port": 502, "slaveId": 1},
    "dataPoints": [{"name": "temperature", "address": 0, "functionCode": 3, "dataType": "int16"}],
}


def numbered() -> Callable[[], str]:
    """Ids that count."""
    numbers = count(1)
    return lambda: f"id-{next(numbers)}"


def validated(
    apps: Any = None, config: Any = None, deployed: Content | None = None
) -> tuple[Content, tuple[Caution, ...]]:
    return checked(Content.of(apps or {}, config or {}), deployed=deployed, new_id=numbered())


def refused(apps: Any = None, config: Any = None) -> dict[str, str]:
    with pytest.raises(Invalid) as refusal:
        validated(apps, config)
    return refusal.value.fields


def app(name: str, *services: dict[str, Any]) -> dict[str, Any]:
    return {"appName": name, "services": [{"imageName": "a:1", **service} for service in services]}


def test_a_refusal_names_the_field_from_the_top() -> None:
    """§12.1 item 27."""
    apps = {"1001": app("web", {"serviceName": "a", "config": {"ports": ["8080:80/udp"], "volumes": ["a:/b:ro"]}})}
    assert list(refused(apps)) == ["apps.1001.services[0].config.ports[0]", "apps.1001.services[0].config.volumes[0]"]


def test_the_name_of_an_app_is_one_that_docker_takes() -> None:
    assert list(refused({"1": app("my app")})) == ["apps.1.appName"]


def test_two_containers_of_one_name_cannot_be() -> None:
    service = {"serviceId": 1, "serviceName": "a"}
    assert list(refused({"1": app("web", service), "2": app("web", service)})) == ["apps.2.services[0].serviceName"]
    parted = {
        "1": app("a_b", {"serviceId": 1, "serviceName": "c"}),
        "2": app("a", {"serviceId": 1, "serviceName": "b_c"}),
    }
    assert list(refused(parted)) == ["apps.2.services[0].serviceName"]


def test_names_that_are_there_twice_are_doubted() -> None:
    _, cautions = validated({"1": app("web", {"serviceName": "a"}, {"serviceName": "a"}), "2": app("web")})
    assert [caution.field for caution in cautions] == ["apps.1.services[1].serviceName", "apps.2.appName"]


def test_a_volume_that_two_apps_share_is_doubted() -> None:
    """§9.4: named volumes are bound by their raw name."""
    volumes = {"serviceName": "a", "config": {"volumes": ["data:/data"]}}
    _, cautions = validated({"1": app("one", volumes), "2": app("two", volumes)})
    assert [caution.field for caution in cautions] == ["apps.2.services[0].config.volumes[0]"]
    bound = {"serviceName": "a", "config": {"volumes": ["/data:/data"]}}
    assert validated({"1": app("one", bound), "2": app("two", bound)})[1] == ()


def test_a_port_that_two_services_publish_is_doubted() -> None:
    service = {"config": {"ports": ["80:80"]}}
    _, cautions = validated({"1": app("web", {"serviceName": "a", **service}, {"serviceName": "b", **service})})
    assert [caution.field for caution in cautions] == ["apps.1.services[1].config.ports[0]"]


@pytest.mark.parametrize(
    ("field", "config"),
    [
        ("config.settings.scheduledRestart.intervalDays", {"settings": {"scheduledRestart": {"intervalDays": 30}}}),
        ("config.settings.metricsIntervalMs", {"settings": {"metricsIntervalMs": 2**31}}),
        ("config.settings.metricsIntervalMs", {"settings": {"metricsIntervalMs": 0}}),
        ("config.settings.deviceReportIntervalMs", {"settings": {"deviceReportIntervalMs": "60000"}}),
        ("config.settings.firewallMode", {"settings": {"firewallMode": "maybe"}}),
        ("config.settings", {"settings": []}),
        ("config.logging.level", {"logging": {"level": "loud"}}),
        ("config.features", {"features": "all"}),
        ("config.sensors", {"sensors": {}}),
        ("config.sensors[0]", {"sensors": ["boiler"]}),
        ("config.sensors[0].name", {"sensors": [{**SENSOR, "name": " "}]}),
        ("config.sensors[0].name", {"sensors": [{**SENSOR, "name": 7}]}),
        ("config.sensors[0].protocol", {"sensors": [{**SENSOR, "protocol": "bacnet"}]}),
        ("config.sensors[0].enabled", {"sensors": [{**SENSOR, "enabled": "yes"}]}),
        ("config.sensors[0].pollInterval", {"sensors": [{**SENSOR, "pollInterval": 50}]}),
        ("config.sensors[0].pollInterval", {"sensors": [{**SENSOR, "pollInterval": True}]}),
        ("config.sensors[0].metadata", {"sensors": [{**SENSOR, "metadata": []}]}),
        ("config.sensors[0].connection", {"sensors": [{**SENSOR, "connection": {}}]}),
        ("config.sensors[0].connection.host", {"sensors": [{**SENSOR, "connection": {"host": "a b"}}]}),
        ("config.sensors[0].connection.port", {"sensors": [{**SENSOR, "connection": {"host": "a", "port": 70000}}]}),
        (
            "config.sensors[0].connection.slaveId",
            {"sensors": [{**SENSOR, "connection": {"host": "a", "slaveId": 300}}]},
        ),
        ("config.sensors[0].connection.type", {"sensors": [{**SENSOR, "connection": {"type": "udp", "host": "a"}}]}),
        ("config.sensors[0].connection.serialPort", {"sensors": [{**SENSOR, "connection": {"type": "rtu"}}]}),
        ("config.sensors[0].connection.interface", {"sensors": [{**SENSOR, "protocol": "can"}]}),
        ("config.sensors[0].connectionString", {"sensors": [{**SENSOR, "connectionString": ""}]}),
        ("config.sensors[0].dataPoints", {"sensors": [{**SENSOR, "dataPoints": {}}]}),
        ("config.sensors[0].dataPoints[0].name", {"sensors": [{**SENSOR, "dataPoints": [{"address": 1}]}]}),
        (
            "config.sensors[0].dataPoints[0].address",
            {"sensors": [{**SENSOR, "dataPoints": [{"name": "a", "address": -1}]}]},
        ),
        (
            "config.sensors[0].dataPoints[1].name",
            {"sensors": [{**SENSOR, "dataPoints": [{"name": "a"}, {"name": "a"}]}]},
        ),
        ("config.sensors[1].name", {"sensors": [SENSOR, SENSOR]}),
        ("config.sensors[1].id", {"sensors": [{**SENSOR, "id": "a"}, {**SENSOR, "id": "a", "name": "other"}]}),
    ],
)
def test_configuration_that_agents_cannot_use_is_refused(field: str, config: dict[str, Any]) -> None:
    """§12.1 item 27 (intervalDays: 30), G-05."""
    assert list(refused(config=config)) == [field]


@pytest.mark.parametrize(
    "connection",
    [
        {"type": "rtu", "serialPort": "/dev/ttyUSB0", "baudRate": 9600, "unitId": 3},
        {"host": "plc.local"},
        {"host": "fe80::1", "port": 502},
    ],
)
def test_a_connection_that_agents_can_use_is_taken(connection: dict[str, Any]) -> None:
    content, cautions = validated(config={"sensors": [{**SENSOR, "connection": connection}]})
    assert content.config["sensors"][0]["connection"] == connection
    assert cautions == ()


def test_opc_ua_takes_an_address_of_its_own_kind() -> None:
    sensor = {**SENSOR, "protocol": "OPCUA", "connection": {"endpointUrl": "opc.tcp://192.0.2.7:4840"}}
    assert validated(config={"sensors": [sensor]})[0].config["sensors"][0]["protocol"] == "opcua"
    wrong = {**sensor, "connection": {"endpointUrl": "http://192.0.2.7"}}
    assert list(refused(config={"sensors": [wrong]})) == ["config.sensors[0].connection.endpointUrl"]


def test_sensors_without_id_get_one_each() -> None:
    """G-06: agents keep sensors by id, so two without one would be one."""
    content, _ = validated(
        config={"sensors": [SENSOR, {**SENSOR, "name": "other"}, {**SENSOR, "name": "c", "id": "x"}]}
    )
    sensors = content.config["sensors"]
    assert [(each["id"], each["uuid"]) for each in sensors] == [("id-1", "id-1"), ("id-2", "id-2"), ("x", "x")]
    assert (sensors[0]["enabled"], sensors[0]["pollInterval"], sensors[0]["metadata"]) == (True, 5000, {})


def test_a_sensor_without_id_keeps_the_one_its_name_has() -> None:
    before, _ = validated(config={"sensors": [{**SENSOR, "id": "kept"}]})
    after, cautions = validated(config={"sensors": [{**SENSOR, "pollInterval": 1000}]}, deployed=before)
    assert (after.config["sensors"][0]["id"], cautions) == ("kept", ())


def test_a_name_that_is_deployed_keeps_its_id_whatever_is_sent() -> None:
    """§9.5: agents delete by name, so a second id would be deleted with the first."""
    before, _ = validated(config={"sensors": [{**SENSOR, "id": "kept"}]})
    after, cautions = validated(config={"sensors": [{**SENSOR, "id": "other"}]}, deployed=before)
    assert after.config["sensors"][0]["id"] == "kept"
    assert [caution.field for caution in cautions] == ["config.sensors[0].id"]


def test_an_id_that_is_deployed_keeps_its_name() -> None:
    """§9.5: to rename is to have both."""
    before, _ = validated(config={"sensors": [{**SENSOR, "id": "kept"}]})
    with pytest.raises(Invalid) as refusal:
        validated(config={"sensors": [{**SENSOR, "id": "kept", "name": "kettle"}]}, deployed=before)
    assert list(refusal.value.fields) == ["config.sensors[0].name"]


def test_a_sensor_that_reads_nothing_or_is_reached_in_two_ways_is_doubted() -> None:
    sensor = {**SENSOR, "dataPoints": [], "connectionString": "tcp://192.0.2.7:502"}
    _, cautions = validated(config={"sensors": [sensor]})
    assert [caution.field for caution in cautions] == ["config.sensors[0].connection", "config.sensors[0].dataPoints"]


def test_what_was_taken_once_is_taken_again_as_it_is() -> None:
    apps = {"1": app("web", {"serviceName": "a", "config": {"ports": ["1:1/tcp"], "environment": {"A": 1}}})}
    once, _ = validated(apps, {"sensors": [SENSOR]})
    assert validated(once.apps, once.config)[0] == once
