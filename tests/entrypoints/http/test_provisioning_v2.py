"""Provisioning v2 over HTTP: what is answered, by the names of the seed (contract 2.11)."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from core.actor import Role
from tests.support.application import Answer, Api, running_api
from tests.support.mqtt import connected
from tests.support.sealing import SealingDevice, base64, enrolled, oaep, offered, public_pem, rsa_key, server_key

pytestmark = pytest.mark.asyncio(loop_scope="module")

EXCHANGE = "/provisioning/v2/key-exchange"
REGISTER = "/provisioning/v2/register"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def api(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Api]:
    """An application for all of these tests."""
    async with running_api(tmp_path_factory.mktemp("v2") / "data") as api:
        yield api


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def legacy(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Api]:
    """An application that lets clients of the seed's first form in."""
    async with running_api(tmp_path_factory.mktemp("v2") / "data", PROVISIONING_V2_LEGACY="true") as api:
        yield api


async def test_a_key_exchange_tells_the_key_and_a_challenge(api: Api) -> None:
    device = SealingDevice()
    answer = await api.stranger.post(EXCHANGE, {"deviceUuid": device.uuid})
    told = answer.body
    assert answer.status == 200
    assert server_key(told).key_size == 3072
    assert told["alg"] == ["RSA-OAEP-256+A256GCM", "RSA-OAEP-256", "RSA-OAEP"]
    assert told["maxPayloadBytes"] == {"RSA-OAEP": 342, "RSA-OAEP-256": 318}
    left = datetime.fromisoformat(told["expiresAt"]) - datetime.now(UTC)
    assert 500 < left.total_seconds() <= 600
    bound = (await api.stranger.post(EXCHANGE, device.exchange)).body
    assert bound["success"] is True
    assert (bound["keyId"], bound["apiPublicKey"]) == (told["keyId"], told["apiPublicKey"])
    assert bound["challenge"] != told["challenge"]


async def test_the_provisioning_key_may_be_sent_in_clear_and_is_not_looked_at(api: Api) -> None:
    """P-03: the seed's clients send it; right or wrong, the answer is the same."""
    device = SealingDevice()
    for secret in (await api.provisioning_key(), "wrong"):
        answer = await api.stranger.post(EXCHANGE, device.exchange | {"provisioningApiKey": secret})
        assert answer.status == 200
        assert secret.encode() not in answer.raw


@pytest.mark.parametrize("form", ["block", "envelope"])
async def test_a_device_enrols_and_is_given_all_that_the_seed_names(api: Api, form: str) -> None:
    device, secret = SealingDevice(), await api.provisioning_key(fleet_id="plant")
    offer = await offered(api.stranger, device)
    payload = device.payload(offer, secret, macAddress="02:00:00:00:00:07")
    answer = await api.stranger.post(REGISTER, getattr(device, form)(offer, payload))
    assert (answer.status, answer.body["v"], answer.body["alg"]) == (200, 2, "RSA-OAEP-256+A256GCM")
    told = device.opened(answer.body)
    assert told["device"]["uuid"] == device.uuid
    assert (told["device"]["deviceName"], type(told["device"]["deviceId"])) == ("gate 7", int)
    assert told["mqtt"]["brokerUrl"] == api.running.mqtt_url
    assert told["mqtt"]["username"] == f"device_{device.uuid}"
    assert {"protocol", "host", "port", "useTls"} <= set(told["mqtt"]["brokerConfig"])
    assert told["api"]["endpoint"] == api.running.url
    assert (told["vpn"], told["api"]["tlsConfig"]) == (None, None)
    assert told["payloadSha256"] == sha256(payload).hexdigest()
    key = {"X-Device-API-Key": told["api"]["deviceApiKey"]}
    assert (await api.stranger.get(f"/device/{device.uuid}/state", headers=key)).status == 200
    async with connected({**told["mqtt"], "broker": told["mqtt"]["brokerUrl"]}):
        pass
    owner = await api.person(Role.OWNER)
    known = (await owner.get("/devices")).body["devices"]
    [seen] = [each for each in known if each["uuid"] == device.uuid]
    assert (seen["fleet_id"], seen["mac_address"]) == ("plant", "02:00:00:00:00:07")


