"""What agents make of a service: refused, or written differently, where it would make them start it without end.

Agents compare every half minute what they were told with what Docker shows, letter by letter (contract §9.4).
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from core.device_state.findings import Findings
from core.device_state.images import checked_image

# Docker's own pattern for names of containers, volumes and networks; names of containers are put together of these.
_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}")
_VOLUME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]{1,127}")
_PORT = re.compile(r"(?P<host>[0-9]{1,5}):(?P<container>[0-9]{1,5})(?:/(?P<protocol>[a-z]+))?")
_VARIABLE = re.compile(r"[^=\s\0]{1,255}")
_HIGHEST_PORT = 65_535
_STATES = ("running", "stopped", "paused")
_POLICIES = ("no", "always", "unless-stopped", "on-failure")
_WITHOUT_NETWORKS = re.compile(r"host|none|container:.+")
MOST_ENTRIES = 200

# Agents take these beside `config` as well, and move them there.
_CONFIGURED = (
    "image",
    "ports",
    "environment",
    "volumes",
    "networks",
    "networkMode",
    "restart",
    "labels",
    "resources",
    "livenessProbe",
    "readinessProbe",
    "startupProbe",
)


def is_name(value: object) -> bool:
    """Whether Docker takes it as a name."""
    return isinstance(value, str) and _NAME.fullmatch(value) is not None


def in_config(service: Mapping[str, Any]) -> dict[str, Any]:
    """The service with everything that agents keep in `config` there, and with its image in `imageName`."""
    given = service.get("config")
    flat = {name: service[name] for name in _CONFIGURED if name in service and name != "image"}
    rest = {name: value for name, value in service.items() if name not in _CONFIGURED}
    inner = given.get("image") if isinstance(given, Mapping) else None
    image = service.get("imageName") or service.get("image") or inner
    named = {**rest, "imageName": image} if image else rest
    if not flat or not isinstance(given or {}, Mapping):
        return named
    return {**named, "config": {**flat, **(given or {})}}


def checked_service(service: Mapping[str, Any], field: str, found: Findings) -> dict[str, Any]:
    """The service in the form in which agents keep it. What is not known of it stays."""
    checked = in_config(service)
    given = checked.get("config", {})
    if not isinstance(given, Mapping):
        found.refuse(f"{field}.config", "must be an object")
        return checked
    config = {name: value for name, value in given.items() if value is not None}
    _check_words(checked, field, found)
    _check_image(checked, config, field, found)
    for name, check in _CHECKS.items():
        if name in config:
            config[name] = check(config[name], f"{field}.config.{name}", found)
    _check_network(config, f"{field}.config", found)
    return {**checked, "config": config} if "config" in checked else checked


def _check_words(service: Mapping[str, Any], field: str, found: Findings) -> None:
    name, state = service.get("serviceName"), service.get("state")
    if name is None:
        found.warn(f"{field}.serviceName", "is missing: the container's name is made of it")
    elif not is_name(name):
        found.refuse(f"{field}.serviceName", "must begin with a letter or digit and have only letters, digits and _.-")
    if state is not None and state not in _STATES:
        found.refuse(f"{field}.state", f"must be one of {', '.join(_STATES)}")


def _check_image(service: dict[str, Any], config: dict[str, Any], field: str, found: Findings) -> None:
    image, inner = service.get("imageName"), config.get("image")
    if not image:
        found.warn(f"{field}.imageName", "is missing: the agent cannot start the service")
        return
    service["imageName"] = checked_image(image, f"{field}.imageName", found)
    if inner is None:
        return
    if inner != image:
        found.warn(f"{field}.config.image", "was changed to imageName, which is what agents go by")
    config["image"] = service["imageName"]


def _ports(value: Any, field: str, found: Findings) -> Any:
    ports = _entries(value, field, found)
    checked = [_port(port, f"{field}[{number}]", found) for number, port in enumerate(ports)]
    _refuse_doubles(checked, field, found)
    _warn_of_order(checked, field, found)
    return checked


def _port(value: Any, field: str, found: Findings) -> str:
    port = str(value)
    parts = _PORT.fullmatch(port)
    if parts is None:
        found.refuse(field, _why_no_port(port))
        return port
    if not all(1 <= int(parts[side]) <= _HIGHEST_PORT for side in ("host", "container")):
        found.refuse(field, f"must have ports between 1 and {_HIGHEST_PORT}")
    if parts["protocol"] not in {None, "tcp"}:
        found.refuse(field, f"asks for {parts['protocol']}: agents publish TCP only, and would start it without end")
    plain = f"{int(parts['host'])}:{int(parts['container'])}"
    if plain != port and parts["protocol"] in {None, "tcp"}:
        found.warn(field, f"was changed to {plain}: that is how Docker shows it, and agents compare the two")
    return plain


def _why_no_port(port: str) -> str:
    if "-" in port:
        return "is a range: agents know single ports only, list them one by one"
    if port.count(":") > 1 or "." in port or "[" in port:
        return "names an address of the host: agents do not see it in Docker, and would start the service without end"
    return "must read host:container, such as 8080:80"


def _volumes(value: Any, field: str, found: Findings) -> Any:
    volumes = _entries(value, field, found)
    checked = [_volume(volume, f"{field}[{number}]", found) for number, volume in enumerate(volumes)]
    _refuse_doubles([volume.rpartition(":")[2] for volume in checked], field, found)
    _warn_of_order(checked, field, found)
    return checked


def _volume(value: Any, field: str, found: Findings) -> str:
    source, colon, rest = str(value).partition(":")
    target, _, options = rest.partition(":")
    if not colon or not source or not target:
        found.refuse(field, "must read source:target, such as data:/var/lib/data")
    elif not target.startswith("/"):
        found.refuse(field, "must have an absolute path in the container")
    elif options not in {"", "rw"}:
        found.refuse(field, f"has the option {options[:20]}, which agents do not see: they would start it without end")
    elif not source.startswith("/") and not _VOLUME.fullmatch(source):
        found.refuse(
            field, "must begin with an absolute path or the name of a volume: agents do not see relative paths"
        )
    elif options:
        found.warn(field, f"was changed to {source}:{target}: rw is what is meant anyway, and Docker does not show it")
    return f"{source}:{target}"


def _environment(value: Any, field: str, found: Findings) -> Any:
    if not isinstance(value, Mapping):
        found.refuse(field, "must be an object of names and values")
        return {}
    for name in value:
        if not _VARIABLE.fullmatch(name):
            found.refuse(field, "must have names without blanks and =")
    return {name: _spelled(below, f"{field}.{name}", found) for name, below in value.items()}


def _spelled(value: Any, field: str, found: Findings) -> str:
    """The value as text, as JavaScript writes it."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return str(int(value)) if float(value).is_integer() else repr(value)
    found.refuse(field, "must be text, a number, true or false")
    return ""


