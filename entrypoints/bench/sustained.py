"""A fleet that polls and reports once a minute, as large as this machine carries; the load comes from wrk."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from attrs import frozen

from entrypoints.bench.cluster import Cluster
from entrypoints.bench.figures import Quantity

THREADS, CONNECTIONS = 1, 128
SCRIPT = Path(__file__).with_name("sustained.lua")
# One poll and one report of each device in each minute.
REQUESTS_A_MINUTE = 2
BUDGET_MS = 1.2


@frozen(kw_only=True)
class Sustained:
    """What wrk has seen."""

    requests: int
    seconds: float
    refused: int
    failed: int
    p50_ms: float
    p99_ms: float

    @classmethod
    def told(cls, output: str) -> "Sustained":
        """What the script has printed. RuntimeError when it did not get so far."""
        line = next((line for line in output.splitlines() if line.startswith("RESULT ")), None)
        if line is None:
            raise RuntimeError(f"wrk did not finish: {output[-500:]}")
        requests, microseconds, refused, failed, p50, p99 = map(float, line.split()[1:])
        return cls(
            requests=int(requests),
            seconds=microseconds / 1e6,
            refused=int(refused),
            failed=int(failed),
            p50_ms=p50 / 1e3,
            p99_ms=p99 / 1e3,
        )


async def sustained(cluster: Cluster, requests: Sequence[bytes], seconds: float) -> list[Quantity]:
    """Polls and reports in turn, as fast as they are answered for so long."""
    file = cluster.folder / "requests"
    await asyncio.to_thread(file.write_bytes, b"".join(b"%d\n%s" % (len(each), each) for each in requests))
    await _wrk(cluster, file, 2)
    ours, database = cluster.cpu_seconds(), cluster.database_cpu_seconds()
    seen = await _wrk(cluster, file, seconds)
    ours, database = cluster.cpu_seconds() - ours, cluster.database_cpu_seconds() - database
    if seen.refused or seen.failed:
        raise RuntimeError(f"of {seen.requests} requests {seen.refused} were refused and {seen.failed} failed")
    minutes = seen.requests / REQUESTS_A_MINUTE
    each = (ours + database) / minutes * 1e3
    return [
        Quantity(name="sustained: devices carried", value=minutes / seen.seconds * 60, unit="devices"),
        Quantity(name="sustained: CPU of our processes a device and minute", value=ours / minutes * 1e3, unit="ms"),
        Quantity(name="sustained: CPU of PostgreSQL a device and minute", value=database / minutes * 1e3, unit="ms"),
        Quantity(
            name="sustained: both a device and minute",
            value=each,
            unit="ms",
            budget=f"≤ {BUDGET_MS} ms",
            kept=each <= BUDGET_MS,
        ),
        Quantity(name="sustained: p50", value=seen.p50_ms, unit="ms"),
        Quantity(name="sustained: p99", value=seen.p99_ms, unit="ms"),
    ]


async def _wrk(cluster: Cluster, file: Path, seconds: float) -> Sustained:
    options = [
        "-t",
        str(THREADS),
        "-c",
        str(CONNECTIONS),
        "-d",
        f"{int(seconds)}s",
        "--latency",
        "--timeout",
        "10s",
        "-s",
        str(SCRIPT),
    ]
    process = await asyncio.create_subprocess_exec(
        cluster.programs.wrk,
        *options,
        f"http://127.0.0.1:{cluster.port}",
        "--",
        str(file),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    return Sustained.told(output.decode(errors="replace"))
