"""Everything is restarted or killed at random times under a fleet that writes: nothing acknowledged is lost."""

import asyncio
import json
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from entrypoints.simulator.fleet import Fleet
from entrypoints.simulator.options import Options
from tests.support.cluster import Cluster, running_cluster
from tests.support.ledger import missing_from

SEED = 20261125
DEVICES = 25
TROUBLES = 14
EXPECTED_AT_LEAST = {"registration": DEVICES, "report": 50, "log": 100, "reading": 100}
STORED = {
    "registration": "SELECT uuid, id FROM devices",
    "report": "SELECT device_uuid, storage_usage FROM device_metrics",
    "log": "SELECT device_uuid, message FROM device_logs",
    "reading": "SELECT device_uuid, sensor, register, (extract(epoch FROM measured_at) * 1000000)::bigint, value_number"
    " FROM readings",
}
REACTIONS = (
    "SELECT device_uuid, count(*) FROM audit_log WHERE event = 'device.registered' GROUP BY 1",
    "SELECT device_uuid, count(*) FROM events WHERE name = 'device.registered' GROUP BY 1",
)
DRAIN_SECONDS = 60


async def test_30_whatever_dies_in_whatever_order_nothing_acknowledged_is_lost(
    http_auth_plugin: Path, tmp_path: Path
) -> None:
    """Contract 12.1 item 30, scaled out: HTTP, listeners, workers, PostgreSQL, Mosquitto, Redis."""
    async with running_cluster(http_auth_plugin) as cluster:
        await cluster.start(
            "serve", "serve", "--workers", "2", "--credentials", str(cluster.folder / "credentials.json")
        )
        await cluster.ready()
        for name in ("listen-1", "listen-2", "work-1", "work-2"):
            await cluster.start(name, name.partition("-")[0])
        await _somebody_listens(cluster)
        ledger = tmp_path / "ledger.jsonl"
        fleet, stop = Fleet(_options(cluster, ledger)), asyncio.Event()
        writing = asyncio.create_task(fleet.run(stop))
        await _everybody_has_spoken(ledger)
        await _trouble(cluster, random.Random(SEED))
        await cluster.ready()
        await _everybody_is_online(cluster)
        stop.set()
        await asyncio.wait_for(writing, timeout=60)
        acknowledged = _acknowledged(ledger)
        await _nothing_is_missing(cluster, acknowledged)
        kinds = Counter(item["kind"] for item in acknowledged)
        assert all(kinds[kind] >= least for kind, least in EXPECTED_AT_LEAST.items()), kinds
        await _every_reaction_was_had(cluster)


def _options(cluster: Cluster, ledger: Path) -> Options:
    return Options(
        url=cluster.url,
        key=cluster.credentials()["provisioningKey"],
        devices=DEVICES,
        interval=0.5,
        logs_per_minute=300,
        readings_per_minute=300,
        batch=3,
        ramp=10,
        time_scale=0.05,
        ack_timeout=2.0,
        seed=SEED,
        ledger=ledger,
    )


async def _somebody_listens(cluster: Cluster) -> None:
    """Before anybody ever has, a broker keeps nothing for us."""
    async with asyncio.timeout(DRAIN_SECONDS):
        while True:
            said = await asyncio.to_thread(cluster.mosquitto.log.read_text, encoding="utf-8", errors="replace")
            if "iotistic-ordered 1 iot/device/+/state" in said and "iotistic-readings 1 iot/device/+/sensor/#" in said:
                return
            await asyncio.sleep(0.1)


async def _everybody_has_spoken(ledger: Path) -> None:
    """The broker knows by now what each device may publish: see `tests.support.cluster.REMEMBERED`."""
    async with asyncio.timeout(DRAIN_SECONDS):
        while True:
            said = await asyncio.to_thread(_acknowledged, ledger)
            spoken = {(item["uuid"], item["kind"]) for item in said if item.get("via", "mqtt") == "mqtt"}
            if sum(kind in {"report", "reading"} for _, kind in spoken) == 2 * DEVICES:
                return
            await asyncio.sleep(0.2)


def _acknowledged(ledger: Path) -> list[dict[str, Any]]:
    """What the fleet has written down so far; the last line may be half a line."""
    if not ledger.exists():
        return []
    lines = ledger.read_text(encoding="utf-8").split("\n")
    return [json.loads(line) for line in lines[:-1]]


async def _trouble(cluster: Cluster, chance: random.Random) -> None:
    """One trouble after the other; the random moment is the point."""
    kinds: list[Callable[[], Awaitable[None]]] = [
        cluster.restart_postgres,
        cluster.restart_mosquitto,
        cluster.flush_redis,
        cluster.kill_serving,
        lambda: cluster.kill(chance.choice(("listen-1", "listen-2"))),
        lambda: cluster.kill(chance.choice(("work-1", "work-2"))),
    ]
    rest = TROUBLES - len(kinds)
    for trouble in chance.sample(kinds, len(kinds)) + [chance.choice(kinds) for _ in range(rest)]:
        await trouble()
        await asyncio.sleep(chance.uniform(0.3, 2.0))


async def _everybody_is_online(cluster: Cluster) -> None:
    """Every device is back within its own back-off."""
    async with asyncio.timeout(DRAIN_SECONDS):
        while True:
            counted = "SELECT count(*) FROM devices WHERE is_online AND last_seen > now() - interval '40 seconds'"
            [(online,)] = await asyncio.to_thread(cluster.query, counted)
            if online == DEVICES:
                return
            await asyncio.sleep(0.2)


async def _nothing_is_missing(cluster: Cluster, acknowledged: list[dict[str, Any]]) -> None:
    """What Mosquitto has taken may still be on its way to the listeners."""
    missing: list[dict[str, Any]] = []
    try:
        async with asyncio.timeout(DRAIN_SECONDS):
            while True:
                missing = await asyncio.to_thread(_missing, cluster, acknowledged)
                if not missing:
                    return
                await asyncio.sleep(0.5)
    except TimeoutError:
        kinds = Counter(item["kind"] for item in missing)
        raise AssertionError(f"{len(missing)} missing: {kinds}\n{cluster.last_words()}") from None


def _missing(cluster: Cluster, acknowledged: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return missing_from({kind: set(cluster.query(query)) for kind, query in STORED.items()}, acknowledged)


async def _every_reaction_was_had(cluster: Cluster) -> None:
    """The audit log and the history have each registration once, and nothing waits or was given up."""
    async with asyncio.timeout(DRAIN_SECONDS):
        while True:
            if await asyncio.to_thread(cluster.query, "SELECT count(*) FROM outbox") == [(0,)]:
                break
            await asyncio.sleep(0.2)
    for statement in REACTIONS:
        counted = await asyncio.to_thread(cluster.query, statement)
        assert len(counted) == DEVICES, statement
        assert {number for _, number in counted} == {1}, statement
