"""Provisioning keys, registration and key exchange over HTTP (contract 2.3, 2.4, 4.4)."""

from typing import Any

import pytest

from core.actor import Role
from core.digests import digest_of
from tests.support.application import Api, Caller, registration

KEY_FIELDS = {
    *("id", "fleetId", "fleet_id", "description", "maxDevices", "max_devices", "maxUses"),
    *("devicesProvisioned", "devices_provisioned", "currentUses", "isActive", "is_active"),
    *("expiresAt", "expires_at", "createdAt", "created_at", "createdBy", "created_by", "lastUsedAt", "last_used_at"),
    "deviceUuid",
}


@pytest.fixture
async def owner(api: Api) -> Caller:
    """The owner."""
    return await api.person(Role.OWNER)


async def register(api: Api, secret: str, **fields: Any) -> Any:
    """Have an agent register."""
    return await api.stranger.post(
        "/device/register", registration(**fields), headers={"Authorization": f"Bearer {secret}"}
    )


async def test_a_key_is_told_in_both_spellings_and_its_secret_only_once(api: Api, owner: Caller) -> None:
    made = await owner.post("/provisioning-keys", {"fleetId": "plant", "maxDevices": 7, "description": "hall 3"})
    assert made.status == 201
    assert set(made.body) == KEY_FIELDS | {"key", "warning"}
    secret = made.body["key"]
    assert (len(secret), made.body["maxUses"], made.body["currentUses"]) == (64, 7, 0)
    listed = await owner.get("/provisioning-keys?fleetId=plant")
    assert (listed.body["fleet_id"], listed.body["count"]) == ("plant", 1)
    assert set(listed.body["keys"][0]) == KEY_FIELDS
    for shown in (made.raw.replace(secret.encode(), b""), listed.raw):
        assert secret.encode() not in shown
        assert digest_of(secret).encode() not in shown
    assert (await register(api, secret)).status == 200


async def test_keys_are_listed_by_fleet_or_all(owner: Caller) -> None:
    for fleet in ("a", "b"):
        await owner.post("/provisioning-keys", {"fleetId": fleet})
    assert (await owner.get("/provisioning-keys?fleetId=a")).body["count"] == 1
    assert (await owner.get("/provisioning-keys")).body["count"] == 2
    assert (await owner.get("/provisioning-keys?fleetId=c")).body == {"fleet_id": "c", "count": 0, "keys": []}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "fleetId"),
        ({"fleetId": ""}, "fleetId"),
        ({"fleetId": 7}, "fleetId"),
        ({"fleetId": "a", "maxDevices": 0}, "maxDevices"),
        ({"fleetId": "a", "maxUses": -1}, "maxDevices"),
        ({"fleetId": "a", "maxDevices": 10_001}, "maxDevices"),
        ({"fleetId": "a", "maxDevices": "7"}, "maxDevices"),
        ({"fleetId": "a", "maxDevices": 1.5}, "maxDevices"),
        ({"fleetId": "a", "expiresInDays": 0}, "expiresInDays"),
        ({"fleetId": "a", "expiresAt": "2000-01-01T00:00:00Z"}, "expiresAt"),
        ({"fleetId": "a", "expiresAt": "2027-01-01T00:00:00"}, "expiresAt"),
        ({"fleetId": "a", "expiresAt": "tomorrow"}, "expiresAt"),
        ({"fleetId": "a", "description": "x" * 1001}, "description"),
    ],
)
async def test_a_key_with_odd_values_is_refused_by_the_name_of_the_field(
    owner: Caller, body: dict[str, Any], field: str
) -> None:
    answer = await owner.post("/provisioning-keys", body)
    assert (answer.status, list(answer.body["fields"])) == (400, [field])
    assert (await owner.get("/provisioning-keys")).body["count"] == 0


async def test_the_seeds_words_mean_the_same(owner: Caller) -> None:
    wanted = {"fleetId": "a", "maxUses": 3, "expiresAt": "2027-01-01T00:00:00+01:00"}
    made = (await owner.post("/provisioning-keys", wanted)).body
    assert (made["maxDevices"], made["expiresAt"]) == (3, "2026-12-31T23:00:00Z")


async def test_a_generated_key_needs_no_body_and_replaces_another(api: Api, owner: Caller) -> None:
    """Contract 12.3 item 49: the dialog generates, generates again, and the one before is good no more."""
    first = await owner.post("/provisioning-keys/generate")
    assert (first.status, first.body["fleetId"], first.body["maxDevices"]) == (201, "default-fleet", 1)
    second = await owner.post("/provisioning-keys/generate", {"fleetId": "a", "previousKeyId": first.body["id"]})
    assert second.status == 201
    assert (await register(api, first.body["key"])).status == 401
    assert (await register(api, second.body["key"])).status == 200
    assert (await owner.post("/provisioning-keys/generate", {"previousKeyId": "unknown"})).status == 404


