"""Contract 12.1, items 14 to 16 and 24: what devices measure and log."""

import gzip
import json
from datetime import UTC, datetime
from typing import Any

from core.actor import Role
from tests.acceptance.test_agent_state import report, send_over_http
from tests.support.application import Answer, Api, EnrolledDevice
from tests.support.mqtt import connected


async def send_logs(device: EnrolledDevice, lines: list[str]) -> Answer:
    packed = gzip.compress("".join(line + "\n" for line in lines).encode())
    headers = {"Content-Type": "application/x-ndjson", "Content-Encoding": "gzip"}
    return await device.caller.call("POST", f"/device/{device.uuid}/logs", data=packed, headers=headers)


def line(number: int, timestamp: int) -> str:
    return json.dumps(
        {
            "timestamp": timestamp,
            "level": "info",
            "message": f"line {number}",
            "source": {"type": "system", "name": "agent"},
            "isSystem": True,
            "context": {"component": "tests", "apiKeyPrefix": "0123456789abcdef"},
        }
    )


async def send_readings(device: EnrolledDevice, protocol: str, envelope: Any) -> None:
    async with connected(device.mqtt) as client:
        await client.publish(f"iot/device/{device.uuid}/sensor/{protocol}", json.dumps(envelope), qos=1)


async def test_14_the_temperature_is_the_cpu_s(api: Api) -> None:
    device = await api.device()
    body = report(device.uuid, temperature=51.2, cpu_usage=7, memory_usage=512, memory_total=1024, uptime=1.5)
    assert (await send_over_http(device, body)).status == 200
    viewer = await api.person(Role.VIEWER)
    metrics = (await viewer.get(f"/devices/{device.uuid}/metrics")).body["metrics"]
    assert [point["cpu_temp"] for point in metrics] == [51.2]
    listed = (await viewer.get("/devices")).body["devices"]
    assert [shown["cpu_temp"] for shown in listed if shown["uuid"] == device.uuid] == [51.2]


async def test_15_one_malformed_line_does_not_cost_the_others(api: Api) -> None:
    device = await api.device()
    now = int(datetime.now(UTC).timestamp() * 1000)
    year_2099, year_1970 = 4_070_908_800_000, 1000
    lines = [line(number, now + number) for number in range(97)]
    lines += ['{"timestamp": 1, "message": "cut o', line(98, year_2099), line(99, year_1970)]
    answer = await send_logs(device, lines)
    assert answer.status == 200
    assert answer.body["received"] == 99
    viewer = await api.person(Role.VIEWER)
    stored = (await viewer.get(f"/devices/{device.uuid}/logs?limit=1000")).body["logs"]
    assert len(stored) == 99
    odd = [row for row in stored if row["message"] in {"line 98", "line 99"}]
    assert all(datetime.fromisoformat(row["timestamp"]).year == datetime.now(UTC).year for row in odd)
    assert all(row["time_clamped"] for row in odd)
    assert "0123456789abcdef" not in json.dumps(stored)


async def test_16_dropped_summaries_are_stored_once(api: Api) -> None:
    device = await api.device()
    summary = {
        "droppedAt": int(datetime.now(UTC).timestamp() * 1000),
        "timeRange": {"start": 1795447226914, "end": 1795447236914},
        "totalCount": 12,
        "levelCounts": {"error": 1, "warn": 1, "info": 10, "debug": 0},
        "serviceCounts": {"agent": 12},
        "errorSamples": [{"timestamp": 1795447226914, "serviceName": "agent", "message": "no route"}],
        "warningSamples": [],
        "estimatedBytes": 2400,
        "reason": "network_failure",
    }
    body = {"summaries": [summary], "deviceUuid": device.uuid, "reportedAt": 1795447246914}
    for _ in range(3):
        answer = await device.caller.post(f"/device/{device.uuid}/logs/dropped-summaries", body)
        assert answer.status == 200
        assert answer.body["status"] == "ok"
    viewer = await api.person(Role.VIEWER)
    stored = (await viewer.get(f"/devices/{device.uuid}/logs/dropped-summaries")).body
    assert stored["count"] == 1


def batch(count: int) -> dict[str, Any]:
    messages = []
    for number in range(count):
        at = f"2026-11-24T12:00:{number:02d}.000Z"
        readings = [
            {
                "timestamp": at,
                "deviceName": "boiler",
                "registerName": name,
                "value": number,
                "unit": "C",
                "quality": "GOOD",
            }
            for name in ("temperature", "pressure")
        ]
        messages.append(json.dumps({"timestamp": at, "readings": readings}))
    return {"sensor": "modbus-pipe", "timestamp": "2026-11-24T12:00:12.000Z", "messages": messages}


async def test_24_a_batch_of_twelve_messages_is_twenty_four_readings_once(api: Api) -> None:
    device = await api.device()
    viewer = await api.person(Role.VIEWER)
    for _ in range(2):
        await send_readings(device, "modbus", batch(12))
        readings = (await viewer.get(f"/devices/{device.uuid}/readings?limit=500")).body["readings"]
        assert len(readings) == 24
    assert {reading["register"] for reading in readings} == {"temperature", "pressure"}


async def test_24_numeric_times_are_understood_and_text_that_is_not_json_is_kept(api: Api) -> None:
    device = await api.device()
    at = int(datetime.now(UTC).timestamp() * 1000)
    simulated = json.dumps({"value": 19.21, "unit": "C", "timestamp": at, "simulation": True})
    envelope = {"sensor": "temperature", "timestamp": "2026-11-24T12:00:00Z", "messages": [simulated]}
    await send_readings(device, "temperature", envelope)
    csv = "boiler,pressure,1.5,bar,GOOD,2026-11-24T12:00:00.000Z\n"
    await send_readings(device, "csv", envelope | {"sensor": "csv-pipe", "messages": [csv]})
    viewer = await api.person(Role.VIEWER)
    readings = (await viewer.get(f"/devices/{device.uuid}/readings")).body["readings"]
    shown = json.dumps(readings)
    assert any(reading["value"] == 19.21 for reading in readings)
    assert "boiler,pressure,1.5,bar,GOOD" in shown
