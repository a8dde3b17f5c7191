"""What the sensors of a simulated device measure, in the four ways in which the agent writes it."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from random import Random
from typing import Any

from attrs import field, frozen

from entrypoints.simulator.ledger import Item
from entrypoints.simulator.moments import iso, millis
from entrypoints.simulator.options import Form

GOOD = "GOOD"


@frozen(kw_only=True)
class Register:
    """One value of a sensor and the range it wanders in."""

    name: str
    unit: str
    low: float
    high: float


@frozen(kw_only=True)
class Sensor:
    """What an adapter polls."""

    name: str
    protocol: str
    registers: tuple[Register, ...]


BUILT_IN = {
    "name": "boiler",
    "protocol": "modbus",
    "enabled": True,
    "pollInterval": 2000,
    "connection": {"type": "tcp", "host": "127.0.0.1", "port": 502, "slaveId": 1},
    "dataPoints": [
        {"name": "temperature", "unit": "C", "range": [18, 31]},
        {"name": "pressure", "unit": "mbar", "range": [990, 1075]},
    ],
}
"""Found by the agent itself: in its reports, never in a target state. So that a device has something to measure."""


@frozen(kw_only=True)
class Reading:
    """One measured value."""

    sensor: str
    register: str
    value: float
    unit: str
    moment: datetime

    def as_dict(self) -> dict[str, Any]:
        """As the adapters write it."""
        return {
            "timestamp": iso(self.moment),
            "deviceName": self.sensor,
            "registerName": self.register,
            "value": self.value,
            "unit": self.unit,
            "quality": GOOD,
        }


@frozen(kw_only=True)
class Message:
    """One string of a batch, and the readings in it."""

    text: str = field(repr=False)
    readings: tuple[Reading, ...]


def sensor_from(described: Mapping[str, Any]) -> Sensor:
    """A sensor of a target state, or the built-in one."""
    points = described.get("dataPoints") or described.get("registers") or ()
    return Sensor(
        name=str(described["name"]),
        protocol=str(described.get("protocol") or "modbus"),
        registers=tuple(_register(point) for point in points),
    )


def _register(point: Mapping[str, Any]) -> Register:
    low, high = point.get("range") or (0, 100)
    return Register(name=str(point.get("name")), unit=str(point.get("unit") or ""), low=low, high=high)


def measure(chance: Random, sensor: Sensor, moment: datetime) -> tuple[Reading, ...]:
    """One poll of a sensor: all its registers at the same moment."""
    return tuple(
        Reading(
            sensor=sensor.name,
            register=register.name,
            value=round(chance.uniform(register.low, register.high), 2),
            unit=register.unit,
            moment=moment,
        )
        for register in sensor.registers
    )


def messages(form: Form, readings: Sequence[Reading], moment: datetime) -> list[Message]:
    """The strings that one poll becomes."""
    if not readings:
        return []
    if form is Form.CSV:
        return [Message(text="\n".join(_csv(reading) for reading in readings), readings=tuple(readings))]
    if form is Form.SIMULATION:
        return [Message(text=_dumps(_simulated(reading)), readings=(reading,)) for reading in readings]
    if form is Form.SINGLE or len(readings) == 1:
        return [Message(text=_dumps(reading.as_dict()), readings=(reading,)) for reading in readings]
    together = {"timestamp": iso(moment), "readings": [reading.as_dict() for reading in readings]}
    return [Message(text=_dumps(together), readings=tuple(readings))]


def segment_of(form: Form, sensor: Sensor, message: Message) -> str:
    """Under which last part of the topic a message goes: the metric in simulation mode, else the protocol."""
    return message.readings[0].register if form is Form.SIMULATION else sensor.protocol


def envelope(form: Form, segment: str, batch: Iterable[Message], moment: datetime) -> dict[str, Any]:
    """A publication's content."""
    name = segment if form is Form.SIMULATION else f"{segment}-pipe"
    return {"sensor": name, "timestamp": iso(moment), "messages": [message.text for message in batch]}


def items(uuid: str, form: Form, batch: Iterable[Message]) -> list[Item]:
    """A batch for the ledger."""
    return [
        Item(
            kind="reading",
            uuid=uuid,
            facts={
                "sensor": reading.sensor,
                "register": reading.register,
                "timestamp": iso(reading.moment),
                "value": reading.value,
                "form": form.value,
            },
        )
        for message in batch
        for reading in message.readings
    ]


def _csv(reading: Reading) -> str:
    cells = (reading.sensor, reading.register, reading.value, reading.unit, GOOD, iso(reading.moment))
    return ",".join(str(cell) for cell in cells)


def _simulated(reading: Reading) -> dict[str, Any]:
    return {"value": reading.value, "unit": reading.unit, "timestamp": millis(reading.moment), "simulation": True}


def _dumps(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))
