"""Logs over HTTP: what agents send and what people see (contract §2.8, §2.9, §4.7)."""

import gzip
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from core.actor import Role
from tests.support.application import Answer, Api, EnrolledDevice

NDJSON = {"Content-Type": "application/x-ndjson"}
BATCH = {"summaries": [{"droppedAt": 1795447499256, "totalCount": 4, "reason": "retry_exhausted"}]}


def ms(moment: datetime) -> int:
    """The moment as the agent writes it."""
    return int(moment.timestamp() * 1000)


async def send(device: EnrolledDevice, *lines: dict[str, Any] | str, **headers: str) -> Answer:
    """Send lines as the agent does."""
    texts = [line if isinstance(line, str) else json.dumps({"message": "hello"} | line) for line in lines]
    body = gzip.compress("".join(f"{text}\n" for text in texts).encode())
    return await device.caller.post(
        f"/device/{device.uuid}/logs", data=body, headers=NDJSON | {"Content-Encoding": "gzip"} | headers
    )


async def test_one_hundred_lines_with_a_bad_one_and_two_wrong_clocks_are_stored_but_one(api: Api) -> None:
    """Contract §12.1 item 15."""
    device, viewer = await api.device(), await api.person(Role.VIEWER)
    now = datetime.now(UTC)
    times = [datetime(2099, 1, 1, tzinfo=UTC), datetime(1970, 1, 1, 0, 1, tzinfo=UTC)]
    times += [now - timedelta(seconds=n) for n in range(97)]
    lines: list[dict[str, Any] | str] = [{"timestamp": ms(at), "context": {"component": "Sync"}} for at in times]
    answer = await send(device, *lines, '{"message": "cut o')
    assert (answer.status, answer.body) == (200, {"status": "ok", "received": 99, "rejected": 1})
    logs = (await viewer.get(f"/devices/{device.uuid}/logs")).body["logs"]
    assert len(logs) == 99
    assert [line["time_clamped"] for line in logs].count(True) == 2
    assert all(abs(datetime.fromisoformat(line["timestamp"]) - now) < timedelta(minutes=5) for line in logs)


async def test_uncompressed_lines_are_taken_as_well(api: Api) -> None:
    device = await api.device()
    answer = await device.caller.post(f"/device/{device.uuid}/logs", data=b'{"message":"x"}\n', headers=NDJSON)
    assert answer.body["received"] == 1


async def test_a_line_is_shown_with_all_it_says(api: Api) -> None:
    device, viewer = await api.device(), await api.person(Role.VIEWER)
    sent = {"level": "error", "message": "boom", "serviceName": "nginx", "serviceId": 2, "isStdErr": True}
    await send(device, sent | {"source": {"type": "container", "name": "web"}, "containerId": "f77147bf"})
    answer = await viewer.get(f"/devices/{device.uuid}/logs")
    (line,) = answer.body["logs"]
    assert answer.body["count"] == 1
    assert {name: line[name] for name in ("device_uuid", "service_name", "message", "is_system", "is_stderr")} == {
        "device_uuid": device.uuid,
        "service_name": "nginx",
        "message": "boom",
        "is_system": False,
        "is_stderr": True,
    }
    assert (line["level"], line["container_id"], line["source"]["type"]) == ("error", "f77147bf", "container")
    assert line["created_at"].endswith("Z")


async def test_the_last_day_asked_for_is_whole_and_pages_are_full(api: Api) -> None:
    """The original filtered after it had counted: pages came out short (contract §4.7)."""
    device, viewer = await api.device(), await api.person(Role.VIEWER)
    noon = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(hours=12)
    moments = [noon + timedelta(days=1, minutes=-719), noon + timedelta(hours=11), noon - timedelta(days=1)]
    await send(device, *({"timestamp": ms(at), "message": str(n)} for n, at in enumerate(moments)))
    day = noon.date().isoformat()
    logs = (await viewer.get(f"/devices/{device.uuid}/logs?from={day}&to={day}&limit=1")).body["logs"]
    assert [line["message"] for line in logs] == ["1"]
    logs = (await viewer.get(f"/devices/{device.uuid}/logs?to={day}")).body["logs"]
    assert [line["message"] for line in logs] == ["1", "2"]
    logs = (await viewer.get(f"/devices/{device.uuid}/logs?limit=1&offset=1")).body["logs"]
    assert [line["message"] for line in logs] == ["1"]


