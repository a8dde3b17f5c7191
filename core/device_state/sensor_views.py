"""The sensors of a device as people look at them: what is drafted, deployed, and what the device says of each."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import Enum
from typing import Any

from attrs import field, frozen

from core.device_state.drifts import connection_of
from core.device_state.endpoints import EndpointHealth
from core.device_state.model import Reported, Target
from core.device_state.sensor_checks import name_of, sensors_in


class SensorStage(Enum):
    """How far a sensor has come."""

    PENDING = "pending"
    DEPLOYED = "deployed"
    RECONCILED = "reconciled"
    DISCOVERED = "discovered"


@frozen(kw_only=True)
class SensorView:
    """One sensor. `discovered` ones the agent found by itself: nobody has asked for them.

    `restart_needed` is a guess: agents start an adapter only if there was a sensor for it when they started, so one
    of which they know, and of whose protocol none was ever reached, may be waiting for that.
    """

    id: str | None
    name: str
    protocol: str
    enabled: bool
    poll_interval: int | None
    connection: Any
    connection_string: str | None
    data_points: Any
    metadata: Any
    stage: SensorStage
    version: int | None
    changed_at: datetime | None
    changed_by: str | None
    deployed_at: datetime | None
    health: EndpointHealth | None = None
    restart_needed: bool = False

    @property
    def discovered(self) -> bool:
        """Whether the agent found it by itself."""
        return self.stage is SensorStage.DISCOVERED

    @property
    def synced(self) -> bool:
        """Whether the device is served it as it is shown."""
        return self.stage in {SensorStage.DEPLOYED, SensorStage.RECONCILED}

    @property
    def status(self) -> str:
        """online, offline or error; one that is switched off is offline."""
        return self.health.word if self.health and self.enabled else "offline"


@frozen(kw_only=True)
class SensorList:
    """All sensors of a device, and the agent's pipelines (contract §2.7, `sensor_health`)."""

    sensors: tuple[SensorView, ...]
    pipelines: Mapping[str, Any] = field(factory=dict)
    reported_at: datetime | None = None
    draft: bool = False

    @property
    def restart_needed(self) -> bool:
        """Whether a restart of the agent may be what some sensor waits for."""
        return any(sensor.restart_needed for sensor in self.sensors)

    def of_protocol(self, protocol: str | None) -> tuple[SensorView, ...]:
        """Those of one protocol, or all."""
        return tuple(sensor for sensor in self.sensors if protocol is None or sensor.protocol == protocol)

    def count(self, status: str) -> int:
        """How many that are switched on have this status."""
        return sum(sensor.enabled and sensor.status == status for sensor in self.sensors)


def sensor_list(target: Target, reported: Reported | None) -> SensorList:
    """Pure: what is known of the sensors from what is wanted and what was reported."""
    view = _View(target, reported)
    sensors = [view.wanted(sensor) for sensor in sensors_in(target.shown.config)]
    return SensorList(
        sensors=(*sensors, *view.discovered()),
        pipelines=(reported.sensor_health if reported else None) or {},
        reported_at=reported.reported_at if reported else None,
        draft=target.needs_deployment,
    )


class _View:
    """What both documents say, by name: agents know sensors by no other word of ours."""

    def __init__(self, target: Target, reported: Reported | None) -> None:
        self._target = target
        self._deployed = {name_of(each): each for each in sensors_in(target.deployed.content.config)}
        self._edited = {name_of(each): each for each in sensors_in(target.content.config)}
        self._told = {name_of(each): each for each in sensors_in(reported.config if reported else None)}
        told = (reported.endpoints_health if reported else None) or {}
        self._health = {name: EndpointHealth.of(entry) for name, entry in told.items()}
        seen = reported.version if reported else None
        self._has_seen = seen is not None and seen >= target.deployed.version
        self._reached = {str(each.get("protocol")) for name, each in self._deployed.items() if self._was_reached(name)}

    def wanted(self, sensor: Mapping[str, Any]) -> SensorView:
        """One that people asked for."""
        name, deployed = name_of(sensor), self._target.deployed
        pending = self._deployed.get(name) != self._edited.get(name)
        stage = SensorStage.PENDING if pending else SensorStage.DEPLOYED
        if not pending and self._has_seen and name in self._told:
            stage = SensorStage.RECONCILED
        draft = self._target.draft if pending else None
        return self._seen(
            sensor,
            sensor_id=str(sensor["id"]) if sensor.get("id") else None,
            stage=stage,
            version=deployed.version,
            changed_at=draft.updated_at if draft else deployed.deployed_at,
            changed_by=draft.updated_by if draft else deployed.deployed_by,
            deployed_at=deployed.last_deployed_at if name in self._deployed else None,
            restart_needed=self._waits(sensor),
        )

    def discovered(self) -> Iterable[SensorView]:
        """Those that only the agent knows."""
        for name, sensor in self._told.items():
            if name not in self._deployed and name not in self._edited:
                own_id = sensor.get("id")
                yield self._seen(sensor, sensor_id=str(own_id) if own_id else None, stage=SensorStage.DISCOVERED)

    def _seen(
        self,
        sensor: Mapping[str, Any],
        *,
        sensor_id: str | None,
        stage: SensorStage,
        version: int | None = None,
        changed_at: datetime | None = None,
        changed_by: str | None = None,
        deployed_at: datetime | None = None,
        restart_needed: bool = False,
    ) -> SensorView:
        return SensorView(
            id=sensor_id,
            name=name_of(sensor),
            protocol=str(sensor.get("protocol", "")),
            enabled=bool(sensor.get("enabled", True)),
            poll_interval=sensor.get("pollInterval"),
            connection=connection_of(sensor) if stage is SensorStage.DISCOVERED else sensor.get("connection"),
            connection_string=sensor.get("connectionString"),
            data_points=sensor.get("dataPoints", sensor.get("registers", [])),
            metadata=sensor.get("metadata", {}),
            stage=stage,
            version=version,
            changed_at=changed_at,
            changed_by=changed_by,
            deployed_at=deployed_at,
            health=self._health.get(name_of(sensor)),
            restart_needed=restart_needed,
        )

    def _was_reached(self, name: str) -> bool:
        return name in self._health and self._health[name].was_reached

    def _waits(self, sensor: Mapping[str, Any]) -> bool:
        name = name_of(sensor)
        switched_on = bool(sensor.get("enabled", True)) and name in self._deployed
        return switched_on and self._has_seen and str(sensor.get("protocol")) not in self._reached
