"""Contract 12.1, items 1 to 7: an agent enrols."""

import asyncio
from pathlib import Path
from time import perf_counter

from core.actor import Role
from tests.support.application import Api, registration, running_api
from tests.support.mqtt import connected


async def test_01_a_fresh_agent_registers_exchanges_its_key_and_connects(api: Api) -> None:
    key = await api.provisioning_key()
    began = perf_counter()
    device = await api.device(key)
    exchanged = await api.stranger.post(
        f"/device/{device.uuid}/key-exchange",
        {"uuid": device.uuid, "deviceApiKey": device.key},
        headers={"Authorization": f"Bearer {device.key}"},
    )
    assert perf_counter() - began < 1.0
    assert exchanged.status == 200
    assert exchanged.body["device"]["uuid"] == device.uuid
    assert isinstance(device.answer["id"], int)
    assert device.mqtt["username"] == f"device_{device.uuid}"
    async with connected(device.mqtt):
        pass


async def test_02_a_lost_answer_is_given_again_with_credentials_that_work(api: Api) -> None:
    key = await api.provisioning_key(max_uses=1)
    lost = await api.device(key)
    again = await api.device(key, uuid=lost.uuid, deviceApiKey=lost.key)
    assert again.answer["id"] == lost.answer["id"]
    async with connected(again.mqtt):
        pass
    owner = await api.person(Role.OWNER)
    keys = (await owner.get("/provisioning-keys?fleetId=tests")).body["keys"]
    assert [shown["currentUses"] for shown in keys] == [1]


async def test_03_a_key_exchange_that_failed_once_can_be_repeated_after_a_restart(api: Api) -> None:
    key = await api.provisioning_key()
    device = await api.device(key)
    wrong = {"Authorization": f"Bearer {'0' * 64}"}
    body = {"uuid": device.uuid, "deviceApiKey": device.key}
    path = f"/device/{device.uuid}/key-exchange"
    assert (await api.stranger.post(path, body, headers=wrong)).status == 401
    again = await api.device(key, uuid=device.uuid, deviceApiKey=device.key)
    right = {"Authorization": f"Bearer {device.key}"}
    assert (await api.stranger.post(path, body, headers=right)).status == 200
    assert again.answer["id"] == device.answer["id"]


async def test_04_another_key_for_the_same_uuid_conflicts_until_an_operator_releases_it(api: Api) -> None:
    key = await api.provisioning_key()
    device = await api.device(key)
    after_reset = registration(uuid=device.uuid)
    bearer = {"Authorization": f"Bearer {key}"}
    assert (await api.stranger.post("/device/register", after_reset, headers=bearer)).status == 409
    manager = await api.person(Role.MANAGER)
    assert (await manager.post(f"/devices/{device.uuid}/release")).status == 200
    back = await api.stranger.post("/device/register", after_reset, headers=bearer)
    assert back.status == 200
    assert back.body["id"] == device.answer["id"]
    assert (await device.caller.get(f"/device/{device.uuid}/state")).status == 401


async def test_05_of_fifty_agents_on_a_key_for_ten_exactly_ten_get_in(api: Api) -> None:
    key = await api.provisioning_key(max_uses=10)
    bearer = {"Authorization": f"Bearer {key}"}
    answers = await asyncio.gather(
        *(api.stranger.post("/device/register", registration(), headers=bearer) for _ in range(50))
    )
    statuses = [answer.status for answer in answers]
    assert statuses.count(200) == 10
    owner = await api.person(Role.OWNER)
    keys = (await owner.get("/provisioning-keys?fleetId=tests")).body["keys"]
    assert [shown["currentUses"] for shown in keys] == [10]
    assert statuses.count(401) == 40


async def test_06_two_hundred_agents_behind_one_address_are_not_held_up(api: Api) -> None:
    key = await api.provisioning_key(max_uses=200)
    bearer = {"Authorization": f"Bearer {key}"}
    answers = await asyncio.gather(
        *(api.stranger.post("/device/register", registration(), headers=bearer) for _ in range(200))
    )
    assert {answer.status for answer in answers} == {200}


async def test_07_the_first_poll_finds_the_default_target_state(api: Api) -> None:
    device = await api.device()
    answer = await device.caller.get(f"/device/{device.uuid}/state")
    assert answer.status == 200
    assert answer.headers["ETag"].startswith('"')
    state = answer.body[device.uuid]
    assert state["version"] == 1
    assert state["apps"] == {}
    assert state["config"]["settings"]["metricsIntervalMs"] == 60000
    assert state["config"]["features"]["enableDeviceJobs"] is True


async def test_what_was_registered_stands_after_a_restart(data: Path) -> None:
    async with running_api(data) as first:
        device = await first.device()
    async with running_api(data) as second:
        answer = await second.stranger.get(f"/device/{device.uuid}/state", headers={"X-Device-API-Key": device.key})
        assert answer.status == 200
