"""Accounts of the MQTT broker and their rights over HTTP (contract §4.1; check 48)."""

from typing import Any

import pytest

from core.actor import Role
from tests.support.application import Answer, Api, Caller

NEW = {"username": "anna", "password": "correct horse"}
USER = {"id", "username", "is_superuser", "is_active", "created_at"}
ACL = {"id", "username", "topic", "access", "priority", "created_at"}


@pytest.fixture
async def owner(api: Api) -> Caller:
    """Somebody who may do all this."""
    return await api.person(Role.OWNER)


async def made(owner: Caller, **fields: Any) -> dict[str, Any]:
    """An account."""
    answer = await owner.post("/auth/mqtt-users", NEW | fields)
    assert (answer.status, answer.body["success"]) == (201, True), answer
    user: dict[str, Any] = answer.body["user"]
    return user


async def listed(owner: Caller) -> list[dict[str, Any]]:
    """All accounts."""
    answer = await owner.get("/auth/mqtt-users")
    assert (answer.status, answer.body["success"]) == (200, True)
    users: list[dict[str, Any]] = answer.body["users"]
    return users


def refused(answer: Answer, status: int, *fields: str) -> None:
    """It was, and it says which fields are wrong."""
    assert (answer.status, list(answer.body.get("fields", {}))) == (status, list(fields)), answer


async def test_48_an_account_is_made_listed_changed_and_deleted(owner: Caller) -> None:
    """Contract 12.3 item 48, the page of MQTT users."""
    user = await made(owner, is_superuser=False)
    assert set(user) >= USER
    assert (user["username"], user["is_superuser"], user["is_active"]) == ("anna", False, True)
    [shown] = await listed(owner)
    assert set(shown) >= USER | {"updated_at", "acls"}
    path = f"/auth/mqtt-users/{user['id']}"
    changed = await owner.put(path, {"is_superuser": True, "is_active": False, "password": "another one"})
    assert (changed.status, changed.body["success"]) == (200, True)
    assert (changed.body["user"]["is_superuser"], changed.body["user"]["is_active"]) == (True, False)
    deleted = await owner.delete(path)
    assert (deleted.status, deleted.body["success"]) == (200, True)
    assert deleted.body["message"]
    assert await listed(owner) == []
    assert (await owner.delete(path)).status == 404
    assert (await owner.put(path, {"is_active": True})).status == 404


async def test_48_a_right_is_added_listed_changed_and_removed(owner: Caller) -> None:
    """Contract 12.3 item 48, the rights on the same page."""
    user = await made(owner)
    added = await owner.post(f"/auth/mqtt-users/{user['id']}/acls", {"topic": "a/#", "access": 3, "priority": 5})
    assert (added.status, added.body["success"]) == (201, True)
    acl = added.body["acl"]
    assert set(acl) >= ACL
    assert (acl["username"], acl["topic"], acl["access"], acl["priority"]) == ("anna", "a/#", 3, 5)
    assert (await listed(owner))[0]["acls"] == [acl]
    path = f"/auth/mqtt-acls/{acl['id']}"
    changed = await owner.put(path, {"topic": "b", "access": 1, "priority": 0})
    assert (changed.status, changed.body["success"]) == (200, True)
    assert changed.body["acl"] == acl | {"topic": "b", "access": 1, "priority": 0}
    removed = await owner.delete(path)
    assert (removed.status, removed.body["success"]) == (200, True)
    assert (await listed(owner))[0]["acls"] == []
    assert (await owner.delete(path)).status == 404
    assert (await owner.put(path, {"access": 1})).status == 404
    assert (await owner.post("/auth/mqtt-users/4711/acls", {"topic": "a", "access": 1})).status == 404


async def test_what_is_wrong_with_an_account_is_a_400(owner: Caller) -> None:
    user = await made(owner)
    refused(await owner.post("/auth/mqtt-users", NEW), 400, "username")
    for wrong, field in (
        ({"username": "device_1"}, "username"),
        ({"username": "a/b"}, "username"),
        ({"username": None}, "username"),
        ({"password": "short"}, "password"),
        ({"password": 12345678}, "password"),
        ({"is_superuser": "yes"}, "is_superuser"),
    ):
        refused(
            await owner.post("/auth/mqtt-users", {"username": "bert", "password": "correct horse"} | wrong), 400, field
        )
    path = f"/auth/mqtt-users/{user['id']}"
    assert (await owner.put(path, {})).status == 400
    refused(await owner.put(path, {"password": "short"}), 400, "password")
    refused(await owner.put("/auth/mqtt-users/x", {"is_active": True}), 400, "id")