async def test_lines_are_found_by_service_level_and_text(api: Api) -> None:
    device, viewer = await api.device(), await api.person(Role.VIEWER)
    await send(
        device,
        {"serviceName": "nginx", "level": "error", "message": "Disk full"},
        {"serviceName": "nginx", "level": "info"},
        {"source": {"type": "system", "name": "CloudSync"}, "level": "error"},
    )
    path = f"/devices/{device.uuid}/logs"
    assert (await viewer.get(path + "?service=nginx")).body["count"] == 2
    assert (await viewer.get(path + "?service=nginx&level=error")).body["count"] == 1
    assert (await viewer.get(path + "?search=disk")).body["count"] == 1
    assert (await viewer.get(path + "/services")).body == {"services": ["CloudSync", "nginx"]}


async def test_a_batch_with_a_name_is_stored_once(api: Api) -> None:
    device, viewer = await api.device(), await api.person(Role.VIEWER)
    answers = [await send(device, {}, "odd", **{"X-Batch-Id": "7"}) for _ in range(2)]
    assert [answer.body for answer in answers] == [{"status": "ok", "received": 1, "rejected": 1}] * 2
    assert (await viewer.get(f"/devices/{device.uuid}/logs")).body["count"] == 1


async def test_summaries_of_dropped_lines_are_kept_once(api: Api) -> None:
    """Contract §12.1 item 16."""
    device, viewer = await api.device(), await api.person(Role.VIEWER)
    for _ in range(2):
        answer = await device.caller.post(f"/device/{device.uuid}/logs/dropped-summaries", BATCH)
        assert (answer.status, answer.body) == (200, {"status": "ok"})
    answer = await viewer.get(f"/devices/{device.uuid}/logs/dropped-summaries")
    (summary,) = answer.body["summaries"]
    assert (summary["totalCount"], summary["reason"]) == (4, "retry_exhausted")


@pytest.mark.parametrize("query", ["from=yesterday", "to=2026-02-30", "limit=0", "offset=-1", "level=" + "x" * 50])
async def test_questions_that_make_no_sense_are_refused(api: Api, query: str) -> None:
    device, viewer = await api.device(), await api.person(Role.VIEWER)
    assert (await viewer.get(f"/devices/{device.uuid}/logs?{query}")).status == 400


async def test_a_device_sends_logs_only_for_itself_and_sees_none(api: Api) -> None:
    device, other, viewer = await api.device(), await api.device(), await api.person(Role.VIEWER)
    for path, body in (("logs", None), ("logs/dropped-summaries", BATCH)):
        assert (await device.caller.post(f"/device/{other.uuid}/{path}", body)).status == 403
        assert (await viewer.post(f"/device/{device.uuid}/{path}", body)).status == 401
        assert (await api.stranger.post(f"/device/{device.uuid}/{path}", body)).status == 401
    for path in ("logs", "logs/services", "logs/dropped-summaries"):
        assert (await device.caller.get(f"/devices/{device.uuid}/{path}")).status == 401
        assert (await viewer.get(f"/devices/{uuid4()}/{path}")).status == 404


async def test_what_a_removed_device_logged_is_forgotten(api: Api) -> None:
    owner, key = await api.person(Role.OWNER), await api.provisioning_key()
    device = await api.device(key)
    await send(device, {})
    assert (await owner.delete(f"/devices/{device.uuid}")).status == 200
    await api.settle()
    again = await api.device(key, uuid=device.uuid)
    assert (await owner.get(f"/devices/{again.uuid}/logs")).body["count"] == 0
