"""Events over HTTP (contract §4.20, §12.3 item 52)."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio

from core.actor import Role
from tests.support.application import Api, Caller, EnrolledDevice, running_api

APPS = {"1001": {"appId": 1001, "appName": "web", "services": []}}
SERVICE = {"serviceId": 1, "serviceName": "nginx", "imageName": "nginx:1.27", "config": {}}
WEB = {"1001": {"appId": 1001, "appName": "web", "services": [SERVICE]}}

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def api(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Api]:
    """The application, shared by the tests of this file."""
    async with running_api(tmp_path_factory.mktemp("events")) as running:
        yield running


async def live(api: Api) -> tuple[EnrolledDevice, Caller]:
    """A device that reported and got something else to run, and somebody who looks at it."""
    device, manager = await api.device(), await api.person(Role.MANAGER)
    await report(device, APPS)
    answer = await manager.put(f"/devices/{device.uuid}/target-state", {"apps": WEB})
    assert answer.status == 200, answer
    assert (
        await manager.post(f"/devices/{device.uuid}/deploy", headers={"X-Request-ID": f"deploy:{device.uuid}"})
    ).status == 200
    await api.settle()
    return device, await api.person(Role.VIEWER)


async def report(device: EnrolledDevice, apps: Any) -> None:
    """The device reports what it runs."""
    assert (await device.caller.patch("/device/state", {device.uuid: {"version": 1, "apps": apps}})).status == 200


def types(events: list[dict[str, Any]]) -> list[str]:
    """What happened."""
    return [event["type"] for event in events]


async def test_the_timeline_is_newest_first_with_valid_times(api: Api) -> None:
    """Contract §12.3 item 52, §11.6 M-06: the original gave the oldest, without times."""
    device, viewer = await live(api)
    answer = await viewer.get(f"/events/device/{device.uuid}?limit=500")
    assert (answer.status, answer.body["success"], answer.body["deviceUuid"]) == (200, True, device.uuid)
    events = answer.body["events"]
    assert answer.body["count"] == len(events)
    assert types(events)[0] == "target_state.updated"
    assert {"device.provisioned", "current_state.updated"} < set(types(events))
    times = [datetime.fromisoformat(event["timestamp"]) for event in events]
    assert times == sorted(times, reverse=True)
    assert {"id", "event_id", "category", "title", "description", "data", "metadata", "source"} < set(events[0])
    timeline = (await viewer.get(f"/events/device/{device.uuid}/timeline?limit=2")).body
    assert (timeline["success"], timeline["timeline"]) == (True, events[:2])


async def test_events_are_asked_for_by_type_and_place(api: Api) -> None:
    device, viewer = await live(api)
    path = f"/events/device/{device.uuid}"
    [deployed] = (await viewer.get(path + "?eventType=target_state.deployed")).body["events"]
    assert deployed["metadata"]["name"] == "target_state.deployed"
    assert deployed["correlation_id"] == f"deploy:{device.uuid}"
    later = (await viewer.get(f"{path}?sinceEventId={deployed['event_id']}")).body["events"]
    assert all(event["id"] > deployed["id"] for event in later)
    before = (await viewer.get(f"{path}?beforeEventId={deployed['id']}&limit=1")).body["events"]
    assert len(before) == 1
    assert before[0]["timestamp"] <= deployed["timestamp"]
    found = (await viewer.get(f"/events/search?deviceUuid={device.uuid}&eventType=device.provisioned,job.failed")).body
    assert types(found["events"]) == ["device.provisioned"]
    chain = (await viewer.get(f"/events/chain/deploy:{device.uuid}")).body
    assert (chain["success"], types(chain["events"])) == (True, ["target_state.updated"])


async def test_events_are_counted(api: Api) -> None:
    device, viewer = await live(api)
    path = f"/events/device/{device.uuid}"
    summary = (await viewer.get(path + "/summary?daysBack=3")).body
    assert summary["summary"]["total"] == (await viewer.get(path + "?limit=500")).body["count"]
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat().replace("+00:00", "Z")
    aggregate = (await viewer.get(f"{path}/aggregate?period=month&dateTo={tomorrow}")).body
    assert sum(each["count"] for each in aggregate["aggregates"]) == summary["summary"]["total"]
    stats = (await viewer.get("/events/stats")).body
    assert stats["stats"]["by_category"]["state"] >= 2


async def test_viewers_see_nothing_of_accounts_and_keys(api: Api) -> None:
    _, viewer = await live(api)
    admin = await api.person(Role.ADMIN)
    await api.settle()
    seen = types((await viewer.get("/events/recent?limit=500")).body["events"])
    everything = types((await admin.get("/events/recent?limit=500")).body["events"])
    assert not [name for name in seen if name.startswith(("user.", "provisioning"))]
    assert "user.logged_in" in everything
    assert set(seen) < set(everything)


async def test_a_device_is_shown_as_it_was_and_what_changed_since(api: Api) -> None:
    """Contract §12.3 item 52, §11.6 M-07."""
    device = await api.device()
    await report(device, APPS)
    before = datetime.now(UTC)
    await report(device, WEB)
    await api.settle()
    viewer, now, path = await api.person(Role.VIEWER), datetime.now(UTC), f"/events/device/{device.uuid}"
    then = (await viewer.post(path + "/snapshot", {"timestamp": before.isoformat()})).body
    assert (then["success"], then["device_uuid"], then["current_state"]["apps"]) == (True, device.uuid, APPS)
    assert then["target_state"]["version"] == 1
    span = {"fromTime": before.isoformat(), "toTime": now.isoformat()}
    replay = (await viewer.post(path + "/replay", span)).body
    assert (replay["events_replayed"], replay["errors"]) == (len(replay["events"]), [])
    assert replay["final_state"]["current_state"]["apps"] == WEB
    compared = (await viewer.post(path + "/compare", {"time1": before.isoformat(), "time2": now.isoformat()})).body
    change = next(each for each in compared["changes"] if each["field"] == "current_state.apps.1001.services.0")
    assert (change["old_value"], change["new_value"]) == (None, SERVICE)
    involved = [event["type"] for event in compared["events_between"] if event["id"] in change["events_involved"]]
    assert involved == ["current_state.updated"]
    assert compared["changes_count"] == len(compared["changes"])


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/snapshot", {}),
        ("/snapshot", {"timestamp": "yesterday"}),
        ("/snapshot", {"timestamp": "2026-11-24T12:00:00"}),
        ("/replay", {"fromTime": "2026-11-24T12:00:00Z"}),
        ("/replay", {"fromTime": "2026-11-24T12:00:00Z", "toTime": "2026-11-24T11:00:00Z"}),
        ("/compare", {"time1": 7, "time2": None}),
    ],
)
async def test_questions_about_the_past_that_make_no_sense_are_refused(
    api: Api, path: str, body: dict[str, Any]
) -> None:
    device, viewer = await api.device(), await api.person(Role.VIEWER)
    assert (await viewer.post(f"/events/device/{device.uuid}{path}", body)).status == 400


async def test_questions_that_make_no_sense_are_refused(api: Api) -> None:
    device, viewer = await api.device(), await api.person(Role.VIEWER)
    path = f"/events/device/{device.uuid}"
    queries = ("limit=501", "limit=0", "severity=loud", "from=now", "sinceEventId=x", "beforeEventId=-1")
    for query in queries:
        assert (await viewer.get(f"{path}?{query}")).status == 400, query
    assert (await viewer.get(path + "/aggregate?period=century")).status == 400
    assert (await viewer.get(path + "/summary?daysBack=0")).status == 400
    for missing in ("", "/timeline", "/summary", "/aggregate"):
        assert (await viewer.get(f"/events/device/{uuid4()}{missing}")).status == 404


@pytest.mark.parametrize("name", ["x" * 65, "two words", "<svg>", ""])
async def test_a_request_with_an_odd_name_gets_one_of_ours(api: Api, name: str) -> None:
    manager = await api.person(Role.MANAGER)
    device = await api.device()
    await manager.patch(f"/devices/{device.uuid}", {"deviceName": "other"}, headers={"X-Request-ID": name})
    await api.settle()
    [edited] = (await manager.get(f"/events/device/{device.uuid}?eventType=device.edited")).body["events"]
    assert edited["correlation_id"] not in {name, None}
