"""The bench counts devices that have really enrolled."""

import json
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from entrypoints.bench.enrolling import Enrol, by_v1, enrol_all
from entrypoints.bench.sealed_enrolling import BySealing, made_seals
from entrypoints.simulator.sealing import Seal
from tests.support.application import Api

QUICK = 0.1
MOST = 1_000


@pytest_asyncio.fixture
async def seals() -> list[Seal]:
    return await made_seals(2)


async def credentials(api: Api, folder: Path, *, key: str | None = None) -> Path:
    """What a first start writes down."""
    path = folder / "credentials.json"
    key = key or await api.provisioning_key(max_uses=MOST)
    path.write_text(json.dumps({"url": api.running.url, "provisioningKey": key}))
    return path


async def known(api: Api) -> int:
    """How many devices there are."""
    census = await api.running.services.devices.census()
    return sum(census.counts.values())


async def test_every_device_counted_by_v1_is_known(api: Api, tmp_path: Path) -> None:
    enrolled = await enrol_all(await credentials(api, tmp_path), by_v1, seconds=QUICK)
    assert 0 < enrolled == await known(api)


async def test_every_device_counted_by_v2_is_known(api: Api, tmp_path: Path, seals: list[Seal]) -> None:
    enrolled = await enrol_all(await credentials(api, tmp_path), BySealing(seals), seconds=QUICK)
    assert 0 < enrolled == await known(api)


async def test_more_devices_than_key_pairs_can_enrol(api: Api, seals: list[Seal]) -> None:
    enrol, key = BySealing(seals), await api.provisioning_key()
    async with aiohttp.ClientSession(base_url=api.running.url) as http:
        for _ in range(2 * len(seals) + 1):
            await enrol(http, key)
    assert await known(api) == 2 * len(seals) + 1


async def test_the_devices_of_the_bench_have_different_key_pairs(seals: list[Seal]) -> None:
    assert len({seal.public_key for seal in seals}) == len(seals)


@pytest.mark.parametrize("version", ["v1", "v2"])
async def test_a_device_that_is_refused_is_no_figure(api: Api, tmp_path: Path, seals: list[Seal], version: str) -> None:
    enrol: Enrol = by_v1 if version == "v1" else BySealing(seals)
    with pytest.raises(aiohttp.ClientResponseError):
        await enrol_all(await credentials(api, tmp_path, key="unknown"), enrol, seconds=QUICK)
