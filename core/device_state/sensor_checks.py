"""Sensors of a desired state: what agents read, and what would make them lose one (contract §9.1, §9.5)."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from attrs import frozen

from core.checks import plain_text
from core.device_state.findings import Findings
from core.errors import Invalid

PROTOCOLS = ("modbus", "can", "opcua")
POLL_INTERVAL = 5000
SHORTEST_POLL = 100
LONGEST_POLL = 86_400_000
LONGEST_NAME = 128
LONGEST_ADDRESS = 2048
MOST_SENSORS = 500
MOST_POINTS = 1000
HIGHEST_PORT = 65_535
HIGHEST_UNIT = 255
HIGHEST_REGISTER = 65_535
_FUNCTIONS = (1, 2, 3, 4)
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,252}[A-Za-z0-9])?|[0-9A-Fa-f:.]{2,45}")

NewId = Callable[[], str]


@frozen
class KnownSensors:
    """The ids that names of sensors have, and the names of those that are deployed.

    Agents keep sensors by id in one place and by name in another: a name with another id would be deleted after it was
    added, and an id with another name would be read twice (contract §9.5).
    """

    ids: Mapping[str, str]
    deployed_ids: Mapping[str, str]
    deployed_names: Mapping[str, str]

    @classmethod
    def of(cls, deployed: Any, drafted: Any) -> "KnownSensors":
        """What the two configurations say."""
        deployed_ids, drafted_ids = _ids_in(deployed), _ids_in(drafted)
        names = {own_id: name for name, own_id in deployed_ids.items()}
        return cls({**drafted_ids, **deployed_ids}, deployed_ids, names)

    def id_for(self, name: str, given: Any, new_id: NewId, field: str, found: Findings) -> str:
        """The id of the sensor of this name, where `given` is what somebody wrote."""
        if name in self.deployed_ids:
            if given and str(given) != self.deployed_ids[name]:
                found.warn(
                    f"{field}.id", "was changed to the one that the sensor of this name has: agents need the same"
                )
            return self.deployed_ids[name]
        if given and str(given) in self.deployed_names:
            old = self.deployed_names[str(given)]
            found.refuse(f"{field}.name", f"was {old}, and agents would read both: delete it, deploy, add the other")
        return str(given or self.ids.get(name) or new_id())


def _ids_in(config: Any) -> dict[str, str]:
    return {name_of(sensor): str(sensor["id"]) for sensor in sensors_in(config) if sensor.get("id")}


def checked_sensors(value: Any, known: KnownSensors, new_id: NewId, found: Findings) -> list[Any]:
    """The sensors with an id each, unique as their names are."""
    field = "config.sensors"
    if not isinstance(value, list) or len(value) > MOST_SENSORS:
        found.refuse(field, f"must be a list of at most {MOST_SENSORS}")
        return []
    checked = []
    for number, sensor in enumerate(value):
        if isinstance(sensor, Mapping):
            checked.append(_sensor(sensor, f"{field}[{number}]", known, new_id, found))
        else:
            found.refuse(f"{field}[{number}]", "must be an object")
    _refuse_doubles(checked, field, found)
    return checked


def sensors_in(config: Any) -> list[Mapping[str, Any]]:
    """The sensors of a configuration, whoever wrote it; what is no sensor is passed over."""
    sensors = config.get("sensors") if isinstance(config, Mapping) else None
    return [each for each in sensors if isinstance(each, Mapping)] if isinstance(sensors, list) else []


def name_of(sensor: Mapping[str, Any]) -> str:
    """What agents and people call it."""
    return str(sensor.get("name", ""))


def _sensor(
    sensor: Mapping[str, Any], field: str, known: KnownSensors, new_id: NewId, found: Findings
) -> dict[str, Any]:
    name = _name(sensor.get("name"), f"{field}.name", found)
    own_id = known.id_for(name, sensor.get("id") or sensor.get("uuid"), new_id, field, found)
    checked = {
        **sensor,
        "id": own_id,
        "uuid": own_id,
        "name": name,
        "protocol": _protocol(sensor.get("protocol"), f"{field}.protocol", found),
        "enabled": _enabled(sensor.get("enabled", True), f"{field}.enabled", found),
        "pollInterval": _poll_interval(sensor.get("pollInterval"), f"{field}.pollInterval", found),
    }
    _check_connection(checked, field, found)
    _check_points(checked, field, found)
    if not isinstance(checked.setdefault("metadata", {}), Mapping):
        found.refuse(f"{field}.metadata", "must be an object")
    return checked


def _name(value: Any, field: str, found: Findings) -> str:
    try:
        return plain_text(value, field, longest=LONGEST_NAME)
    except Invalid as refusal:
        found.refuse(field, refusal.message.removeprefix(f"{field} "))
        return ""


def _protocol(value: Any, field: str, found: Findings) -> str:
    protocol = value.strip().lower() if isinstance(value, str) else value
    if protocol not in PROTOCOLS:
        found.refuse(field, f"must be one of {', '.join(PROTOCOLS)}")
    return str(protocol)


def _enabled(value: Any, field: str, found: Findings) -> bool:
    if value not in (True, False):
        found.refuse(field, "must be true or false")
    return bool(value)


def _poll_interval(value: Any, field: str, found: Findings) -> int:
    if value is None:
        return POLL_INTERVAL
    if not _whole(value, SHORTEST_POLL, LONGEST_POLL):
        found.refuse(field, f"must be a whole number of milliseconds between {SHORTEST_POLL} and {LONGEST_POLL}")
        return POLL_INTERVAL
    return int(value)


def _check_connection(sensor: Mapping[str, Any], field: str, found: Findings) -> None:
    text, connection = sensor.get("connectionString"), sensor.get("connection")
    if text is not None:
        if not isinstance(text, str) or not 1 <= len(text) <= LONGEST_ADDRESS:
            found.refuse(f"{field}.connectionString", f"must be text of at most {LONGEST_ADDRESS} characters")
        elif connection is not None:
            found.warn(f"{field}.connection", "is not looked at: agents take connectionString where there is one")
        return
    if not isinstance(connection, Mapping) or not connection:
        found.refuse(f"{field}.connection", "must be an object that says how the sensor is reached")
        return
    check = _CONNECTIONS.get(str(sensor["protocol"]))
    if check:
        check(connection, f"{field}.connection", found)


def _modbus(connection: Mapping[str, Any], field: str, found: Findings) -> None:
    kind = connection.get("type", "tcp")
    if kind not in ("tcp", "rtu"):
        found.refuse(f"{field}.type", "must be tcp or rtu")
    elif kind == "tcp":
        _check_host(connection, field, found)
    elif not any(_text(connection.get(name)) for name in ("serialPort", "port", "path", "device")):
        found.refuse(f"{field}.serialPort", "must name the serial port, such as /dev/ttyUSB0")
    for name in ("slaveId", "unitId"):
        if name in connection and not _whole(connection[name], 0, HIGHEST_UNIT):
            found.refuse(f"{field}.{name}", f"must be a whole number between 0 and {HIGHEST_UNIT}")


def _can(connection: Mapping[str, Any], field: str, found: Findings) -> None:
    if not any(_text(connection.get(name)) for name in ("interface", "channel", "device")):
        found.refuse(f"{field}.interface", "must name the CAN interface, such as can0")


def _opcua(connection: Mapping[str, Any], field: str, found: Findings) -> None:
    addresses = [connection[name] for name in ("endpointUrl", "endpoint", "url") if name in connection]
    if not addresses:
        _check_host(connection, field, found)
    elif not all(_text(address) and address.startswith("opc.tcp://") for address in addresses):
        found.refuse(f"{field}.endpointUrl", "must begin with opc.tcp://")


def _check_host(connection: Mapping[str, Any], field: str, found: Findings) -> None:
    host = connection.get("host")
    if not isinstance(host, str) or not _HOST.fullmatch(host):
        found.refuse(f"{field}.host", "must be the name or the address of a machine")
    if "port" in connection and not _whole(connection["port"], 1, HIGHEST_PORT):
        found.refuse(f"{field}.port", f"must be a whole number between 1 and {HIGHEST_PORT}")


_CONNECTIONS: Mapping[str, Callable[[Mapping[str, Any], str, Findings], None]] = {
    "modbus": _modbus,
    "can": _can,
    "opcua": _opcua,
}


def _check_points(sensor: dict[str, Any], field: str, found: Findings) -> None:
    name = "registers" if "registers" in sensor and "dataPoints" not in sensor else "dataPoints"
    points = sensor.setdefault(name, [])
    if not isinstance(points, list) or len(points) > MOST_POINTS:
        found.refuse(f"{field}.{name}", f"must be a list of at most {MOST_POINTS}")
        return
    if not points and sensor["enabled"]:
        found.warn(f"{field}.{name}", "is empty: nothing will be read")
    taken: set[str] = set()
    for number, point in enumerate(points):
        _check_point(point, str(sensor["protocol"]), f"{field}.{name}[{number}]", taken, found)


def _check_point(point: Any, protocol: str, field: str, taken: set[str], found: Findings) -> None:
    if not isinstance(point, Mapping) or not _text(point.get("name")):
        found.refuse(f"{field}.name", "is missing")
        return
    if point["name"] in taken:
        found.refuse(f"{field}.name", f"is there twice: {point['name'][:LONGEST_NAME]}")
    taken.add(point["name"])
    if protocol != "modbus":
        return
    if "address" in point and not _whole(point["address"], 0, HIGHEST_REGISTER):
        found.refuse(f"{field}.address", f"must be a whole number between 0 and {HIGHEST_REGISTER}")
    if "functionCode" in point and point["functionCode"] not in _FUNCTIONS:
        found.refuse(f"{field}.functionCode", "must be 1, 2, 3 or 4")


def _refuse_doubles(sensors: list[dict[str, Any]], field: str, found: Findings) -> None:
    for key, why in (("id", "agents would keep one of them only"), ("name", "agents know sensors by it")):
        taken: set[Any] = set()
        for number, sensor in enumerate(sensors):
            if sensor[key] in taken:
                found.refuse(f"{field}[{number}].{key}", f"is there twice: {why}")
            taken.add(sensor[key])


def _text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _whole(value: Any, lowest: int, highest: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and lowest <= value <= highest
