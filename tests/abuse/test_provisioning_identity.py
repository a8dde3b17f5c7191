"""Abuse cases 1, 2, 3 and 12: who a device is cannot be bent."""

from typing import Any

import pytest

from core.actor import Role
from tests.support.application import Answer, Api, registration
from tests.support.mqtt import connected

UUID = "5f3a1deb-f4c3-4e1b-8e76-70de4d2e3f56"


async def register(api: Api, body: dict[str, Any], secret: str | None = None) -> Answer:
    """Have an agent register."""
    bearer = {"Authorization": f"Bearer {secret or await api.provisioning_key()}"}
    return await api.stranger.post("/device/register", body, headers=bearer)


async def test_a_registration_that_is_replayed_makes_no_second_device(api: Api) -> None:
    """Abuse case 1."""
    secret, body = await api.provisioning_key(), registration()
    answers = [await register(api, body, secret) for _ in range(5)]
    assert {(answer.status, answer.body["id"]) for answer in answers} == {(200, answers[0].body["id"])}
    owner = await api.person(Role.OWNER)
    assert (await owner.get("/devices")).body["count"] == 1


async def test_a_fleet_key_does_not_take_over_a_device(api: Api) -> None:
    """Abuse case 2; P-04."""
    secret = await api.provisioning_key()
    victim = await api.device(secret)
    assert (await register(api, registration(uuid=victim.uuid), secret)).status == 409
    assert (await register(api, registration(uuid=victim.uuid.upper()), secret)).status == 409
    assert (await victim.caller.get(f"/device/{victim.uuid}/state")).status == 200
    async with connected(victim.mqtt):
        pass


async def test_a_uuid_in_capitals_is_the_same_device(api: Api) -> None:
    """Abuse case 3."""
    secret, body = await api.provisioning_key(max_uses=1), registration(uuid=UUID)
    first = await register(api, body, secret)
    again = await register(api, body | {"uuid": UUID.upper()}, secret)
    assert (first.body["uuid"], again.body["uuid"], again.body["id"]) == (UUID, UUID, first.body["id"])
    assert again.body["mqtt"]["username"] == f"device_{UUID}"


@pytest.mark.parametrize(
    "uuid",
    [
        f"{UUID} ",
        f" {UUID}",
        f"{UUID}\0",
        UUID[:-1] + "\0",
        f"{{{UUID}}}",
        f"urn:uuid:{UUID}",
        UUID.replace("-", ""),
        UUID.replace("5", "\uff15"),
        UUID.replace("-", "\u2011"),
        "",
        "#",
        "+",
        "../../etc/passwd",
        "x' OR '1'='1",
        None,
        7,
        [UUID],
    ],
)
async def test_a_uuid_in_any_other_form_is_refused(api: Api, uuid: object) -> None:
    """Abuse case 3; contract 2.3, requirement 4."""
    answer = await register(api, registration(uuid=uuid))
    assert (answer.status, list(answer.body["fields"])) == (400, ["uuid"])


async def test_fields_that_are_not_for_the_caller_to_set_are_ignored(api: Api) -> None:
    """Abuse case 12: mass assignment."""
    wished: dict[str, Any] = {
        "id": 99,
        "isAdmin": True,
        "is_superuser": True,
        "isActive": False,
        "is_active": False,
        "status": "inactive",
        "fleetId": "theirs",
        "fleet_id": "theirs",
        "tenant_id": 7,
        "license": "enterprise",
        "revision": 99,
        "provisioning": "released",
        "provisioning_state": "released",
        "provisionedBy": "me",
        "createdAt": 0,
        "mqtt": {"password": "mine"},
        "__proto__": {"isAdmin": True},
    }
    body = registration()
    answer = await register(api, body | wished)
    assert (answer.status, answer.body["fleetId"]) == (200, "tests")
    assert answer.body["id"] != 99
    assert answer.body["mqtt"]["password"] != "mine"
    owner = await api.person(Role.OWNER)
    [device] = (await owner.get("/devices")).body["devices"]
    assert (device["state"], device["provisioning_state"], device["id"]) == ("active", "registered", answer.body["id"])


async def test_a_provisioning_key_is_made_as_its_makers_rights_have_it(api: Api) -> None:
    """Abuse case 12."""
    owner = await api.person(Role.OWNER)
    wished = {"id": "mine", "key": "0" * 64, "digest": "0" * 64, "uses": -5, "currentUses": -5, "createdBy": "system"}
    made = (await owner.post("/provisioning-keys", {"fleetId": "a", "isActive": False, **wished})).body
    assert (made["currentUses"], made["isActive"]) == (0, True)
    assert made["id"] != "mine"
    assert made["key"] != "0" * 64
    assert made["createdBy"].endswith(":admin")
