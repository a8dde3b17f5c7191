"""Whether a device runs what it shall (T-36; §12.3 item 42)."""

import json
from copy import deepcopy
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from core.device_state import Content, Deployed, Drift, Reported, Standing, drift
from tests.support.clock import NOON
from tests.support.states import UUID

SERVICE: dict[str, Any] = {
    "serviceId": 1,
    "serviceName": "nginx",
    "imageName": "nginx:1.27",
    "config": {
        "ports": ["8080:80", "8081:81"],
        "volumes": ["data:/data"],
        "environment": {"MODE": "fast", "DB_PASSWORD": "hunter2", "URL": "postgres://u:p@db/x"},
        "restart": "always",
    },
}
SENSOR: dict[str, Any] = {
    "id": "s-1",
    "name": "boiler",
    "protocol": "modbus",
    "enabled": True,
    "pollInterval": 2000,
    "connection": {"type": "tcp", "host": "192.0.2.7", "password": "hunter2"},
    "dataPoints": [{"name": "t"}],
}


def desired(apps: Any = None, sensors: Any = None, version: int = 3) -> Deployed:
    content = Content(apps=apps or {}, config={"sensors": sensors or []})
    return Deployed(uuid=UUID, version=version, content=content, deployed_at=NOON, deployed_by="user:7:anna")


def obeyed(wanted: Deployed) -> Reported:
    """What an agent reports that does as it is told, secrets taken out as they are on the way in."""
    apps = {key: _running(app) for key, app in wanted.content.apps.items() if app["services"]}
    sensors = [_read(sensor) for sensor in wanted.content.config["sensors"]]
    return Reported(uuid=UUID, reported_at=NOON, apps=apps, config={"sensors": sensors}, version=wanted.version)


def _running(app: Any) -> Any:
    services = deepcopy(app["services"])
    for service in services:
        config = {"ports": [], "volumes": [], "networks": [], "labels": {}, **service.get("config", {})}
        hidden = {"DB_PASSWORD": "[redacted]", "URL": "postgres://u:[redacted]@db/x"}
        environment = {"PATH": "/bin", **config.get("environment", {})}
        config["environment"] = {name: hidden.get(name, value) for name, value in environment.items()}
        config["ports"] = config["ports"][::-1]
        service.update(config=config, status="running", containerId="c" * 64)
        service.setdefault("state", "running")
    return {**app, "services": services}


def _read(sensor: Any) -> Any:
    connection = {**sensor["connection"], "password": "[redacted]"}
    told = {name: sensor[name] for name in ("name", "protocol", "pollInterval")}
    return {**told, "id": "its own", "enabled": int(sensor["enabled"]), "connectionString": json.dumps(connection)}


WANTED = desired({"1001": {"appId": 1001, "appName": "web", "services": [SERVICE]}}, [SENSOR])


def changed(**fields: Any) -> Drift:
    """The drift when the device reports this of the service instead."""
    reported = obeyed(WANTED)
    apps = deepcopy(dict(reported.apps or {}))
    apps["1001"]["services"][0].update(fields)
    return drift(WANTED, evolve(reported, apps=apps))


def standing_of_service(found: Drift) -> tuple[Standing, tuple[str, ...]]:
    return found.apps[0].services[0].standing, found.apps[0].services[0].fields


def standings(found: Drift) -> set[Standing]:
    services = {each.standing for app in found.apps for each in app.services}
    return services | {each.standing for each in found.apps} | {each.standing for each in found.sensors}


def test_a_device_that_does_as_it_is_told_is_in_sync() -> None:
    """§12.3 item 42, its end: the versions are equal after the report."""
    found = drift(WANTED, obeyed(WANTED))
    assert found.in_sync is True
    assert (found.version, found.seen_version) == (3, 3)
    assert standings(found) == {Standing.IN_SYNC}


def test_of_a_device_that_never_reported_nothing_is_known() -> None:
    found = drift(WANTED, None)
    assert found.in_sync is None
    assert standings(found) == {Standing.UNKNOWN}


def test_a_version_that_was_seen_is_not_a_version_that_runs() -> None:
    """T-36."""
    found = drift(WANTED, evolve(obeyed(WANTED), apps={}))
    assert found.in_sync is False
    assert (found.apps[0].standing, found.apps[0].services[0].standing) == (Standing.MISSING, Standing.MISSING)


def test_a_version_that_was_not_seen_is_drift() -> None:
    assert drift(WANTED, evolve(obeyed(WANTED), version=2)).in_sync is False


@pytest.mark.parametrize(
    ("fields", "different"),
    [
        ({"imageName": "nginx:1.26"}, ("imageName",)),
        ({"state": "stopped"}, ("state",)),
        ({"state": None}, ("state",)),
        ({"serviceName": "other"}, ("serviceName",)),
        (
            {"config": {}},
            ("ports", "volumes", "environment.MODE", "environment.DB_PASSWORD", "environment.URL", "restart"),
        ),
        (
            {"config": "odd"},
            ("ports", "volumes", "environment.MODE", "environment.DB_PASSWORD", "environment.URL", "restart"),
        ),
    ],
)
def test_a_service_that_differs_is_told_by_its_fields(fields: dict[str, Any], different: tuple[str, ...]) -> None:
    found = changed(**fields)
    assert standing_of_service(found) == (Standing.DIFFERENT, different)
    assert (found.apps[0].standing, found.in_sync) == (Standing.DIFFERENT, False)


