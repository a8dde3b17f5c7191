"""Whether a device runs what it shall run, service by service (contract §9.4, T-36)."""

import json
from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Any

from attrs import frozen

from core.device_state.documents import Cleaning
from core.device_state.images import familiar
from core.device_state.model import Deployed, Reported
from core.device_state.redaction import REDACTED, redacted
from core.device_state.sensor_checks import name_of, sensors_in


class Standing(Enum):
    """How what is reported stands to what is desired."""

    IN_SYNC = "in_sync"
    MISSING = "missing"
    EXTRA = "extra"
    DIFFERENT = "different"
    UNKNOWN = "unknown"


@frozen(kw_only=True)
class ThingDrift:
    """One service or sensor. `fields` are those that differ."""

    name: str
    standing: Standing
    fields: tuple[str, ...] = ()
    id: int | str | None = None


@frozen(kw_only=True)
class AppDrift:
    """One app. Its own `fields` may differ, or its services."""

    app_id: str
    name: str
    standing: Standing
    fields: tuple[str, ...] = ()
    services: tuple[ThingDrift, ...] = ()


@frozen(kw_only=True)
class Drift:
    """What a device runs against what it shall run."""

    version: int
    seen_version: int | None
    apps: tuple[AppDrift, ...]
    sensors: tuple[ThingDrift, ...]

    @property
    def in_sync(self) -> bool | None:
        """Whether it runs what it shall; None when it has never said.

        Sensors that the agent found by itself are no drift, nor is configuration that agents do not report: of that
        it counts that the device has seen this version.
        """
        if self.seen_version is None:
            return None
        wanted = [each.standing for each in self.sensors if each.standing is not Standing.EXTRA]
        standings = {*wanted, *(each.standing for each in self.apps)} - {Standing.IN_SYNC}
        if standings <= {Standing.UNKNOWN} and standings:
            return None
        return not standings and self.seen_version >= self.version


def drift(desired: Deployed, reported: Reported | None) -> Drift:
    """Compare what is deployed with what a device last said. Pure; takes anything a device may have said."""
    told = reported.apps if reported else None
    config = reported.config if reported else None
    sensors = sensors_in(config) if config is not None and "sensors" in config else None
    return Drift(
        version=desired.version,
        seen_version=reported.version if reported else None,
        apps=tuple(_apps(desired.content.apps, told)),
        sensors=tuple(_sensors(sensors_in(desired.content.config), sensors)),
    )


def _apps(wanted: Mapping[str, Any], told: Mapping[str, Any] | None) -> Iterable[AppDrift]:
    for key, app in wanted.items():
        yield _app(key, app, None if told is None else told.get(key, {}), known=told is not None)
    for key, app in (told or {}).items():
        if key not in wanted:
            name, services = str(_field(app, "appName") or ""), _services(app)
            extra = tuple(_thing(name, each, Standing.EXTRA) for name, each in services.items())
            yield AppDrift(app_id=key, name=name, standing=Standing.EXTRA, services=extra)


def _app(key: str, wanted: Mapping[str, Any], told: Any, *, known: bool) -> AppDrift:
    name = str(wanted.get("appName", ""))
    ours = _services(wanted)
    if not known:
        unknown = tuple(_thing(each, service, Standing.UNKNOWN) for each, service in ours.items())
        return AppDrift(app_id=key, name=name, standing=Standing.UNKNOWN, services=unknown)
    theirs = _services(told)
    services = [*_compared(ours, theirs)]
    reported_name = _field(told, "appName")
    fields = ("appName",) if reported_name is not None and reported_name != name else ()
    standing = _standing_of(fields, services, gone=not told)
    return AppDrift(app_id=key, name=name, standing=standing, fields=fields, services=tuple(services))


def _standing_of(fields: tuple[str, ...], services: list[ThingDrift], *, gone: bool) -> Standing:
    if gone:
        # Agents do not tell of apps without services.
        return Standing.MISSING if services else Standing.IN_SYNC
    same = not fields and all(each.standing is Standing.IN_SYNC for each in services)
    return Standing.IN_SYNC if same else Standing.DIFFERENT


def _services(app: Any) -> dict[str, Mapping[str, Any]]:
    """The services by id as text: devices send numbers, some of them text."""
    services = _field(app, "services")
    found = [each for each in services if isinstance(each, Mapping)] if isinstance(services, list) else []
    return {str(each.get("serviceId")): each for each in found}


