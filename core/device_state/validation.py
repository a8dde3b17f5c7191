"""What is refused, changed or doubted of a desired state before it is kept (contract §9.4)."""

from collections.abc import Iterator, Mapping
from typing import Any

from attrs import evolve

from core.device_state.containers import checked_service, is_name
from core.device_state.findings import Caution, Findings
from core.device_state.model import Content
from core.device_state.sensor_checks import KnownSensors, NewId, checked_sensors

SHORTEST_INTERVAL = 100
# Node keeps timers in 32 bits of milliseconds and takes a longer one for one millisecond.
LONGEST_INTERVAL = 2**31 - 1
INTERVALS = (
    "metricsIntervalMs",
    "deviceReportIntervalMs",
    "stateReportIntervalMs",
    "targetStatePollIntervalMs",
    "reconciliationIntervalMs",
    "cloudJobsPollingIntervalMs",
)
_LEVELS = ("debug", "info", "warn", "error")
_FIREWALL = ("on", "off", "auto", "disabled")

Service = Mapping[str, Any]


def checked(
    content: Content, *, deployed: Content | None, new_id: NewId, drafted: Content | None = None
) -> tuple[Content, tuple[Caution, ...]]:
    """The content as it will be kept, and what people shall know of it. Raises Invalid that names every bad field.

    Sensors keep the ids that their names have in what is deployed, or drafted; others get a `new_id`.
    """
    found = Findings()
    apps = {key: _checked_app(app, f"apps.{key}", found) for key, app in content.apps.items()}
    _check_names(apps, found)
    _check_shared(apps, found)
    config = dict(content.config)
    _check_config(config, found)
    if "sensors" in config:
        known = KnownSensors.of(deployed.config if deployed else {}, drafted.config if drafted else {})
        config["sensors"] = checked_sensors(config["sensors"], known, new_id, found)
    return evolve(content, apps=apps, config=config), found.settled()


def _checked_app(app: Mapping[str, Any], field: str, found: Findings) -> dict[str, Any]:
    if not is_name(app["appName"]):
        found.refuse(f"{field}.appName", "must begin with a letter or digit and have only letters, digits and _.-")
    services = [
        checked_service(service, f"{field}.services[{number}]", found) for number, service in enumerate(app["services"])
    ]
    return {**app, "services": services}


def _services(apps: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any], Service]]:
    for key, app in apps.items():
        for number, service in enumerate(app["services"]):
            yield f"apps.{key}.services[{number}]", app, service


def _check_names(apps: Mapping[str, Any], found: Findings) -> None:
    """Containers are called app_service_id: two of one name cannot be, two that look alike can."""
    containers: set[str] = set()
    for field, app, service in _services(apps):
        container = f"{app['appName']}_{service.get('serviceName')}_{service['serviceId']}"
        if container in containers:
            found.refuse(f"{field}.serviceName", f"makes a second container of the name {container}")
        containers.add(container)
    names: set[str] = set()
    for key, app in apps.items():
        if app["appName"] in names:
            found.warn(f"apps.{key}.appName", "is the name of another app as well")
        names.add(app["appName"])
        own: set[Any] = set()
        for number, service in enumerate(app["services"]):
            name = service.get("serviceName")
            if name is not None and name in own:
                found.warn(f"apps.{key}.services[{number}].serviceName", "is the name of another service as well")
            own.add(name)


def _check_shared(apps: Mapping[str, Any], found: Findings) -> None:
    volumes: dict[str, str] = {}
    ports: dict[str, str] = {}
    for field, app, service in _services(apps):
        config = service.get("config") or {}
        for number, volume in enumerate(_listed(config, "volumes")):
            name = volume.partition(":")[0]
            owner = volumes.setdefault(name, str(app["appId"]))
            if not name.startswith("/") and owner != str(app["appId"]):
                why = f"is a volume that app {owner} has too: both get the same, and it goes with either of them"
                found.warn(f"{field}.config.volumes[{number}]", why)
        for number, port in enumerate(_listed(config, "ports")):
            host = port.partition(":")[0]
            if ports.setdefault(host, field) != field:
                why = f"publishes port {host}, which {ports[host]} does too: only one of them can run"
                found.warn(f"{field}.config.ports[{number}]", why)


def _listed(config: Any, name: str) -> list[str]:
    value = config.get(name) if isinstance(config, Mapping) else None
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


def _check_config(config: Mapping[str, Any], found: Findings) -> None:
    for name in ("logging", "features", "settings"):
        if name in config and not isinstance(config[name], Mapping):
            found.refuse(f"config.{name}", "must be an object")
    level = _below(config, "logging", "level")
    if level is not None and level not in _LEVELS:
        found.refuse("config.logging.level", f"must be one of {', '.join(_LEVELS)}")
    firewall = _below(config, "settings", "firewallMode")
    if firewall is not None and firewall not in _FIREWALL:
        found.refuse("config.settings.firewallMode", f"must be one of {', '.join(_FIREWALL)}")
    for name in INTERVALS:
        value = _below(config, "settings", name)
        whole = isinstance(value, int) and not isinstance(value, bool)
        if value is not None and not (whole and SHORTEST_INTERVAL <= value <= LONGEST_INTERVAL):
            why = f"must be a whole number of milliseconds between {SHORTEST_INTERVAL} and {LONGEST_INTERVAL}"
            found.refuse(f"config.settings.{name}", why)


def _below(config: Mapping[str, Any], section: str, name: str) -> Any:
    value = config.get(section)
    return value.get(name) if isinstance(value, Mapping) else None
