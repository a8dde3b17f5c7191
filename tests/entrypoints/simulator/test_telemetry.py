"""How a simulated agent logs and measures."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.entrypoints.simulator.stage import Stage, fleet, read_lines, staged


def _batches(stage: Stage) -> list[dict[str, Any]]:
    return [json.loads(event.payload) for event in stage.published("/sensor/modbus")]


async def test_log_lines_go_packed_as_ndjson(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.jsonl"
    async with staged() as stage, fleet(stage, logs_per_minute=6000, ledger=ledger):
        await stage.until(lambda: len(stage.called("logs")) > 2)
        request = stage.called("logs")[0]
        (register,) = stage.called("register")
        assert request.headers["Content-Type"] == "application/x-ndjson"
        assert request.headers["Content-Encoding"] == "gzip"
        assert request.body.endswith(b"\n")
        line = request.lines[0]
        assert line["deviceId"] == register.json["uuid"]
        assert {"timestamp", "level", "message", "source", "isSystem", "context"} <= line.keys()


async def test_no_two_log_lines_are_the_same() -> None:
    async with staged() as stage, fleet(stage, logs_per_minute=60_000):
        await stage.until(lambda: sum(len(call.lines) for call in stage.called("logs")) > 100)
        messages = [line["message"] for call in stage.called("logs") for line in call.lines]
        assert len(set(messages)) == len(messages)
        assert max(len(call.lines) for call in stage.called("logs")) <= 100


async def test_refused_log_lines_are_summed_up_until_the_summary_is_acknowledged(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.jsonl"
    async with staged() as stage:
        stage.faults["logs"].append(500)
        stage.faults["dropped-summaries"].append(404)
        async with fleet(stage, logs_per_minute=6000, ledger=ledger):
            await stage.until(lambda: len(stage.called("logs")) > 4)
        first, second = stage.called("dropped-summaries")
        assert first.json["summaries"] == second.json["summaries"]
        (summary,) = first.json["summaries"]
        lost = stage.called("logs")[0].lines
        assert summary["totalCount"] == len(lost) == sum(summary["levelCounts"].values())
        assert summary["timeRange"]["start"] == lost[0]["timestamp"]
        text = ledger.read_text()
        assert [item["droppedAt"] for item in read_lines(text, "dropped")] == [summary["droppedAt"]]
        acknowledged = {item["message"] for item in read_lines(text, "log")}
        assert not acknowledged & {line["message"] for line in lost}


async def test_without_a_broker_at_its_start_an_agent_never_logs() -> None:
    async with staged(broker=False) as stage, fleet(stage, logs_per_minute=60_000):
        await stage.until(lambda: len(stage.called("report")) > 5)
        assert not stage.called("logs")


async def test_readings_go_in_batches_of_several_registers(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.jsonl"
    async with staged() as stage:
        async with fleet(stage, readings_per_minute=60_000, ledger=ledger, time_scale=1):
            await stage.until(lambda: len(_batches(stage)) > 1)
        batch = _batches(stage)[0]
        assert batch["sensor"] == "modbus-pipe"
        assert len(batch["messages"]) == 12
        message = json.loads(batch["messages"][0])
        assert [reading["registerName"] for reading in message["readings"]] == ["temperature", "pressure"]
        sent = {
            (reading["deviceName"], reading["registerName"], reading["timestamp"], reading["value"])
            for batch in _batches(stage)
            for message in batch["messages"]
            for reading in json.loads(message)["readings"]
        }
        items = read_lines(ledger.read_text(), "reading")
        noted = {(item["sensor"], item["register"], item["timestamp"], item["value"]) for item in items}
        assert noted == sent
        assert len(items) == len(noted), "each reading once"


async def test_what_was_measured_while_the_broker_was_away_goes_as_one_batch() -> None:
    async with staged(broker=False) as stage, fleet(stage, readings_per_minute=30_000, batch=5):
        await stage.until(lambda: len(stage.called("report")) > 10)
        await stage.broker.start()
        await stage.until(lambda: _batches(stage))
        assert len(_batches(stage)[0]["messages"]) > 5


@pytest.mark.parametrize("form", ["single", "csv"])
async def test_the_other_forms_are_spoken_too(form: str) -> None:
    async with staged() as stage, fleet(stage, readings_per_minute=60_000, form=form):
        await stage.until(lambda: _batches(stage))
        message = _batches(stage)[0]["messages"][0]
        if form == "csv":
            assert message.split("\n")[0].startswith("boiler,temperature,")
        else:
            assert json.loads(message)["registerName"] == "temperature"


async def test_in_simulation_mode_each_metric_has_its_topic() -> None:
    async with staged() as stage, fleet(stage, readings_per_minute=60_000, form="simulation"):
        await stage.until(lambda: stage.published("/sensor/temperature"))
        batch = json.loads(stage.published("/sensor/temperature")[0].payload)
        assert batch["sensor"] == "temperature"
        reading = json.loads(batch["messages"][0])
        assert isinstance(reading["timestamp"], int)
        assert reading["simulation"] is True


async def test_sensors_of_the_target_state_are_polled_and_reported_without_their_data_points() -> None:
    sensor = {
        "id": "cloud-id",
        "name": "meter",
        "protocol": "opcua",
        "enabled": True,
        "pollInterval": 1000,
        "connection": {"host": "h"},
        "dataPoints": [{"name": "power", "unit": "kW"}],
    }
    async with staged() as stage:
        stage.target = {"apps": {}, "config": {"sensors": [sensor]}, "version": 1}
        async with fleet(stage, readings_per_minute=60_000):
            await stage.until(lambda: stage.published("/sensor/opcua") and stage.reports())
        reported = {item["name"]: item for item in stage.reports()[0]["config"]["sensors"]}
        assert set(reported) == {"boiler", "meter"}
        assert reported["meter"]["id"] != "cloud-id"
        assert reported["meter"]["connectionString"] == '{"host": "h"}'
        assert "dataPoints" not in reported["meter"]
        assert reported["meter"]["enabled"] == 1