def _compared(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> Iterable[ThingDrift]:
    for key, service in ours.items():
        if key not in theirs:
            yield _thing(key, service, Standing.MISSING)
            continue
        fields = tuple(_service_fields(service, theirs[key]))
        yield _thing(key, service, Standing.DIFFERENT if fields else Standing.IN_SYNC, fields)
    for key, service in theirs.items():
        if key not in ours:
            yield _thing(key, service, Standing.EXTRA)


def _thing(key: str, service: Mapping[str, Any], standing: Standing, fields: tuple[str, ...] = ()) -> ThingDrift:
    return ThingDrift(name=str(service.get("serviceName") or key), standing=standing, fields=fields, id=key)


def _service_fields(wanted: Mapping[str, Any], told: Mapping[str, Any]) -> Iterable[str]:
    if familiar(str(wanted.get("imageName", ""))) != familiar(str(told.get("imageName", ""))):
        yield "imageName"
    if wanted.get("serviceName") not in (None, told.get("serviceName")):
        yield "serviceName"
    if wanted.get("state", "running") != told.get("state"):
        yield "state"
    yield from _config_fields(_object(wanted.get("config")), _object(told.get("config")))


def _config_fields(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> Iterable[str]:
    # Docker keeps these in an order of its own, which makes agents start services anew, but is no other state.
    for name in ("ports", "volumes", "networks"):
        if (name in ours or name != "networks") and _as_set(ours.get(name)) != _as_set(theirs.get(name)):
            yield name
    variables = _object(theirs.get("environment"))
    for name, value in _object(redacted(dict(ours)).get("environment")).items():
        if not _agrees(value, variables.get(name)):
            yield f"environment.{name}"
    for name in ("restart", "networkMode"):
        if ours.get(name) not in (None, theirs.get(name)):
            yield name


def _sensors(wanted: list[Mapping[str, Any]], told: list[Mapping[str, Any]] | None) -> Iterable[ThingDrift]:
    theirs = {name_of(sensor): sensor for sensor in told or ()}
    for sensor in wanted:
        name, own_id = name_of(sensor), sensor.get("id")
        if told is None:
            yield ThingDrift(name=name, standing=Standing.UNKNOWN, id=own_id)
        elif name not in theirs:
            yield ThingDrift(name=name, standing=Standing.MISSING, id=own_id)
        else:
            fields = tuple(_sensor_fields(sensor, theirs[name]))
            standing = Standing.DIFFERENT if fields else Standing.IN_SYNC
            yield ThingDrift(name=name, standing=standing, fields=fields, id=own_id)
    names = {name_of(sensor) for sensor in wanted}
    for name in theirs:
        if name not in names:
            yield ThingDrift(name=name, standing=Standing.EXTRA)


def _sensor_fields(wanted: Mapping[str, Any], told: Mapping[str, Any]) -> Iterable[str]:
    """What agents keep of a sensor; data points and metadata they do not tell."""
    if wanted.get("protocol") != told.get("protocol"):
        yield "protocol"
    if bool(wanted.get("enabled", True)) != bool(told.get("enabled", True)):
        yield "enabled"
    if wanted.get("pollInterval") != told.get("pollInterval"):
        yield "pollInterval"
    # Of a connection string agents keep what they understood of it, which is not told.
    if wanted.get("connectionString") is None and not _agrees(redacted(wanted.get("connection")), connection_of(told)):
        yield "connection"


def connection_of(sensor: Mapping[str, Any]) -> Any:
    """How the sensor is reached: agents tell it as JSON in a text."""
    text = sensor.get("connectionString")
    if not isinstance(text, str):
        return sensor.get("connection")
    try:
        return Cleaning().of(json.loads(text))
    except (ValueError, RecursionError):
        return text


def _agrees(wanted: Any, told: Any) -> bool:
    """Equal, as far as we may know: secrets are not kept of what devices tell."""
    if told in (REDACTED, wanted):
        return True
    if isinstance(wanted, Mapping) and isinstance(told, Mapping):
        return wanted.keys() == told.keys() and all(_agrees(value, told[name]) for name, value in wanted.items())
    return False


def _as_set(entries: Any) -> set[str]:
    return {str(each) for each in entries} if isinstance(entries, list) else set()


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _field(app: Any, name: str) -> Any:
    return app.get(name) if isinstance(app, Mapping) else None