def test_the_registry_that_docker_leaves_out_is_no_difference() -> None:
    assert standing_of_service(changed(imageName="docker.io/library/nginx:1.27")) == (Standing.IN_SYNC, ())


def test_what_nobody_asked_for_is_extra() -> None:
    reported = obeyed(WANTED)
    apps = {**(reported.apps or {}), "7": {"appName": "old", "services": [{"serviceId": 9, "serviceName": "x"}]}}
    found = drift(WANTED, evolve(reported, apps=apps))
    assert (found.apps[1].app_id, found.apps[1].standing) == ("7", Standing.EXTRA)
    assert found.in_sync is False
    more = changed()
    assert more.in_sync is True


def test_a_sensor_that_the_agent_found_is_extra_and_no_drift() -> None:
    """§9.5: neither deleted nor adopted."""
    reported = obeyed(WANTED)
    sensors = [*(reported.config or {})["sensors"], {"name": "found", "protocol": "opcua"}]
    found = drift(WANTED, evolve(reported, config={"sensors": sensors}))
    assert (found.sensors[1].name, found.sensors[1].standing) == ("found", Standing.EXTRA)
    assert found.in_sync is True


@pytest.mark.parametrize(
    ("fields", "different"),
    [
        ({"enabled": 0}, ("enabled",)),
        ({"pollInterval": 5000}, ("pollInterval",)),
        ({"protocol": "can"}, ("protocol",)),
        ({"connectionString": '{"host": "other"}'}, ("connection",)),
        ({"connectionString": "[" * 5000}, ("connection",)),
        ({"connectionString": None}, ("connection",)),
    ],
)
def test_a_sensor_that_differs_is_told_by_its_fields(fields: dict[str, Any], different: tuple[str, ...]) -> None:
    sensor = {**_read(SENSOR), **fields}
    found = drift(WANTED, evolve(obeyed(WANTED), config={"sensors": [sensor]}))
    assert (found.sensors[0].standing, found.sensors[0].fields) == (Standing.DIFFERENT, different)


names = st.text("abc", min_size=1, max_size=3)


def _id_of(service: dict[str, Any]) -> int:
    number: int = service["serviceId"]
    return number


services: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {"serviceId": st.integers(1, 4), "serviceName": names, "imageName": names.map(lambda name: f"{name}:1")},
    optional={
        "state": st.sampled_from(["running", "stopped"]),
        "config": st.fixed_dictionaries(
            {},
            optional={
                "ports": st.lists(st.sampled_from(["1:1", "2:2"]), unique=True),
                "environment": st.dictionaries(names, names, max_size=2),
                "restart": st.sampled_from(["no", "always"]),
            },
        ),
    },
)
some_services: st.SearchStrategy[list[dict[str, Any]]] = st.lists(services, max_size=3, unique_by=_id_of)
apps = st.dictionaries(
    st.sampled_from("123"), st.fixed_dictionaries({"appName": names, "services": some_services}), max_size=3
)
sensors = st.lists(names, max_size=3, unique=True).map(lambda each: [{**SENSOR, "name": name} for name in each])
states = st.builds(desired, apps, sensors)


@given(states)
def test_to_do_as_one_is_told_is_to_be_in_sync(wanted: Deployed) -> None:
    assert drift(wanted, obeyed(wanted)).in_sync is True


def mended(running: Reported, found: Drift, wanted: Deployed) -> Reported:
    """What the device reports when it has done what the drift names, and nothing else."""
    there = obeyed(wanted)
    apps, kept = dict(running.apps or {}), {each["name"]: each for each in (running.config or {})["sensors"]}
    for app in found.apps:
        if app.standing is not Standing.IN_SYNC:
            apps.pop(app.app_id, None)
            apps.update({key: each for key, each in (there.apps or {}).items() if key == app.app_id})
    for sensor in found.sensors:
        if sensor.standing is not Standing.IN_SYNC:
            kept.pop(sensor.name, None)
            kept.update({each["name"]: each for each in (there.config or {})["sensors"] if each["name"] == sensor.name})
    return evolve(running, apps=apps, config={"sensors": [*kept.values()]}, version=wanted.version)


@given(states, states)
def test_applying_the_target_removes_the_drift(before: Deployed, after: Deployed) -> None:
    """To mend what the drift names is enough: it leaves nothing out."""
    running = obeyed(before)
    done = mended(running, drift(after, running), after)
    assert drift(after, done).in_sync is True
    assert standings(drift(after, done)) <= {Standing.IN_SYNC}


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda below: (
        st.lists(below, max_size=3)
        | st.dictionaries(
            st.sampled_from(["1001", "services", "config", "sensors", "name", "serviceId"]), below, max_size=4
        )
    ),
)


@given(st.none() | st.dictionaries(st.sampled_from(["1001", "x"]), anything), anything)
def test_nothing_that_a_device_reports_breaks_the_comparison(told: Any, config: Any) -> None:
    reported = Reported(uuid=UUID, reported_at=NOON, apps=told, config=config if isinstance(config, dict) else None)
    assert drift(WANTED, reported).apps[0].app_id == "1001"
