"""What attackers and accidents send as telemetry (abuse cases 9, 34, 41, 43; contract §12.4 item 58)."""

import gzip
import json
import tracemalloc
from collections.abc import Iterator

import pytest

from core.actor import Role
from core.ids import DeviceUuid
from tests.support.application import Api

NDJSON = {"Content-Type": "application/x-ndjson"}
GZIP = NDJSON | {"Content-Encoding": "gzip"}
MIB = 2**20
KEY = "70a6b2446da563a6" * 4


@pytest.fixture
def traced() -> Iterator[None]:
    """Memory is counted."""
    tracemalloc.start()
    yield
    tracemalloc.stop()


@pytest.mark.usefixtures("traced")
@pytest.mark.parametrize("filling", [b"\x00", b"\n", b'{"message":"x"}\n'])
async def test_a_gzip_bomb_of_logs_is_refused_and_costs_little_memory(api: Api, filling: bytes) -> None:
    """Contract §12.4 item 58: bounded memory, 413."""
    device = await api.device()
    bomb = gzip.compress(filling * (200 * MIB // len(filling)), 1)
    tracemalloc.reset_peak()
    before = tracemalloc.get_traced_memory()[0]
    answer = await device.caller.post(f"/device/{device.uuid}/logs", data=bomb, headers=GZIP)
    assert answer.status == 413
    assert tracemalloc.get_traced_memory()[1] - before < 32 * MIB


async def test_a_bomb_within_a_bomb_is_taken_for_lines_that_nobody_can_read(api: Api) -> None:
    device = await api.device()
    inner = gzip.compress(b"\x00" * MIB)
    answer = await device.caller.post(f"/device/{device.uuid}/logs", data=gzip.compress(inner), headers=GZIP)
    assert (answer.status, answer.body["received"]) == (200, 0)


async def test_too_many_lines_are_refused(api: Api) -> None:
    device = await api.device()
    body = b'{"message":""}\n' * 10_001
    assert (await device.caller.post(f"/device/{device.uuid}/logs", data=body, headers=NDJSON)).status == 400


async def test_a_body_that_is_too_long_is_refused_before_it_is_kept(api: Api) -> None:
    device = await api.device()
    answer = await device.caller.post(f"/device/{device.uuid}/logs", data=b"x" * (8 * MIB + 1), headers=NDJSON)
    assert answer.status == 413


async def test_a_log_line_cannot_write_to_the_terminal_of_who_reads_it_nor_pretend_to_be_another_line(api: Api) -> None:
    device, viewer = await api.device(), await api.person(Role.VIEWER)
    evil = '\x1b]0;owned\x07\x1b[2J\x1b[31mred\r\x00\ud800 {"level":"error"}\u0085'
    line = json.dumps({"message": evil, "level": "\x1b[1mwarn", "serviceName": "a\nb\x00"}).encode() + b"\n"
    await device.caller.post(f"/device/{device.uuid}/logs", data=line, headers=NDJSON)
    (kept,) = (await viewer.get(f"/devices/{device.uuid}/logs")).body["logs"]
    assert kept["message"] == 'red {"level":"error"}'
    assert (kept["level"], kept["service_name"]) == ("warn", "a b")


async def test_markup_in_telemetry_is_answered_as_data_that_no_browser_runs(api: Api) -> None:
    """Abuse case 34: MQTT payload with SVG in the UI."""
    device, viewer, evil = await api.device(), await api.person(Role.VIEWER), "<svg/onload=alert(1)>"
    line = json.dumps({"message": evil}).encode()
    await device.caller.post(f"/device/{device.uuid}/logs", data=line, headers=NDJSON)
    await api.running.services.readings.receive(DeviceUuid(device.uuid), evil, evil.encode())
    for path in ("logs", "readings"):
        answer = await viewer.get(f"/devices/{device.uuid}/{path}")
        assert evil.encode() in answer.raw
        assert answer.headers["Content-Type"].startswith("application/json")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_keys_that_agents_log_are_not_kept(api: Api) -> None:
    """Contract §12.4 item 59."""
    device, viewer = await api.device(), await api.person(Role.VIEWER)
    context = {"apiKeyPrefix": device.key[:16], "headers": {"authorization": f"Bearer {device.key}"}}
    line = json.dumps({"message": f"polling with {device.key}", "context": context}).encode()
    await device.caller.post(f"/device/{device.uuid}/logs", data=line, headers=NDJSON)
    answer = await viewer.get(f"/devices/{device.uuid}/logs")
    assert answer.body["count"] == 1
    assert device.key[:16].encode() not in answer.raw


@pytest.mark.parametrize(
    "value", ["1e999", "-1e999", "9" * 400, "9" * 5000, "NaN", '"\\u0000"', '"\\ud800"', "[" * 900 + "]" * 900]
)
async def test_no_value_stops_a_device_from_being_heard(api: Api, value: str) -> None:
    """Abuse case 43."""
    device, viewer = await api.device(), await api.person(Role.VIEWER)
    line = f'{{"message": "odd", "timestamp": {value}, "level": {value}, "context": {{"x": {value}}}}}\n'
    sent = line.encode() + b'{"message": "good"}\n'
    answer = await device.caller.post(f"/device/{device.uuid}/logs", data=sent, headers=NDJSON)
    assert answer.status == 200
    assert answer.body["received"] >= 1
    message = json.dumps(f'{{"value": {value}, "unit": {value}, "deviceName": {value}, "timestamp": {value}}}')
    await api.running.services.readings.receive(
        DeviceUuid(device.uuid), "x", f'{{"messages": [{message}], "timestamp": 1}}'.encode()
    )
    for path in ("logs", "readings"):
        found = await viewer.get(f"/devices/{device.uuid}/{path}")
        assert (found.status, found.body["count"] >= 1) == (200, True)
        assert b"\\u0000" not in found.raw


@pytest.mark.parametrize("body", ["[" * 100_000, '{"summaries": ' + "9" * 400 + "}", '{"summaries": [{}, [], null]}'])
async def test_summaries_of_any_shape_leave_the_server_well(api: Api, body: str) -> None:
    device = await api.device()
    answer = await device.caller.post(f"/device/{device.uuid}/logs/dropped-summaries", data=body.encode())
    assert answer.status in {200, 400}
