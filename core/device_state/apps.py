"""The apps of a desired state, in the one form that agents read (contract §9.1)."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from core.device_state.documents import SAFE_NUMBER
from core.errors import Invalid

MOST_APPS = 500
MOST_SERVICES = 500
LONGEST_RESTART_INTERVAL = 24
_DIGITS = re.compile(r"[0-9]{1,16}")


def normalised_apps(value: Any) -> dict[str, Any]:
    """Apps given as an object by id or as a list; ids become whole numbers. Raises Invalid that names the field."""
    if isinstance(value, Mapping):
        given = [(_app_id(app, f"apps.{key}", key), app) for key, app in value.items()]
    elif isinstance(value, list):
        given = [(_app_id(app, f"apps[{number}]", None), app) for number, app in enumerate(value)]
    else:
        raise Invalid("apps must be an object by id, or a list", field="apps")
    if len(given) > MOST_APPS:
        raise Invalid(f"a device can have at most {MOST_APPS} apps", field="apps")
    apps = {str(app_id): _app(app_id, app) for app_id, app in given}
    if len(apps) < len(given):
        raise Invalid("two apps have the same appId", field="apps")
    return apps


def normalised_config(value: Any) -> dict[str, Any]:
    """The configuration. Raises Invalid for values that are known to break agents."""
    if not isinstance(value, Mapping):
        raise Invalid("config must be an object", field="config")
    settings = value.get("settings")
    restart = settings.get("scheduledRestart") if isinstance(settings, Mapping) else None
    days = restart.get("intervalDays") if isinstance(restart, Mapping) else None
    # Agents hand days to a timer of 32 bits of milliseconds: from 25 days on they would restart without end.
    if days is not None and (not _is_number(days) or not 1 <= days <= LONGEST_RESTART_INTERVAL):
        field = "config.settings.scheduledRestart.intervalDays"
        raise Invalid(f"{field} must be between 1 and {LONGEST_RESTART_INTERVAL}", field=field)
    return dict(value)


def _app_id(app: Any, field: str, key: str | None) -> int:
    if not isinstance(app, Mapping):
        raise Invalid(f"{field} must be an object", field=field)
    app_id = whole_id(app.get("appId", key), f"{field}.appId")
    if key is not None and whole_id(key, field) != app_id:
        raise Invalid(f"{field} has the appId {app_id}", field=field)
    return app_id


def _app(app_id: int, app: Mapping[str, Any]) -> dict[str, Any]:
    field = f"apps.{app_id}"
    name = app.get("appName", f"app-{app_id}")
    if not isinstance(name, str) or not name.strip():
        raise Invalid(f"{field}.appName must be text", field=f"{field}.appName")
    services = app.get("services", [])
    if not isinstance(services, list) or len(services) > MOST_SERVICES:
        raise Invalid(f"{field}.services must be a list of at most {MOST_SERVICES}", field=f"{field}.services")
    return {**app, "appId": app_id, "appName": name, "services": _services(services, f"{field}.services")}


def _services(services: list[Any], field: str) -> list[dict[str, Any]]:
    taken: set[int] = set()
    for number, service in enumerate(services):
        if not isinstance(service, Mapping):
            raise Invalid(f"{field}[{number}] must be an object", field=f"{field}[{number}]")
        if service.get("serviceId") is not None:
            service_id = whole_id(service["serviceId"], f"{field}[{number}].serviceId")
            if service_id in taken:
                raise Invalid(f"two services have the serviceId {service_id}", field=f"{field}[{number}].serviceId")
            taken.add(service_id)
    free = _free_ids(taken)
    return [_service(service, free, f"{field}[{number}]") for number, service in enumerate(services)]


def _service(service: Mapping[str, Any], free: Iterable[int], field: str) -> dict[str, Any]:
    for name in ("serviceName", "imageName"):
        if name in service and not isinstance(service[name], str):
            raise Invalid(f"{field}.{name} must be text", field=f"{field}.{name}")
    given = service.get("serviceId")
    service_id = next(iter(free)) if given is None else whole_id(given, f"{field}.serviceId")
    return {**service, "serviceId": service_id}


def _free_ids(taken: set[int]) -> Iterable[int]:
    return (number for number in range(1, SAFE_NUMBER) if number not in taken)


def whole_id(value: Any, field: str) -> int:
    """The id of an app or a service, given as a number or its digits. Raises Invalid."""
    number = int(value) if isinstance(value, str) and _DIGITS.fullmatch(value) else value
    if isinstance(number, float) and number.is_integer():
        number = int(number)
    if not isinstance(number, int) or isinstance(number, bool) or not 1 <= number <= SAFE_NUMBER:
        raise Invalid(f"{field} must be a positive whole number", field=field)
    return number


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
