"""Accounts over HTTP (contract §4.2, check 47)."""

from typing import Any

import pytest

from core.actor import Role
from tests.support.application import Api

FIELDS = {"id", "username", "email", "role", "isActive", "createdAt", "lastLoginAt"}
NEW = {"username": "carla", "email": "carla@example.com", "password": "correct horse", "role": "operator"}


async def created(api: Api, **fields: Any) -> dict[str, Any]:
    """An account, made by the owner."""
    answer = await (await api.person(Role.OWNER)).post("/users", NEW | fields)
    assert answer.status == 201, answer
    user: dict[str, Any] = answer.body
    return user


async def own_id(api: Api, role: Role) -> int:
    """The number of somebody's own account."""
    me = await (await api.person(role)).get("/auth/me")
    number: int = me.body["data"]["user"]["id"]
    return number


async def test_an_account_is_made_listed_shown_changed_and_deleted(api: Api) -> None:
    owner = await api.person(Role.OWNER)
    user = await created(api)
    assert set(user) >= FIELDS
    assert (user["username"], user["role"], user["isActive"], user["lastLoginAt"]) == ("carla", "operator", True, None)
    listed = await owner.get("/users")
    assert [each["username"] for each in listed.body] == ["admin", "carla"]
    path = f"/users/{user['id']}"
    assert (await owner.get(path)).body == user
    changed = await owner.put(path, {"role": "manager", "isActive": False, "email": "c@example.com"})
    assert (changed.status, changed.body["role"], changed.body["isActive"]) == (200, "manager", False)
    assert changed.body["email"] == "c@example.com"
    deleted = await owner.delete(path)
    assert (deleted.status, deleted.raw) == (204, b"")
    assert (await owner.get(path)).status == 404


async def test_no_answer_carries_a_password_or_its_verifier(api: Api) -> None:
    user = await created(api)
    owner = await api.person(Role.OWNER)
    for answer in (await owner.get("/users"), await owner.get(f"/users/{user['id']}"), await owner.get("/auth/me")):
        assert b"$2b$" not in answer.raw
        assert b"assword" not in answer.raw


async def test_a_403_says_what_is_needed_and_what_one_is(api: Api) -> None:
    answer = await (await api.person(Role.VIEWER)).post("/users", NEW)
    assert answer.status == 403
    assert answer.body["error"] == "Forbidden"
    assert (answer.body["required"], answer.body["missing"]) == (["user:write"], ["user:write"])
    assert answer.body["userRole"] == "viewer"


@pytest.mark.parametrize(
    ("role", "listing", "making", "deleting"),
    [
        (Role.VIEWER, 200, 403, 403),
        (Role.OPERATOR, 200, 403, 403),
        (Role.MANAGER, 200, 201, 403),
        (Role.ADMIN, 200, 201, 204),
        (Role.OWNER, 200, 201, 204),
    ],
)
async def test_each_role_may_do_what_the_contract_says(
    api: Api, role: Role, listing: int, making: int, deleting: int
) -> None:
    person = await api.person(role)
    assert (await person.get("/users")).status == listing
    made = await person.post("/users", NEW | {"role": "viewer"})
    assert made.status == making
    number = made.body["id"] if making == 201 else (await created(api))["id"]
    assert (await person.delete(f"/users/{number}")).status == deleting


async def test_strangers_see_nobody(api: Api) -> None:
    for method, path in (
        ("GET", "/users"),
        ("GET", "/users/1"),
        ("POST", "/users"),
        ("PUT", "/users/1"),
        ("DELETE", "/users/1"),
        ("GET", "/users/me/permissions"),
    ):
        assert (await api.stranger.call(method, path)).status == 401


async def test_only_an_owner_makes_or_touches_owners(api: Api) -> None:
    admin = await api.person(Role.ADMIN)
    assert (await admin.post("/users", NEW | {"role": "owner"})).status == 403
    user = await created(api)
    assert (await admin.put(f"/users/{user['id']}", {"role": "owner"})).status == 403
    assert (await admin.put("/users/1", {"email": "mine@example.com"})).status == 403
    assert (await admin.delete("/users/1")).status == 403


