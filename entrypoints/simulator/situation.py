"""How it stands with a device: what it was told to be, and what it has become."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from entrypoints.simulator.containers import Containers, Target, reported_sensors
from entrypoints.simulator.readings import BUILT_IN, Sensor, sensor_from
from entrypoints.simulator.reports import endpoint_health
from entrypoints.simulator.wire import AGENT_VERSION
from entrypoints.simulator.world import Device


class Situation:
    """The target state as applied. New sensors start at once; the real agent wants a restart for the first one."""

    def __init__(self, device: Device) -> None:
        self.online = True
        self.agent_version = AGENT_VERSION
        self.target = Target()
        self.apps: Mapping[str, Any] = {}
        self.sensors: tuple[Sensor, ...] = ()
        self._device = device
        self._containers = Containers(device.chance)
        self._sensor_ids: dict[str, str] = {}
        self._described: Sequence[Mapping[str, Any]] = ()
        self.apply(self.target)

    def apply(self, target: Target) -> None:
        """Become what the target state says."""
        self.target = target
        self.apps = self._containers.applied(target)
        wanted = [sensor for sensor in target.config.get("sensors") or () if sensor.get("name")]
        if all(sensor["name"] != BUILT_IN["name"] for sensor in wanted):
            wanted = [BUILT_IN, *wanted]
        self._described = wanted
        self.sensors = tuple(sensor_from(sensor) for sensor in wanted if sensor.get("enabled", True))

    def reported_config(self) -> dict[str, Any]:
        """The `config` of a report."""
        for sensor in self._described:
            if sensor["name"] not in self._sensor_ids:
                own = UUID(int=self._device.chance.getrandbits(128), version=4)
                self._sensor_ids[sensor["name"]] = str(own)
        return {**self.target.config, "sensors": reported_sensors(self._sensor_ids, self._described)}

    def endpoints_health(self) -> dict[str, Any]:
        """How its sensors are, by name."""
        moment = self._device.world.now()
        return {
            sensor.name: endpoint_health(self._device.chance, moment, sensor.protocol, len(sensor.registers))
            for sensor in self.sensors
        }