def _networks(value: Any, field: str, found: Findings) -> Any:
    networks = _entries(value, field, found)
    for number, network in enumerate(networks):
        if not is_name(network):
            found.refuse(f"{field}[{number}]", "must be the name of a network")
    _refuse_doubles([str(network) for network in networks], field, found)
    _warn_of_order(networks, field, found)
    return networks


def _network_mode(value: Any, field: str, found: Findings) -> Any:
    if not is_name(value) and not (isinstance(value, str) and _WITHOUT_NETWORKS.fullmatch(value)):
        found.refuse(field, "must be bridge, host, none, container:<name> or the name of a network")
    return value


def _restart(value: Any, field: str, found: Findings) -> Any:
    if value not in _POLICIES:
        found.refuse(field, f"must be one of {', '.join(_POLICIES)}: agents do not see a number of tries")
    return value


def _object(value: Any, field: str, found: Findings) -> Any:
    if not isinstance(value, Mapping):
        found.refuse(field, "must be an object")
    return value


def _check_network(config: Mapping[str, Any], field: str, found: Findings) -> None:
    mode = str(config.get("networkMode", ""))
    if not _WITHOUT_NETWORKS.fullmatch(mode):
        return
    if config.get("networks"):
        found.refuse(f"{field}.networks", f"must be empty while networkMode is {mode[:40]}")
    if config.get("ports"):
        found.refuse(f"{field}.ports", f"must be empty while networkMode is {mode[:40]}: Docker then lists none")


def _entries(value: Any, field: str, found: Findings) -> list[Any]:
    if isinstance(value, list) and len(value) <= MOST_ENTRIES:
        return value
    found.refuse(field, f"must be a list of at most {MOST_ENTRIES}")
    return []


def _refuse_doubles(entries: list[str], field: str, found: Findings) -> None:
    for number, entry in enumerate(entries):
        if entry in entries[:number]:
            found.refuse(f"{field}[{number}]", "is there twice: Docker shows it once")


def _warn_of_order(entries: list[Any], field: str, found: Findings) -> None:
    if len(entries) > 1:
        found.warn(field, "has several entries: if Docker lists them in another order, agents start the service anew")


_CHECKS: Mapping[str, Callable[[Any, str, Findings], Any]] = {
    "ports": _ports,
    "environment": _environment,
    "volumes": _volumes,
    "networks": _networks,
    "networkMode": _network_mode,
    "restart": _restart,
    "labels": _object,
    "resources": _object,
}
