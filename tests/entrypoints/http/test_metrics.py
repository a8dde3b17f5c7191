"""Vital signs over HTTP, from the report of a device to what people see (contract §4.8)."""

import gzip
import json
from typing import Any
from uuid import uuid4

import pytest

from core.actor import Role
from tests.support.application import Api, EnrolledDevice

INTERFACES = [
    {"name": "lo", "ip4": "127.0.0.1", "ip6": "::1", "type": "virtual", "operstate": "unknown", "default": False},
    {"name": "wlan0", "ip4": "192.0.2.2", "type": "wireless", "operstate": "up", "default": True, "ssid": "shop"},
    {"name": "eth0", "type": "wired", "operstate": "down", "mac": "02:fc:00:00:00:01", "virtual": False},
]
VITALS = {
    "cpu_usage": 49,
    "temperature": 51.2,
    "memory_usage": 1380,
    "memory_total": 24105,
    "storage_usage": 32034,
    "storage_total": 258019,
    "uptime": 2202.24,
    "top_processes": [{"pid": 1, "name": "init", "cpu": 12.2, "mem": 0}],
    "network_interfaces": INTERFACES,
}


async def report(device: EnrolledDevice, **told: Any) -> None:
    """Send a report as the agent does."""
    body = gzip.compress(json.dumps({device.uuid: {"apps": {}, "is_online": True} | told}).encode())
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    answer = await device.caller.patch("/device/state", data=body, headers=headers)
    assert answer.status == 200, answer


async def test_the_temperature_of_a_report_is_seen_as_cpu_temp(api: Api) -> None:
    """Contract §12.1 item 14."""
    device, viewer = await api.device(), await api.person(Role.VIEWER)
    await report(device, version=1, **VITALS)
    answer = await viewer.get(f"/devices/{device.uuid}/metrics?limit=10")
    (sample,) = answer.body["metrics"]
    assert (answer.body["count"], sample["cpu_temp"], sample["late"]) == (1, 51.2, False)
    assert sample["top_processes"] == [{"pid": 1, "name": "init", "cpu": 12.2, "mem": 0.0}]
    listed = (await viewer.get("/devices")).body["devices"]
    assert [item["cpu_temp"] for item in listed if item["uuid"] == device.uuid] == [51.2]


async def test_a_queued_report_is_in_the_series_marked_as_late(api: Api) -> None:
    device, viewer = await api.device(), await api.person(Role.VIEWER)
    await report(device, version=1, cpu_usage=10)
    await report(device, cpu_usage=90)
    metrics = (await viewer.get(f"/devices/{device.uuid}/metrics")).body["metrics"]
    assert [(sample["cpu_usage"], sample["late"]) for sample in metrics] == [(90.0, True), (10.0, False)]


@pytest.mark.parametrize("period", ["30min", "6h", "12h", "24h"])
async def test_every_period_has_points(api: Api, period: str) -> None:
    """Contract §12.3 item 43."""
    device, viewer = await api.device(), await api.person(Role.VIEWER)
    await report(device, version=1, **VITALS)
    answer = await viewer.get(f"/devices/{device.uuid}/metrics?period={period}")
    assert [point["cpu_usage"] for point in answer.body["metrics"]] == [49.0]


async def test_processes_and_interfaces_are_shown_in_the_words_of_the_dashboard(api: Api) -> None:
    device, viewer = await api.device(), await api.person(Role.VIEWER)
    await report(device, version=1, **VITALS)
    processes = (await viewer.get(f"/devices/{device.uuid}/processes")).body
    assert (processes["device_uuid"], processes["top_processes"][0]["name"]) == (device.uuid, "init")
    assert processes["last_updated"].endswith("Z")
    interfaces = (await viewer.get(f"/devices/{device.uuid}/network-interfaces")).body["interfaces"]
    assert [interface["status"] for interface in interfaces] == ["connected", "connected", "disconnected"]
    assert interfaces[1] == {
        "id": "wlan0",
        "name": "wlan0",
        "type": "wireless",
        "ipAddress": "192.0.2.2",
        "ip4": "192.0.2.2",
        "ip6": None,
        "mac": None,
        "status": "connected",
        "operstate": "up",
        "default": True,
        "virtual": False,
        "ssid": "shop",
    }


async def test_what_ran_during_the_last_hours_is_shown_newest_first(api: Api) -> None:
    device, viewer = await api.device(), await api.person(Role.VIEWER)
    for pid in (1, 2, 3):
        await report(device, version=1, top_processes=[{"pid": pid}])
    answer = (await viewer.get(f"/devices/{device.uuid}/processes/history?hours=1&limit=2")).body
    assert (answer["device_uuid"], answer["count"]) == (device.uuid, 2)
    assert [entry["top_processes"][0]["pid"] for entry in answer["history"]] == [3, 2]


@pytest.mark.parametrize("query", ["period=1h", "limit=0", "limit=x", "limit=100000"])
async def test_questions_that_make_no_sense_are_refused(api: Api, query: str) -> None:
    device, viewer = await api.device(), await api.person(Role.VIEWER)
    assert (await viewer.get(f"/devices/{device.uuid}/metrics?{query}")).status == 400


@pytest.mark.parametrize("path", ["metrics", "processes", "processes/history", "network-interfaces"])
async def test_only_people_see_vital_signs_and_only_of_devices_that_exist(api: Api, path: str) -> None:
    device, viewer = await api.device(), await api.person(Role.VIEWER)
    assert (await api.stranger.get(f"/devices/{device.uuid}/{path}")).status == 401
    assert (await device.caller.get(f"/devices/{device.uuid}/{path}")).status == 401
    assert (await viewer.get(f"/devices/{uuid4()}/{path}")).status == 404
    assert (await viewer.get(f"/devices/x/{path}")).status == 400
