"""What devices say of themselves, and what is kept of it."""

import json
from typing import Any

import pytest

from core.actor import STRANGER
from core.device_state import CurrentStateChanged, Reported, ReportRefused
from core.errors import Forbidden, Invalid, NotFound, Unauthenticated
from tests.support.states import MANAGER, OTHER, UUID, States, device_actor

CONTAINER = {
    "serviceId": 1,
    "serviceName": "nginx",
    "imageName": "nginx:1.27",
    "containerId": "a" * 64,
    "status": "running",
    "state": "running",
    "config": {"image": "nginx:1.27", "environment": {"PATH": "/bin", "DB_PASSWORD": "hunter2"}},
}
RUNNING = {"1001": {"appId": 1001, "appName": "web", "services": [CONTAINER]}}
FULL: dict[str, Any] = {
    "apps": RUNNING,
    "is_online": True,
    "version": 1,
    "config": {"sensors": [{"name": "modbus1"}]},
    "endpoints_health": {"modbus1": {"connected": True}},
    "os_version": "Debian 12",
    "agent_version": "1.0.84",
    "cpu_usage": 12.5,
    "temperature": 51.2,
    "uptime": 99.5,
    "local_ip": "192.0.2.2",
}


async def report(states: States, **fields: Any) -> None:
    await states.reports.receive(device_actor(), {UUID: fields})


async def current(states: States) -> Reported:
    return await states.reports.current(MANAGER, UUID)


async def test_a_report_is_kept_section_by_section(states: States) -> None:
    await states.enrol()
    await report(states, **FULL)
    kept = await current(states)
    assert (kept.version, kept.is_online) == (1, True)
    assert kept.config == {"sensors": [{"name": "modbus1"}]}
    assert kept.endpoints_health == {"modbus1": {"connected": True}}
    assert kept.system_info["cpu_temp"] == 51.2
    assert kept.system_info["uptime"] == 99.5
    assert kept.reported_at == states.clock.now()


async def test_a_report_over_mqtt_is_kept_as_one_over_http(states: States) -> None:
    """§12.1 item 11."""
    await states.enrol()
    await states.enrol(OTHER)
    await report(states, **FULL)
    await states.reports.receive_published(OTHER, json.dumps({OTHER: FULL}).encode())
    over_http, over_mqtt = await current(states), await states.reports.current(MANAGER, OTHER)
    for section in ("apps", "config", "version", "is_online", "endpoints_health", "system_info"):
        assert getattr(over_http, section) == getattr(over_mqtt, section), section


async def test_a_section_that_is_absent_is_kept_and_an_empty_one_replaces(states: States) -> None:
    """§12.1 item 12, first half."""
    await states.enrol()
    await report(states, **FULL)
    await report(states, version=1, apps=RUNNING)
    assert (await current(states)).config == FULL["config"]
    await report(states, version=1, config={})
    assert (await current(states)).config == {}


async def test_a_report_without_version_changes_neither_apps_nor_version(states: States) -> None:
    """§12.1 item 12, second half: such a report waited while the device was offline, newer ones came before it."""
    await states.enrol()
    await report(states, **FULL)
    states.clock.advance(minutes=1)
    await report(states, apps={}, is_online=False, config={"old": 1}, agent_version="1.0.1", cpu_usage=99)
    kept = await current(states)
    assert (kept.version, kept.is_online, kept.config) == (1, True, FULL["config"])
    assert kept.apps is not None
    assert "1001" in kept.apps
    assert kept.system_info["agent_version"] == "1.0.84"
    assert kept.system_info["cpu_usage"] == 12.5
    assert kept.reported_at < states.clock.now()
    assert [late for _, _, late in states.vitals.taken] == [False, True]
    assert states.vitals.taken[1][1]["cpu_usage"] == 99


async def test_a_late_report_fills_what_is_not_known_yet(states: States) -> None:
    await states.enrol()
    await report(states, version=1, apps={})
    await report(states, config={"sensors": []}, agent_version="1.0.84")
    kept = await current(states)
    assert kept.config == {"sensors": []}
    assert kept.system_info["agent_version"] == "1.0.84"


async def test_a_report_for_another_device_is_refused(states: States) -> None:
    """§12.1 item 13, over HTTP."""
    await states.enrol()
    await states.enrol(OTHER)
    with pytest.raises(Forbidden):
        await states.reports.receive(device_actor(), {OTHER: FULL})
    with pytest.raises(Invalid):
        await states.reports.receive(device_actor(), {UUID: FULL, OTHER: FULL})
    with pytest.raises(Unauthenticated):
        await states.reports.receive(STRANGER, {UUID: FULL})
    assert await states.reports.latest(MANAGER, OTHER) is None
    assert await states.reports.latest(MANAGER, UUID) is None


async def test_a_report_published_for_another_device_is_dropped_and_audited(states: States) -> None:
    """§12.1 item 13, over MQTT. Written down once in a while, not at every message."""
    await states.enrol()
    await states.enrol(OTHER)
    for payload in (b'{"%s": {"version": 1}}' % OTHER.encode(), b"no JSON", b"[]", b"{}", b'"text"'):
        await states.reports.receive_published(UUID, payload)
    assert await states.reports.latest(MANAGER, OTHER) is None
    [event] = await states.events()
    assert isinstance(event, ReportRefused)
    assert event.uuid == UUID
    states.clock.advance(minutes=2)
    await states.reports.receive_published(UUID, b"[]")
    assert len(await states.events()) == 2


async def test_a_device_that_is_gone_is_not_made_again(states: States) -> None:
    """§12.1 item 29."""
    await states.reports.receive_published(UUID, b'{"%s": {"version": 1}}' % UUID.encode())
    with pytest.raises(NotFound):
        await report(states, version=1)
    assert await states.events() == []


async def test_there_is_no_current_state_before_the_first_report(states: States) -> None:
    await states.enrol()
    with pytest.raises(NotFound, match="not reported yet"):
        await current(states)


async def test_only_a_change_of_what_runs_or_of_the_version_is_announced(states: States) -> None:
    await states.enrol()
    await report(states, **FULL)
    restarted = {**CONTAINER, "containerId": "b" * 64, "status": "restarting"}
    await report(states, **{**FULL, "apps": {"1001": {**RUNNING["1001"], "services": [restarted]}}})
    await report(states, **{**FULL, "cpu_usage": 50, "endpoints_health": {}})
    assert len(await states.events()) == 1
    stopped = {**CONTAINER, "state": "stopped"}
    await report(states, version=1, apps={"1001": {**RUNNING["1001"], "services": [stopped]}})
    await report(states, version=2)
    events = await states.events()
    assert [event.version for event in events if isinstance(event, CurrentStateChanged)] == [1, 1, 2]


async def test_secrets_in_the_environment_of_containers_are_not_kept(states: States) -> None:
    await states.enrol()
    await report(states, **FULL)
    apps: Any = (await current(states)).apps
    environment = apps["1001"]["services"][0]["config"]["environment"]
    assert environment == {"PATH": "/bin", "DB_PASSWORD": "[redacted]"}
    assert "hunter2" not in str(states.vitals.taken)


async def test_the_numbers_go_to_the_vitals_in_the_same_transaction(states: States) -> None:
    await states.enrol()
    await report(states, **FULL, unheard_of=1)
    [(uuid, kept, late)] = states.vitals.taken
    assert (uuid, late, kept["temperature"]) == (UUID, False, 51.2)
    assert "unheard_of" not in kept
