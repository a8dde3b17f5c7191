"""Brokers that devices are sent to, over HTTP (contract §4.16 brokers, §4.5 PUT broker; B-10, B-11, B-17)."""

from pathlib import Path
from typing import Any

import pytest

from core.actor import Role
from tests.support.application import Api, Caller, running_api
from tests.support.certificates import a_certificate

NEW = {"name": "first", "host": "broker.local", "port": 1884, "username": "control", "password": "our secret"}
FIELDS = {
    "id",
    "name",
    "protocol",
    "host",
    "port",
    "username",
    "useTls",
    "clientIdPrefix",
    "keepAlive",
    "cleanSession",
    "reconnectPeriod",
    "connectTimeout",
    "verifyCertificate",
    "caCert",
    "clientCert",
    "isActive",
    "isDefault",
}


@pytest.fixture
async def owner(api: Api) -> Caller:
    """Somebody who may do all this."""
    return await api.person(Role.OWNER)


async def made(owner: Caller, **fields: Any) -> dict[str, Any]:
    """A broker."""
    answer = await owner.post("/mqtt/brokers", NEW | fields)
    assert (answer.status, answer.body["success"]) == (201, True), answer
    broker: dict[str, Any] = answer.body["broker"]
    return broker


async def test_b_10_a_broker_is_defined_listed_shown_changed_and_removed(owner: Caller) -> None:
    broker = await made(owner)
    assert set(broker) >= FIELDS
    assert (broker["url"], broker["hasPassword"], broker["isDefault"]) == ("mqtt://broker.local:1884", True, False)
    path = f"/mqtt/brokers/{broker['id']}"
    assert (await owner.get(path)).body == {"success": True, "broker": broker}
    index = await owner.get("/mqtt/brokers")
    assert (index.body["count"], index.body["brokers"]) == (1, [broker])
    changed = await owner.put(path, {"name": "second", "keepAlive": 20, "isDefault": True, "username": None})
    assert (changed.status, changed.body["broker"]["name"], changed.body["broker"]["keepAlive"]) == (200, "second", 20)
    assert (changed.body["broker"]["isDefault"], changed.body["broker"]["username"]) == (True, None)
    summary = (await owner.get("/mqtt/brokers/summary")).body["summary"]
    assert (summary["total"], summary["active"], summary["defaultBrokerId"]) == (1, 1, broker["id"])
    assert summary["overriddenBy"] is None
    assert (await owner.delete(path)).body["success"]
    for answer in (await owner.get(path), await owner.put(path, {"name": "x"}), await owner.delete(path)):
        assert answer.status == 404


async def test_no_answer_carries_the_password_of_a_broker(api: Api, owner: Caller) -> None:
    broker = await made(owner)
    path = f"/mqtt/brokers/{broker['id']}"
    await owner.put(path, {"password": "our secret, renewed"})
    await api.settle()
    for answer in (
        await owner.get("/mqtt/brokers"),
        await owner.get("/mqtt/brokers/summary"),
        await owner.get(path),
        await owner.get("/audit-logs"),
    ):
        assert b"our secret" not in answer.raw


async def test_a_password_does_not_follow_to_another_host(owner: Caller) -> None:
    broker = await made(owner)
    path = f"/mqtt/brokers/{broker['id']}"
    moved = await owner.put(path, {"host": "evil.example"})
    assert (moved.body["broker"]["host"], moved.body["broker"]["hasPassword"]) == ("evil.example", False)


async def test_what_is_wrong_with_a_broker_is_a_400_that_names_it(owner: Caller) -> None:
    for wrong, field in (
        ({"name": ""}, "name"),
        ({"host": "http://a"}, "host"),
        ({"host": None}, "host"),
        ({"port": 0}, "port"),
        ({"port": "1883"}, "port"),
        ({"protocol": "gopher"}, "protocol"),
        ({"protocol": "mqtts", "useTls": False}, "useTls"),
        ({"keepAlive": -1}, "keepAlive"),
        ({"caCert": "no certificate"}, "caCert"),
        ({"clientCert": a_certificate("x").key}, "clientCert"),
        ({"isDefault": True, "isActive": False}, "isActive"),
    ):
        answer = await owner.post("/mqtt/brokers", NEW | wrong)
        assert (answer.status, list(answer.body["fields"])) == (400, [field]), answer
    assert (await owner.put(f"/mqtt/brokers/{(await made(owner))['id']}", {})).status == 400
    assert (await owner.get("/mqtt/brokers/x")).status == 400