async def test_a_small_payload_may_be_sealed_with_sha_1_as_node_does_by_itself(api: Api) -> None:
    device, secret = SealingDevice(), await api.provisioning_key()
    for changes in ({}, {"alg": None}):
        offer = await offered(api.stranger, device)
        body = device.block(offer, device.payload(offer, secret), alg="RSA-OAEP") | changes
        assert (await api.stranger.post(REGISTER, body)).status == 200


async def test_a_lost_answer_is_given_again_to_who_holds_the_device_key(api: Api) -> None:
    """Contract 2.3, requirement 1, by v2: the same device, fresh credentials, not charged twice."""
    device, secret = SealingDevice(), await api.provisioning_key(fleet_id="lost", max_uses=1)
    lost = device.opened((await enrolled(api.stranger, device, secret)).body)
    again = device.opened((await enrolled(api.stranger, device, secret)).body)
    assert again["device"] == lost["device"]
    for told, status in ((lost, 401), (again, 200)):
        key = {"X-Device-API-Key": told["api"]["deviceApiKey"]}
        assert (await api.stranger.get(f"/device/{device.uuid}/state", headers=key)).status == status
    async with connected({**again["mqtt"], "broker": again["mqtt"]["brokerUrl"]}):
        pass
    owner = await api.person(Role.OWNER)
    keys = (await owner.get("/provisioning-keys?fleetId=lost")).body["keys"]
    assert [key["currentUses"] for key in keys] == [1]


async def test_a_released_device_comes_back_with_another_key_pair(api: Api) -> None:
    """P-23."""
    device, secret = SealingDevice(), await api.provisioning_key()
    assert (await enrolled(api.stranger, device, secret)).status == 200
    reset = SealingDevice(uuid=device.uuid, key=rsa_key(1))
    assert (await enrolled(api.stranger, reset, secret)).status == 409
    owner = await api.person(Role.OWNER)
    assert (await owner.post(f"/devices/{device.uuid}/release")).status == 200
    assert (await enrolled(api.stranger, reset, secret)).status == 200
    assert (await enrolled(api.stranger, device, secret)).status == 409


async def test_a_device_that_enrolled_by_v1_is_not_taken_by_v2(api: Api) -> None:
    secret = await api.provisioning_key()
    old = await api.device(secret)
    assert (await enrolled(api.stranger, SealingDevice(uuid=old.uuid), secret)).status == 409
    assert (await old.caller.get(f"/device/{old.uuid}/state")).status == 200


async def test_a_device_that_was_expected_takes_its_place_by_v2_and_can_come_again(api: Api) -> None:
    """P-16."""
    owner = await api.person(Role.OWNER)
    expected = await owner.post("/devices", {"deviceName": "press 7"})
    assert expected.status == 201, expected
    token, device = expected.body["enrolmentToken"], SealingDevice()
    for _ in range(2):
        answer = await enrolled(api.stranger, device, token)
        assert device.opened(answer.body)["device"]["deviceName"] == "press 7"
    assert (await enrolled(api.stranger, SealingDevice(key=rsa_key(1)), token)).status == 401
    assert (await enrolled(api.stranger, SealingDevice(uuid=device.uuid, key=rsa_key(1)), token)).status == 409


async def test_a_plan_that_is_full_is_402(tmp_path: Path) -> None:
    """The seed's code; the challenge is not used up by it."""
    async with running_api(tmp_path / "data", MAX_DEVICES="1") as api:
        secret = await api.provisioning_key()
        assert (await enrolled(api.stranger, SealingDevice(), secret)).status == 200
        assert (await enrolled(api.stranger, SealingDevice(), secret)).status == 402


