"""Ten times what fits: refused at once and in words, memory bounded, and nothing acknowledged is lost."""

import asyncio
import json
import time
from collections import Counter
from pathlib import Path
from uuid import uuid4

import aiohttp
from attrs import define, field

from tests.support.cluster import Cluster, running_cluster

ROOM = 16
ASKING = 10 * ROOM
SECONDS = 4.0
LINES = 20
MOST_GROWTH = 96 * 1024 * 1024


@define
class Asker:
    """A device that sends log lines, again and again, whatever it is answered."""

    http: aiohttp.ClientSession
    uuid: str
    key: str
    acknowledged: list[str] = field(factory=list)
    statuses: Counter[int] = field(factory=Counter)
    without_advice: int = 0

    async def ask_until(self, moment: float) -> None:
        """Send one batch after the other."""
        while time.monotonic() < moment:
            mark = uuid4().hex
            lines = [json.dumps({"message": f"{mark} {number}", "level": "info"}) for number in range(LINES)]
            path, headers = f"/api/v1/device/{self.uuid}/logs", {"X-Device-API-Key": self.key}
            async with self.http.post(path, data="\n".join(lines), headers=headers) as answer:
                self.statuses[answer.status] += 1
                if answer.status == 200:
                    self.acknowledged += [f"{mark} {number}" for number in range(LINES)]
                elif not int(answer.headers.get("Retry-After", "0")):
                    self.without_advice += 1


async def test_a_load_ten_times_too_large_is_refused_in_part_and_loses_nothing(http_auth_plugin: Path) -> None:
    limits = {"MAX_REQUESTS": str(ROOM), "DB_POOL_MAX": "2"}
    async with running_cluster(http_auth_plugin, **limits) as cluster:
        await cluster.start("serve", "serve", "--credentials", str(cluster.folder / "credentials.json"))
        await cluster.ready()
        connector = aiohttp.TCPConnector(limit=ASKING)
        async with aiohttp.ClientSession(cluster.url, connector=connector) as http:
            askers = [await _enrolled(cluster, http) for _ in range(8)]
            crowd = [Asker(http, one.uuid, one.key) for one in askers for _ in range(ASKING // len(askers))]
            before = _resident(cluster)
            until = time.monotonic() + SECONDS
            await asyncio.gather(*(asker.ask_until(until) for asker in crowd))
            grown = _resident(cluster) - before
        statuses = sum((asker.statuses for asker in crowd), Counter())
        assert statuses.keys() == {200, 503}, statuses
        assert sum(asker.without_advice for asker in crowd) == 0
        assert grown < MOST_GROWTH
        acknowledged = {line for asker in crowd for line in asker.acknowledged}
        stored = {line for (line,) in await asyncio.to_thread(cluster.query, "SELECT message FROM device_logs")}
        assert acknowledged <= stored


async def _enrolled(cluster: Cluster, http: aiohttp.ClientSession) -> Asker:
    uuid, key = str(uuid4()), uuid4().hex + uuid4().hex
    body = {"uuid": uuid, "deviceName": "crowd", "deviceType": "test", "deviceApiKey": key}
    bearer = {"Authorization": f"Bearer {cluster.credentials()['provisioningKey']}"}
    async with http.post("/api/v1/device/register", json=body, headers=bearer) as answer:
        assert answer.status == 200, await answer.text()
    return Asker(http, uuid, key)


def _resident(cluster: Cluster) -> int:
    """Bytes of memory that the serving process holds."""
    process = cluster.processes["serve"].process
    assert process is not None
    status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS:")).split()[1]) * 1024
