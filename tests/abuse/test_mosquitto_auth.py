"""Abuse case 20: the backend is down, slow or odd, and nobody gets in who would not have got in before."""

import asyncio
import sqlite3
from contextlib import closing

from core.mqtt import MqttAccounts
from entrypoints.wiring.embedded import DATABASE
from tests.support.application import Answer, Api, EnrolledDevice


async def ask(api: Api, device: EnrolledDevice, question: str = "user") -> Answer:
    """May the device log in, or report its state?"""
    name = device.mqtt["username"]
    fields = {"username": name, "password": device.mqtt["password"], "clientid": name}
    topic = {"topic": f"iot/device/{device.uuid}/state", "acc": 2}
    return await api.stranger.post(f"/mosquitto-auth/{question}", fields | topic, root=True)


def cold(api: Api) -> None:
    """Forget every answer, as a restart would."""
    accounts: MqttAccounts = api.running.services.mqtt_accounts
    accounts._known.clear()
    accounts._unknown.clear()


def rename(other: sqlite3.Connection, old: str, new: str) -> None:
    """In a transaction that writes from the start: one that reads first cannot wait for a writer of ours."""
    other.execute("BEGIN IMMEDIATE")
    other.execute(f"ALTER TABLE {old} RENAME TO {new}")
    other.execute("COMMIT")


async def test_a_backend_that_is_down_lets_nobody_in_and_everybody_again_when_it_is_back(api: Api) -> None:
    """5xx tells the plugin that there is no answer: it denies this attempt, remembers nothing and asks again."""
    device = await api.device()
    cold(api)
    with closing(sqlite3.connect(api.data / DATABASE, isolation_level=None, check_same_thread=False)) as other:
        await asyncio.to_thread(rename, other, "mqtt_users", "gone")
        for question in ("user", "superuser", "acl"):
            answer = await ask(api, device, question)
            assert (answer.status, "ok" in (answer.body or {})) == (503, False), answer
        await asyncio.to_thread(rename, other, "gone", "mqtt_users")
    assert (await ask(api, device)).status == 200
    assert (await ask(api, device, "acl")).status == 200


async def test_a_session_key_of_a_device_or_a_person_opens_no_broker(api: Api) -> None:
    """The device's API key is not its MQTT password, nor is a provisioning key."""
    secret = await api.provisioning_key()
    device = await api.device(secret)
    name = device.mqtt["username"]
    for password in (device.key, secret, "", name, device.uuid):
        fields = {"username": name, "password": password, "clientid": name}
        assert (await api.stranger.post("/mosquitto-auth/user", fields, root=True)).status == 403
    as_key = {"X-Device-API-Key": device.mqtt["password"]}
    assert (await api.stranger.get(f"/device/{device.uuid}/state", headers=as_key)).status == 401