async def test_what_stands_in_a_body_in_the_wrong_form_is_refused_by_its_name(api: Api) -> None:
    device = SealingDevice()
    offer = await offered(api.stranger, device)
    payload = device.payload(offer, "x")
    block, envelope = device.block(offer, payload), device.envelope(offer, payload)
    cases: list[tuple[dict[str, Any], str]] = [
        ({}, "encryptedPayload"),
        (block | envelope, "encryptedPayload"),
        (block | {"encryptedPayload": "***"}, "encryptedPayload"),
        (block | {"encryptedPayload": 7}, "encryptedPayload"),
        (block | {"alg": "RSA1_5"}, "alg"),
        (block | {"alg": "RSA-OAEP-256+A256GCM"}, "alg"),
        (envelope | {"alg": "RSA-OAEP-256"}, "alg"),
        (block | {"keyId": None}, "keyId"),
        (envelope | {"keyId": None}, "keyId"),
        (envelope | {"v": 3}, "v"),
        (envelope | {"iv": None}, "iv"),
        (envelope | {"tag": base64(b"x")}, "tag"),
        (envelope | {"ct": "a"}, "ct"),
        (block | {"signature": None}, "signature"),
        (block | {"signature": "%"}, "signature"),
        (block | {"devicePublicKey": None}, "devicePublicKey"),
        (block | {"devicePublicKey": None, "signature": None}, "devicePublicKey"),
        (block | {"devicePublicKey": "no PEM"}, "devicePublicKey"),
    ]
    for body, field in cases:
        answer = await api.stranger.post(REGISTER, body)
        assert (answer.status, list(answer.body["fields"])) == (400, [field]), body
    for body, field in (
        ({"deviceUuid": "x"}, "deviceUuid"),
        ({}, "deviceUuid"),
        (
            device.exchange | {"devicePublicKey": "x"},
            "devicePublicKey",
        ),
    ):
        answer = await api.stranger.post(EXCHANGE, body)
        assert (answer.status, list(answer.body["fields"])) == (400, [field]), body


def by_the_seed(offer: dict[str, Any], secret: str, device: SealingDevice, alg: str = "RSA-OAEP") -> dict[str, str]:
    """A registration exactly as the seed has it."""
    said = {"deviceUuid": device.uuid, "provisioningApiKey": secret, "deviceName": "gate 7", "deviceType": "gateway"}
    return {"encryptedPayload": base64(server_key(offer).encrypt(json.dumps(said).encode(), oaep(alg)))}


async def test_legacy_clients_are_let_in_only_where_the_operator_wants_it(api: Api, legacy: Api) -> None:
    for each, status in ((api, 400), (legacy, 200)):
        device, secret = SealingDevice(), await each.provisioning_key()
        offer = (await each.stranger.post(EXCHANGE, {"deviceUuid": device.uuid})).body
        answer = await each.stranger.post(REGISTER, by_the_seed(offer, secret, device))
        assert answer.status == status
    assert answer.body["device"]["uuid"] == device.uuid
    key = {"X-Device-API-Key": answer.body["api"]["deviceApiKey"]}
    assert (await legacy.stranger.get(f"/device/{device.uuid}/state", headers=key)).status == 200


async def test_a_legacy_registration_that_is_replayed_makes_no_second_device_and_no_credentials(legacy: Api) -> None:
    """Abuse case 1: nothing proves that it is the same device, so an operator must say so."""
    device, secret = SealingDevice(), await legacy.provisioning_key()
    offer = (await legacy.stranger.post(EXCHANGE, {"deviceUuid": device.uuid})).body
    body = by_the_seed(offer, secret, device, alg="RSA-OAEP-256")
    statuses = [(await legacy.stranger.post(REGISTER, body)).status for _ in range(3)]
    assert statuses == [200, 409, 409]


async def test_who_may_come_without_a_signature_may_still_not_come_with_a_wrong_one(legacy: Api) -> None:
    device, secret = SealingDevice(), await legacy.provisioning_key()
    offer = await offered(legacy.stranger, device)
    payload = device.payload(offer, secret)
    body = device.block(offer, payload) | {"signature": device.signature(payload + b" ")}
    assert (await legacy.stranger.post(REGISTER, body)).status == 401
    unsigned = {name: body[name] for name in ("encryptedPayload",)} | {"devicePublicKey": public_pem(device.key)}
    answer: Answer = await legacy.stranger.post(REGISTER, unsigned)
    assert answer.status == 400
