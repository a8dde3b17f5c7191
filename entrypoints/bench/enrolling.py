"""Enrolments, as fast as they are answered; and a person who logs in."""

import asyncio
import secrets
import time
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path

import aiohttp
import msgspec

WORKERS = 32


Enrol = Callable[[aiohttp.ClientSession, str], Awaitable[None]]
"""Lets one new device enrol with a provisioning key, by all the calls it takes. Raises where it is not let in."""


async def enrol_all(credentials: Path, enrol: Enrol, *, seconds: float) -> int:
    """Let new devices enrol until the time is over; how many did."""
    known = await _known(credentials)
    until = time.perf_counter() + seconds
    async with aiohttp.ClientSession(base_url=known["url"]) as http:
        counts = await asyncio.gather(*(_worker(http, known["provisioningKey"], enrol, until) for _ in range(WORKERS)))
    return sum(counts)


async def log_in(credentials: Path) -> str:
    """An access token of the first account."""
    known = await _known(credentials)
    body = {"username": known["username"], "password": known["password"]}
    async with (
        aiohttp.ClientSession(base_url=known["url"]) as http,
        http.post("/api/v1/auth/login", json=body) as answer,
    ):
        answer.raise_for_status()
        token: str = (await answer.json())["data"]["accessToken"]
        return token


async def _known(credentials: Path) -> dict[str, str]:
    return msgspec.json.decode(await asyncio.to_thread(credentials.read_bytes), type=dict[str, str])


async def _worker(http: aiohttp.ClientSession, key: str, enrol: Enrol, until: float) -> int:
    enrolled = 0
    while time.perf_counter() < until:
        await enrol(http, key)
        enrolled += 1
    return enrolled


async def by_v1(http: aiohttp.ClientSession, key: str) -> None:
    """Register, and exchange the key."""
    name, device_key = str(uuid.uuid4()), secrets.token_hex(32)
    body = {"uuid": name, "deviceName": f"bench-{name[:8]}", "deviceType": "bench", "deviceApiKey": device_key}
    async with http.post("/api/v1/device/register", json=body, headers=_bearer(key)) as answer:
        answer.raise_for_status()
    proof = {"uuid": name, "deviceApiKey": device_key}
    async with http.post(f"/api/v1/device/{name}/key-exchange", json=proof, headers=_bearer(device_key)) as answer:
        answer.raise_for_status()


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
