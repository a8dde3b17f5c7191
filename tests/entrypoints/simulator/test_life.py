"""How a simulated agent starts, comes back and stops."""

import json
from functools import partial
from pathlib import Path
from uuid import UUID

from tests.entrypoints.simulator.stage import LOST, Stage, fleet, names, read_lines, staged


def _kept(folder: Path) -> list[Path]:
    return list(folder.glob("*.json"))


def _more_than(stage: Stage, count: int) -> bool:
    return len(stage.reports()) > count


async def test_a_fresh_agent_speaks_in_the_order_of_the_real_one() -> None:
    async with staged() as stage, fleet(stage):
        await stage.until(lambda: len(stage.subscribed()) == 2)
        assert names(stage.heard) == [
            "register",
            "key-exchange",
            "CONNECT",
            "next",
            "SUBSCRIBE jobs/notify-next",
            "target",
            "PUBLISH state",
            "SUBSCRIBE agent/update",
        ]


async def test_registration_brings_a_uuid_and_a_key_made_by_the_device() -> None:
    async with staged() as stage, fleet(stage):
        await stage.until(stage.connected)
        (register,), (exchange,) = stage.called("register"), stage.called("key-exchange")
        assert register.headers["Authorization"] == "Bearer provisioning-key"
        assert UUID(register.json["uuid"]).version == 4
        assert len(bytes.fromhex(register.json["deviceApiKey"])) == 32
        assert exchange.headers["Authorization"] == f"Bearer {register.json['deviceApiKey']}"
        assert exchange.json == {"uuid": register.json["uuid"], "deviceApiKey": register.json["deviceApiKey"]}


async def test_it_connects_as_the_agent_does() -> None:
    async with staged() as stage, fleet(stage):
        await stage.until(stage.connected)
        connected = stage.connected()[0]
        assert (connected.level, connected.clean, connected.will, connected.keepalive) == (4, True, False, 60)
        assert (connected.client_id, connected.username, connected.password) == ("device_x", "device_x", "secret")


async def test_a_lost_answer_to_the_registration_is_followed_by_the_same_device_again() -> None:
    async with staged() as stage:
        stage.faults["register"].append(LOST)
        async with fleet(stage):
            await stage.until(stage.connected)
        first, second = stage.called("register")
        assert first.body == second.body


async def test_a_refused_key_exchange_is_followed_by_a_whole_registration() -> None:
    async with staged() as stage:
        stage.faults["key-exchange"].append(500)
        async with fleet(stage):
            await stage.until(stage.connected)
        assert names(stage.heard)[:4] == ["register", "key-exchange", "register", "key-exchange"]
        first, second = stage.called("register")
        assert first.body == second.body


async def test_a_registration_without_credentials_is_no_registration() -> None:
    async with staged() as stage:
        stage.broker.port = 0
        stage.faults["register"].append(201)
        async with fleet(stage) as running:
            await stage.until(lambda: len(stage.called("register")) > 1)
            summary = await running.stopped()
        row = next(row for row in summary.rows if row.kind == "register")
        assert row.errors == 1


async def test_a_device_that_was_kept_comes_back_without_registering(tmp_path: Path) -> None:
    async with staged() as stage:
        async with fleet(stage, state_dir=tmp_path):
            await stage.until(stage.reports)
        before = len(stage.heard)
        async with fleet(stage, state_dir=tmp_path):
            await stage.until(lambda: len(stage.subscribed()) == 4)
        assert len(stage.called("register")) == 1
        assert names(stage.heard[before:])[:3] == ["CONNECT", "next", "SUBSCRIBE jobs/notify-next"]
        polls = [event for event in stage.called("target") if "If-None-Match" not in event.headers]
        assert len(polls) == 2, "a restarted agent has forgotten the ETag"


async def test_a_kept_device_never_uses_a_report_number_twice(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.jsonl"
    async with staged() as stage:
        for _ in range(2):
            before = len(stage.reports())
            async with fleet(stage, state_dir=tmp_path / "devices", ledger=ledger):
                await stage.until(partial(_more_than, stage, before + 2))
    numbers = [item["sequence"] for item in read_lines(ledger.read_text(), "report")]
    assert len(numbers) > 4
    assert len(set(numbers)) == len(numbers)


async def test_the_files_of_kept_devices_are_for_their_owner_only(tmp_path: Path) -> None:
    async with staged() as stage, fleet(stage, state_dir=tmp_path):
        await stage.until(stage.connected)
    (file,) = _kept(tmp_path)
    assert file.stat().st_mode & 0o077 == 0


async def test_the_last_batch_goes_out_twice_when_the_agent_is_stopped() -> None:
    async with staged() as stage:
        async with fleet(stage, readings_per_minute=6000, batch=10_000, time_scale=1) as running:
            await stage.until(lambda: len(stage.called("target")) > 10)
            await running.stopped()
        first, second = stage.published("/sensor/modbus")
        assert first.payload == second.payload
        assert json.loads(first.payload)["messages"]


async def test_a_fleet_ends_after_its_duration_and_says_how_it_went() -> None:
    async with staged() as stage, fleet(stage, devices=20, duration=0.5, interval=0.1) as running:
        summary = await running.task
        assert (summary.devices, summary.registered, summary.errors) == (20, 20, 0)
        rows = {row.kind: row for row in summary.rows}
        assert rows["register"].count == 20
        assert 0 < rows["register"].p50 <= rows["register"].p99 <= rows["register"].max
        assert len({event.json["uuid"] for event in stage.called("register")}) == 20