async def test_what_is_wrong_with_a_right_is_a_400(owner: Caller) -> None:
    path = f"/auth/mqtt-users/{(await made(owner))['id']}/acls"
    for body, field in (
        ({}, "topic"),
        ({"topic": "a"}, "access"),
        ({"topic": "a/#/b", "access": 1}, "topic"),
        ({"topic": "", "access": 1}, "topic"),
        ({"topic": "a", "access": 0}, "access"),
        ({"topic": "a", "access": 8}, "access"),
        ({"topic": "a", "access": "1"}, "access"),
        ({"topic": "a", "access": True}, "access"),
        ({"topic": "a", "access": 1, "priority": 10**9}, "priority"),
    ):
        refused(await owner.post(path, body), 400, field)
    assert (await owner.post(path, {"topic": "a", "access": 1})).status == 201
    refused(await owner.post(path, {"topic": "a", "access": 1}), 400, "topic")


async def test_accounts_of_devices_are_shown_and_nobodys_to_edit(api: Api, owner: Caller) -> None:
    device = await api.device()
    await made(owner)
    anna, its = await listed(owner)
    assert (anna["device_uuid"], its["device_uuid"]) == (None, device.uuid)
    assert (its["username"], its["acls"]) == (device.mqtt["username"], [])
    path = f"/auth/mqtt-users/{its['id']}"
    for answer in (
        await owner.put(path, {"password": "correct horse"}),
        await owner.delete(path),
        await owner.post(path + "/acls", {"topic": "#", "access": 7}),
    ):
        assert answer.status == 409
        assert "device" in answer.body["message"]


async def test_long_lists_come_in_pages(owner: Caller) -> None:
    for name in ("anna", "bert", "carl"):
        await made(owner, username=name)
    names = []
    for page in (1, 2, 3):
        answer = await owner.get("/auth/mqtt-users", params={"limit": 2, "page": page})
        names.append([user["username"] for user in answer.body["users"]])
        assert (answer.body["total"], answer.body["count"]) == (3, len(names[-1]))
    assert names == [["anna", "bert"], ["carl"], []]


async def test_no_answer_and_no_audit_entry_carries_a_password_or_its_verifier(api: Api, owner: Caller) -> None:
    user = await made(owner, is_superuser=True)
    changed = await owner.put(f"/auth/mqtt-users/{user['id']}", {"password": "another one"})
    await api.settle()
    audit = await owner.get("/audit-logs")
    for answer in (changed, await owner.get("/auth/mqtt-users"), audit):
        for secret in (b"$2b$", b"correct horse", b"another one"):
            assert secret not in answer.raw
    assert b"mqtt.superuser_made" in audit.raw


async def test_fields_that_are_nobodys_business_are_ignored(owner: Caller) -> None:
    """Abuse case 12."""
    twisted = {"id": 4711, "device_uuid": "x", "password_kind": "digest", "digest": "x", "acls": [{"topic": "#"}]}
    user = await made(owner, **twisted)
    assert user["id"] != 4711
    [shown] = await listed(owner)
    assert (shown["device_uuid"], shown["acls"]) == (None, [])


@pytest.mark.parametrize(
    ("role", "reading", "writing"),
    [(Role.VIEWER, 403, 403), (Role.OPERATOR, 200, 403), (Role.MANAGER, 200, 403), (Role.ADMIN, 200, 201)],
)
async def test_each_role_may_do_what_the_contract_says(api: Api, role: Role, reading: int, writing: int) -> None:
    """Contract 6.3; A-01."""
    person = await api.person(role)
    assert (await person.get("/auth/mqtt-users")).status == reading
    answer = await person.post("/auth/mqtt-users", NEW | {"is_superuser": True})
    assert answer.status == writing