async def test_a_test_connects_to_a_real_broker(api: Api, owner: Caller) -> None:
    await owner.post("/auth/mqtt-users", {"username": "control", "password": "our secret"})
    port = int(api.running.mqtt_url.rpartition(":")[2])
    broker = await made(owner, host="127.0.0.1", port=port)
    path = f"/mqtt/brokers/{broker['id']}"
    tested = await owner.post(path + "/test")
    assert (tested.status, tested.body["success"], tested.body["outcome"]) == (200, True, "accepted")
    await owner.put(path, {"password": "wrong one"})
    assert (await owner.post(path + "/test")).body["outcome"] == "refused credentials"
    await owner.put(path, {"host": "169.254.169.254"})
    refused = await owner.post(path + "/test")
    assert (refused.status, refused.body["success"], refused.body["outcome"]) == (200, False, "refused address")
    assert (await owner.post("/mqtt/brokers/4711/test")).status == 404


async def registered_again(api: Api, device: Any) -> dict[str, Any]:
    """What a device is told when it registers once more."""
    mqtt: dict[str, Any] = dict((await api.device(uuid=device.uuid, deviceApiKey=device.key)).mqtt)
    return mqtt


async def test_b_11_a_device_takes_its_broker_at_its_next_registration(api: Api, owner: Caller) -> None:
    """B-11; contract 2.3: caCert and verifyCertificate reach the device."""
    device = await api.device()
    assert device.mqtt["broker"] == api.running.mqtt_url
    certificate = a_certificate("broker.local").certificate
    broker = await made(owner, useTls=True, port=8883, caCert=certificate)
    path = f"/devices/{device.uuid}/broker"
    answer = await owner.put(path, {"brokerId": broker["id"]})
    assert (answer.status, answer.body["success"]) == (200, True)
    assert "next registration" in answer.body["message"]
    assert set(answer.body) >= {"device", "broker", "shadow"}
    assert answer.body["device"]["uuid"] == device.uuid
    told = await registered_again(api, device)
    assert told["broker"] == "mqtts://broker.local:8883"
    assert (told["brokerConfig"]["useTls"], told["brokerConfig"]["caCert"]) == (True, certificate)
    assert "our secret" not in str(told)
    assert (await owner.get(f"/mqtt/brokers/{broker['id']}")).body["broker"]["deviceCount"] == 1
    assert (await owner.put(path, {"brokerId": None})).status == 200
    assert (await registered_again(api, device))["broker"] == api.running.mqtt_url


async def test_b_11_a_device_is_sent_to_no_broker_that_it_could_not_use(api: Api, owner: Caller) -> None:
    device = await api.device()
    idle = await made(owner, isActive=False)
    path = f"/devices/{device.uuid}/broker"
    assert (await owner.put(path, {"brokerId": idle["id"]})).status == 400
    assert (await owner.put(path, {})).status == 400
    assert (await owner.put(path, {"brokerId": "1"})).status == 400
    assert (await owner.put(path, {"brokerId": 4711})).status == 404
    nobody = "/devices/5f3a1deb-f4c3-4e1b-8e76-70de4d2e3f56/broker"
    assert (await owner.put(nobody, {"brokerId": None})).status == 404


async def test_b_17_the_default_broker_is_told_unless_the_environment_says_otherwise(
    api: Api, owner: Caller, tmp_path: Path
) -> None:
    """B-17: the environment, then the default, then our own broker."""
    assert (await api.device()).mqtt["broker"] == api.running.mqtt_url
    await made(owner, isDefault=True)
    assert (await api.device()).mqtt["broker"] == "mqtt://broker.local:1884"
    async with running_api(tmp_path / "named", MQTT_BROKER_URL="mqtts://named.local") as named:
        boss = await named.person(Role.OWNER)
        broker = await made(boss, isDefault=True)
        device = await named.device()
        assert device.mqtt["broker"] == "mqtts://named.local"
        assigned = await boss.put(f"/devices/{device.uuid}/broker", {"brokerId": broker["id"]})
        assert "MQTT_BROKER_URL" in assigned.body["message"]
        assert (await registered_again(named, device))["broker"] == "mqtts://named.local"
        summary = (await boss.get("/mqtt/brokers/summary")).body["summary"]
        assert summary["overriddenBy"] == "mqtts://named.local"


async def test_definitions_survive_a_restart(tmp_path: Path) -> None:
    async with running_api(tmp_path / "kept") as api:
        broker = await made(await api.person(Role.OWNER), isDefault=True, caCert=a_certificate("x").certificate)
    async with running_api(tmp_path / "kept") as api:
        kept = await (await api.person(Role.OWNER)).get(f"/mqtt/brokers/{broker['id']}")
        assert kept.body["broker"] == broker
        assert (await api.device()).mqtt["broker"] == broker["url"]
