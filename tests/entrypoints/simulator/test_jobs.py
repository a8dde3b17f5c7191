"""How a simulated agent does jobs and updates itself."""

import json
from pathlib import Path
from typing import Any

from entrypoints.simulator.working import outcome
from tests.entrypoints.simulator.stage import Stage, fleet, read_lines, staged

DOCUMENT = {"version": "1.0", "steps": [{"name": "hello", "type": "runCommand", "input": {"command": "echo,good day"}}]}


def _notify(stage: Stage, job_id: str, execution_number: int = 1) -> None:
    (register,) = stage.called("register")
    execution = {"jobId": job_id, "jobDocument": DOCUMENT, "versionNumber": 1, "executionNumber": execution_number}
    topic = f"iot/device/{register.json['uuid']}/jobs/notify-next"
    stage.broker.send(topic, json.dumps({"execution": execution, "timestamp": 1}).encode())


def _updates(stage: Stage, job_id: str) -> list[dict[str, Any]]:
    return [json.loads(event.payload) for event in stage.published(f"/jobs/{job_id}/update")]


async def test_a_job_that_comes_over_mqtt_is_answered_over_mqtt(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.jsonl"
    async with staged() as stage:
        async with fleet(stage, ledger=ledger):
            await stage.until(lambda: len(stage.subscribed()) == 2)
            _notify(stage, "j1")
            await stage.until(lambda: len(_updates(stage, "j1")) == 2)
        started, ended = _updates(stage, "j1")
        assert started["status"] == "IN_PROGRESS"
        assert (ended["status"], ended["exit_code"]) == ("SUCCEEDED", 0)
        assert ended["stdout"] == "=== Step: hello ===\ngood day\n\n"
        assert "timestamp" in ended["status_details"]
        assert read_lines(ledger.read_text(), "job")[0]["status"] == "IN_PROGRESS"


async def test_the_same_notification_again_is_no_news_until_its_number_is_raised() -> None:
    async with staged() as stage, fleet(stage):
        await stage.until(lambda: len(stage.subscribed()) == 2)
        _notify(stage, "j1")
        await stage.until(lambda: len(_updates(stage, "j1")) == 2)
        seen = len(stage.reports())
        await stage.until(lambda: len(stage.reports()) > seen)
        _notify(stage, "j1")
        _notify(stage, "j1", execution_number=2)
        await stage.until(lambda: len(_updates(stage, "j1")) == 4)
        seen = len(stage.reports())
        await stage.until(lambda: len(stage.reports()) > seen + 3)
        assert len(_updates(stage, "j1")) == 4


async def test_a_job_is_asked_for_and_answered_over_http_while_there_is_no_broker() -> None:
    async with staged(broker=False) as stage, fleet(stage):
        await stage.until(lambda: len(stage.called("next")) > 2)
        stage.jobs.append({"job_id": "j2", "job_name": "n", "job_document": json.dumps(DOCUMENT)})
        await stage.until(lambda: len(stage.called("status")) == 2)
        (register,) = stage.called("register")
        statuses = [call.json["status"] for call in stage.called("status")]
        assert statuses == ["IN_PROGRESS", "SUCCEEDED"]
        asked = stage.called("next")[0]
        assert asked.headers["User-Agent"] == f"Iotistic-agent/{register.json['uuid']}"


async def test_nobody_asks_over_http_while_mqtt_is_there() -> None:
    async with staged() as stage, fleet(stage):
        await stage.until(lambda: len(stage.reports()) > 5)
        assert len(stage.called("next")) == 1, "the one at the start"


async def test_an_ordered_update_is_confirmed_and_shows_in_a_later_report() -> None:
    async with staged() as stage, fleet(stage):
        await stage.until(lambda: len(stage.subscribed()) == 2)
        (register,) = stage.called("register")
        order = json.dumps({"action": "update", "version": "1.0.99", "timestamp": 1}).encode()
        stage.broker.send(f"iot/device/{register.json['uuid']}/agent/update", order)
        await stage.until(lambda: any(report.get("agent_version") == "1.0.99" for report in stage.reports()))
        types = [json.loads(event.payload)["type"] for event in stage.published("/agent/status")]
        assert types == ["update_command_received", "update_started"]


async def test_refused_subscriptions_do_not_stop_an_agent() -> None:
    async with staged() as stage:
        stage.broker.refuses_subscriptions = True
        async with fleet(stage) as running:
            await stage.until(lambda: len(stage.reports()) > 2)
            summary = await running.stopped()
        assert next(row for row in summary.rows if row.kind == "subscribe").errors == 2


def test_a_step_that_fails_fails_the_job() -> None:
    steps = [{"name": "first", "input": {"command": "echo,a"}}, {"name": "second", "input": {"command": "false"}}]
    ended = outcome({"steps": steps}, "now")
    assert (ended["status"], ended["exit_code"]) == ("FAILED", 1)
    assert ended["stdout"] == "=== Step: first ===\na\n\n"
    assert ended["status_details"] == {"error": "Step failed: second", "timestamp": "now"}