async def test_a_revoked_key_is_told_so_and_an_unknown_one_is_not_found(api: Api, owner: Caller) -> None:
    made = (await owner.post("/provisioning-keys", {"fleetId": "a"})).body
    path = f"/provisioning-keys/{made['id']}"
    revoked = await owner.delete(path, {"reason": "lost"})
    assert revoked.status == 200
    assert revoked.body["success"] is True
    assert (revoked.body["status"], revoked.body["keyId"], revoked.body["reason"]) == ("ok", made["id"], "lost")
    assert (await owner.delete(path)).status == 409
    assert (await owner.delete("/provisioning-keys/unknown")).status == 404
    assert (await register(api, made["key"])).status == 401


@pytest.mark.parametrize("reason", ["x" * 1001, "a\nb", 7])
async def test_an_odd_reason_revokes_nothing(api: Api, owner: Caller, reason: object) -> None:
    made = (await owner.post("/provisioning-keys", {"fleetId": "a"})).body
    assert (await owner.delete(f"/provisioning-keys/{made['id']}", {"reason": reason})).status == 400
    assert (await register(api, made["key"])).status == 200


async def test_a_registration_answers_with_all_that_the_agent_reads(api: Api) -> None:
    """Contract 2.3, table of the response."""
    body = registration(applicationId=None)
    secret = await api.provisioning_key(fleet_id="plant")
    answer = await api.stranger.post("/device/register", body, headers={"Authorization": f"bearer   {secret}"})
    told = answer.body
    assert answer.status == 200
    assert (told["uuid"], told["deviceName"], told["fleetId"]) == (body["uuid"], body["deviceName"], "plant")
    assert isinstance(told["id"], int)
    assert told["mqtt"]["username"] == f"device_{body['uuid']}"
    assert told["mqtt"]["broker"] == api.running.mqtt_url
    assert told["mqtt"]["brokerConfig"]["protocol"] == "mqtt"
    assert body["deviceApiKey"].encode() not in answer.raw
    assert secret.encode() not in answer.raw
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("missing", ["uuid", "deviceName", "deviceType", "deviceApiKey"])
async def test_a_registration_without_a_field_it_needs_is_refused_by_its_name(api: Api, missing: str) -> None:
    body = registration()
    del body[missing]
    bearer = {"Authorization": f"Bearer {await api.provisioning_key()}"}
    answer = await api.stranger.post("/device/register", body, headers=bearer)
    assert (answer.status, list(answer.body["fields"])) == (400, [missing])


@pytest.mark.parametrize(("field", "value"), [("deviceName", "n" * 256), ("deviceName", ""), ("deviceType", "t" * 101)])
async def test_a_registration_is_refused_in_the_words_of_its_sender(api: Api, field: str, value: str) -> None:
    secret = await api.provisioning_key()
    answer = await register(api, secret, **{field: value})
    assert (answer.status, list(answer.body["fields"])) == (400, [field])


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Basic {key}", "{key}", "Bearer {key} {key}", "Bearer {key},x", "xBearer {key}"]
)
async def test_the_authorization_header_is_read_strictly(api: Api, header: str) -> None:
    """P-18."""
    value = header.format(key=await api.provisioning_key())
    answer = await api.stranger.post("/device/register", registration(), headers={"Authorization": value})
    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


async def test_a_key_exchange_answers_as_the_agent_expects(api: Api) -> None:
    """Contract 2.4."""
    device = await api.device()
    path, body = f"/device/{device.uuid}/key-exchange", {"uuid": device.uuid, "deviceApiKey": device.key}
    bearer = {"Authorization": f"Bearer {device.key}"}
    for _ in range(12):
        answer = await api.stranger.post(path, body, headers=bearer)
        assert (answer.status, answer.body["status"]) == (200, "ok")
        assert answer.body["device"] == {
            "id": device.answer["id"],
            "uuid": device.uuid,
            "deviceName": device.answer["deviceName"],
        }


async def test_a_key_exchange_of_another_device_or_with_another_key_is_refused_alike(api: Api) -> None:
    """P-19."""
    mine, other = await api.device(), await api.device()
    answers = set()
    for uuid, presented, body in (
        (other.uuid, mine.key, {"uuid": other.uuid, "deviceApiKey": mine.key}),
        (mine.uuid, mine.key, {"uuid": other.uuid, "deviceApiKey": mine.key}),
        (mine.uuid, mine.key, {"uuid": mine.uuid, "deviceApiKey": other.key}),
        (mine.uuid, "0" * 64, {"uuid": mine.uuid, "deviceApiKey": "0" * 64}),
        ("5f3a1deb-f4c3-4e1b-8e76-70de4d2e3f56", "0" * 64, {"uuid": mine.uuid, "deviceApiKey": mine.key}),
    ):
        bearer = {"Authorization": f"Bearer {presented}"}
        answer = await api.stranger.post(f"/device/{uuid}/key-exchange", body, headers=bearer)
        answers.add((answer.status, answer.raw))
    assert len(answers) == 1
    assert {status for status, _ in answers} == {401}