async def test_a_manager_promotes_nobody_to_admin(api: Api) -> None:
    manager = await api.person(Role.MANAGER)
    user = await created(api)
    assert (await manager.put(f"/users/{user['id']}", {"role": "admin"})).status == 403
    assert (await manager.put(f"/users/{user['id']}", {"role": "manager"})).status == 200
    assert (await manager.put(f"/users/{await own_id(api, Role.MANAGER)}", {"role": "admin"})).status == 403


async def test_nobody_deletes_themselves(api: Api) -> None:
    owner = await api.person(Role.OWNER)
    assert (await owner.delete(f"/users/{await own_id(api, Role.OWNER)}")).status == 400


async def test_the_last_owner_stays_one(api: Api) -> None:
    owner = await api.person(Role.OWNER)
    assert (await owner.put("/users/1", {"role": "admin"})).status == 409
    assert (await owner.get("/users/1")).body["role"] == "owner"


async def test_everybody_changes_their_own_e_mail_but_not_their_role(api: Api) -> None:
    viewer, number = await api.person(Role.VIEWER), await own_id(api, Role.VIEWER)
    profile = {"email": "new@example.com", "role": "viewer", "isActive": True, "username": "ignored"}
    changed = await viewer.put(f"/users/{number}", profile)
    assert (changed.status, changed.body["email"], changed.body["username"]) == (200, "new@example.com", "the-viewer")
    assert (await viewer.put(f"/users/{number}", {"role": "owner"})).status == 403
    assert (await viewer.put("/users/1", {"email": "x@example.com"})).status == 403
    assert (await viewer.put("/users/4711", {"email": "x@example.com"})).status == 403


async def test_what_is_taken_is_a_409_and_what_is_wrong_a_400(api: Api) -> None:
    owner = await api.person(Role.OWNER)
    user = await created(api)
    assert (await owner.post("/users", NEW)).status == 409
    assert (await owner.post("/users", NEW | {"username": "dora"})).status == 409
    assert (await owner.put(f"/users/{user['id']}", {"email": "ADMIN@localhost"})).status == 409
    for wrong, field in (
        ({"username": "a b"}, "username"),
        ({"email": "nowhere"}, "email"),
        ({"password": "short"}, "password"),
        ({"role": "root"}, "role"),
        ({"role": None}, "role"),
    ):
        answer = await owner.post("/users", NEW | {"username": "dora", "email": "d@example.com"} | wrong)
        assert (answer.status, list(answer.body["fields"])) == (400, [field])


async def test_fields_that_are_nobodys_business_are_ignored(api: Api) -> None:
    twisted: dict[str, Any] = {"id": 4711, "isActive": False, "password_hash": "x", "revision": 9, "createdAt": "1970"}
    user = await created(api, **twisted)
    assert user["id"] != 4711
    assert user["isActive"]


@pytest.mark.parametrize("number", ["0", "4711", "99999999999999999"])
async def test_a_number_nobody_has_is_a_404(api: Api, number: str) -> None:
    assert (await (await api.person(Role.OWNER)).get(f"/users/{number}")).status == 404


@pytest.mark.parametrize("number", ["x", "-1", "1.0", "1 OR 1=1", "\u0661", "9" * 30])
async def test_what_is_no_number_is_a_400(api: Api, number: str) -> None:
    owner = await api.person(Role.OWNER)
    assert (await owner.get(f"/users/{number}")).status == 400
    assert (await owner.delete(f"/users/{number}")).status == 400


async def test_one_is_told_what_one_may_do(api: Api) -> None:
    answer = await (await api.person(Role.VIEWER)).get("/users/me/permissions")
    assert answer.status == 200
    assert answer.body["role"] == "viewer"
    assert answer.body["user"]["username"] == "the-viewer"
    assert answer.body["permissions"] == ["data:read", "device:read", "settings:read", "user:read"]


async def test_who_was_deactivated_is_out_at_once(api: Api) -> None:
    viewer, number = await api.person(Role.VIEWER), await own_id(api, Role.VIEWER)
    await (await api.person(Role.OWNER)).put(f"/users/{number}", {"isActive": False})
    assert (await viewer.get("/auth/me")).status == 401
