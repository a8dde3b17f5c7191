"""Accounts: who may do what to whom."""

import asyncio

import pytest

from adapters.sql.signals import LocalSignals
from adapters.sql.sqlite import SqliteTransactions
from core.access import NewUser, PasswordChanged, User, UserChange, UserChanged, UserCreated, UserDeleted
from core.actor import STRANGER, SYSTEM, Actor, Role
from core.errors import Conflict, Forbidden, Invalid, NotFound, QuotaExceeded, Unauthenticated
from core.ids import UserId
from tests.support.access import HOME, PASSWORD, Access, build_access
from tests.support.clock import TestClock


def wanted(username: str = "carla", role: Role = Role.VIEWER, **fields: str) -> NewUser:
    """An account to be made."""
    return NewUser(
        username=username, email=fields.get("email", f"{username}@example.com"), password=PASSWORD, role=role
    )


async def test_a_new_account_is_announced_and_can_log_in(access: Access) -> None:
    boss = await access.person("boss", Role.OWNER)
    user = await access.accounts.create(boss, wanted())
    event = (await access.announced())[-1]
    assert isinstance(event, UserCreated)
    assert (event.by, event.username, event.role) == (boss.reference, "carla", "viewer")
    assert (await access.login("carla")).user.id == user.id


@pytest.mark.parametrize("taken", ["ANNA", "carla"])
async def test_a_username_or_e_mail_that_is_taken_in_any_case_is_a_conflict(access: Access, taken: str) -> None:
    await access.user("anna")
    with pytest.raises(Conflict):
        await access.accounts.create(SYSTEM, wanted(taken, email="Anna@EXAMPLE.com"))


@pytest.mark.parametrize("username", ["ab", "x" * 65, "a b c", "anna@home", "an\u0131na", "anna\n", "", "an/na", None])
def test_a_username_that_is_none_is_refused(username: str) -> None:
    with pytest.raises(Invalid) as refused:
        NewUser(username=username, email="a@example.com", password=PASSWORD)
    assert "username" in refused.value.fields


@pytest.mark.parametrize(
    "email", ["anna", "@example.com", "a@", "a b@example.com", "a@b@c", "a@b..c", "x" * 250 + "@a.b"]
)
def test_an_e_mail_that_is_none_is_refused(email: str) -> None:
    with pytest.raises(Invalid) as refused:
        NewUser(username="anna", email=email, password=PASSWORD)
    assert "email" in refused.value.fields


@pytest.mark.parametrize("password", ["", "7 bytes", "x" * 73, "ü" * 37, "\ud800" * 8])
def test_a_password_of_less_than_8_or_more_than_72_bytes_is_refused(password: str) -> None:
    with pytest.raises(Invalid) as refused:
        NewUser(username="anna", email="a@example.com", password=password)
    assert "password" in refused.value.fields


async def test_a_password_of_72_bytes_is_good_to_its_last_byte(access: Access) -> None:
    longest = "ü" * 36
    await access.accounts.create(SYSTEM, NewUser(username="anna", email="a@example.com", password=longest))
    assert (await access.login("anna", longest)).user.username == "anna"
    for wrong in (longest[:-1] + "u", longest + "x"):
        with pytest.raises(Unauthenticated):
            await access.login("anna", wrong)


def test_no_password_stands_in_any_text_of_an_account() -> None:
    assert PASSWORD not in repr(wanted())


@pytest.mark.parametrize(
    ("actor_role", "role", "allowed"),
    [
        (Role.OWNER, Role.OWNER, True),
        (Role.ADMIN, Role.OWNER, False),
        (Role.ADMIN, Role.ADMIN, True),
        (Role.MANAGER, Role.ADMIN, False),
        (Role.MANAGER, Role.MANAGER, True),
        (Role.OPERATOR, Role.VIEWER, False),
        (Role.VIEWER, Role.VIEWER, False),
    ],
)
async def test_nobody_makes_an_account_above_their_own_role(
    access: Access, actor_role: Role, role: Role, *, allowed: bool
) -> None:
    actor = await access.person("actor", actor_role)
    if allowed:
        assert (await access.accounts.create(actor, wanted(role=role))).role is role
    else:
        with pytest.raises(Forbidden):
            await access.accounts.create(actor, wanted(role=role))


@pytest.mark.parametrize("target", [Role.VIEWER, Role.MANAGER])
async def test_a_manager_promotes_nobody_to_admin(access: Access, target: Role) -> None:
    manager = await access.person("manager", Role.MANAGER)
    user = await access.user("anna", target)
    with pytest.raises(Forbidden):
        await access.accounts.change(manager, user.id, UserChange(role=Role.ADMIN))


async def test_a_manager_does_not_promote_himself(access: Access) -> None:
    manager = await access.person("manager", Role.MANAGER)
    assert manager.user_id is not None
    with pytest.raises(Forbidden):
        await access.accounts.change(manager, manager.user_id, UserChange(role=Role.ADMIN))


@pytest.mark.parametrize(
    "change", [UserChange(role=Role.VIEWER), UserChange(is_active=False), UserChange(email="mine@example.com")]
)
async def test_nobody_touches_an_account_above_their_own_role(access: Access, change: UserChange) -> None:
    admin = await access.person("admin", Role.ADMIN)
    await access.user("boss", Role.OWNER)
    owner = await access.user("second", Role.OWNER)
    with pytest.raises(Forbidden):
        await access.accounts.change(admin, owner.id, change)
    with pytest.raises(Forbidden):
        await access.accounts.delete(admin, owner.id)


async def test_everybody_changes_their_own_e_mail_and_nobody_elses(access: Access) -> None:
    viewer = await access.person("anna")
    other = await access.user("bert")
    assert viewer.user_id is not None
    changed = await access.accounts.change(viewer, viewer.user_id, UserChange(email="New@example.com"))
    assert changed.email == "new@example.com"
    with pytest.raises(Forbidden):
        await access.accounts.change(viewer, other.id, UserChange(email="x@example.com"))


async def test_a_profile_that_repeats_ones_own_role_is_no_promotion(access: Access) -> None:
    viewer = await access.person("anna")
    assert viewer.user_id is not None
    same = UserChange(email="new@example.com", role=Role.VIEWER, is_active=True)
    assert (await access.accounts.change(viewer, viewer.user_id, same)).email == "new@example.com"
    with pytest.raises(Forbidden):
        await access.accounts.change(viewer, viewer.user_id, UserChange(role=Role.OPERATOR))


@pytest.mark.parametrize("change", [UserChange(role=Role.ADMIN), UserChange(is_active=False)])
async def test_the_last_owner_stays(access: Access, change: UserChange) -> None:
    boss = await access.user("boss", Role.OWNER)
    with pytest.raises(Conflict):
        await access.accounts.change(SYSTEM, boss.id, change)
    with pytest.raises(Conflict):
        await access.accounts.delete(SYSTEM, boss.id)
    assert await access.accounts.get(SYSTEM, boss.id) == boss


async def test_an_inactive_owner_does_not_count_as_an_owner(access: Access) -> None:
    boss, second = await access.user("boss", Role.OWNER), await access.user("second", Role.OWNER)
    await access.accounts.change(SYSTEM, second.id, UserChange(is_active=False))
    with pytest.raises(Conflict):
        await access.accounts.delete(SYSTEM, boss.id)


async def test_two_owners_who_delete_each_other_at_once_leave_one(access: Access) -> None:
    boss, second = await access.person("boss", Role.OWNER), await access.person("second", Role.OWNER)
    outcomes = await asyncio.gather(
        access.accounts.delete(boss, UserId(second.user_id or 0)),
        access.accounts.delete(second, UserId(boss.user_id or 0)),
        return_exceptions=True,
    )
    assert [type(outcome) for outcome in outcomes].count(Conflict) == 1
    assert len(await access.accounts.all(SYSTEM)) == 1


async def test_nobody_deletes_or_deactivates_themselves(access: Access) -> None:
    boss = await access.person("boss", Role.OWNER)
    await access.user("second", Role.OWNER)
    assert boss.user_id is not None
    with pytest.raises(Invalid):
        await access.accounts.delete(boss, boss.user_id)
    with pytest.raises(Invalid):
        await access.accounts.change(boss, boss.user_id, UserChange(is_active=False))


@pytest.mark.parametrize(
    ("change", "ends"),
    [
        (UserChange(is_active=False), True),
        (UserChange(role=Role.OPERATOR), True),
        (UserChange(email="new@example.com"), False),
        (UserChange(full_name="Anna"), False),
    ],
)
async def test_a_change_of_role_or_activity_ends_the_sessions_at_once(
    access: Access, change: UserChange, *, ends: bool
) -> None:
    user = await access.user("anna")
    tokens = await access.login("anna")
    await access.sessions.actor(tokens.access, HOME)
    await access.accounts.change(SYSTEM, user.id, change)
    event = (await access.announced())[-1]
    assert isinstance(event, UserChanged)
    assert await refused(access, tokens.access) is ends


async def test_a_deleted_account_is_out_at_once_and_its_number_is_not_given_again(access: Access) -> None:
    user = await access.user("anna")
    tokens = await access.login("anna")
    await access.sessions.actor(tokens.access, HOME)
    await access.accounts.delete(SYSTEM, user.id)
    assert isinstance((await access.announced())[-1], UserDeleted)
    assert await refused(access, tokens.access)
    assert (await access.user("anna")).id > user.id
    with pytest.raises(NotFound):
        await access.accounts.get(SYSTEM, user.id)


async def test_a_change_that_changes_nothing_is_not_announced(access: Access) -> None:
    user = await access.user("anna")
    before = await access.announced()
    assert await access.accounts.change(SYSTEM, user.id, UserChange(role=Role.VIEWER)) == user
    assert await access.announced() == before


async def test_a_new_password_ends_every_session_and_the_old_one_is_good_no_more(access: Access) -> None:
    actor = await access.person("anna")
    tokens = [await access.login("anna") for _ in range(3)]
    await access.accounts.change_password(actor, PASSWORD, "another horse")
    assert isinstance((await access.announced())[-1], PasswordChanged)
    for each in tokens:
        assert await refused(access, each.access)
        with pytest.raises(Unauthenticated):
            await access.sessions.refresh(each.refresh)
    with pytest.raises(Unauthenticated):
        await access.login("anna")
    await access.login("anna", "another horse")


async def test_a_new_password_needs_the_current_one(access: Access) -> None:
    actor = await access.person("anna")
    with pytest.raises(Invalid) as refusal:
        await access.accounts.change_password(actor, "wrong horse", "another horse")
    assert "currentPassword" in refusal.value.fields
    await access.login("anna")


async def test_the_current_password_cannot_be_guessed_with_a_stolen_token(access: Access) -> None:
    actor = await access.person("anna")
    for _ in range(10):
        with pytest.raises(Invalid):
            await access.accounts.change_password(actor, "wrong horse", "another horse")
    with pytest.raises(QuotaExceeded):
        await access.accounts.change_password(actor, PASSWORD, "another horse")


async def test_the_first_owner_gets_a_password_that_is_made_up_and_shown_once(access: Access) -> None:
    password = await access.accounts.bootstrap()
    assert password is not None
    assert (await access.login("admin", password)).user.role is Role.OWNER
    assert await access.accounts.bootstrap() is None
    assert len(await access.accounts.all(SYSTEM)) == 1


async def test_a_password_that_was_chosen_for_the_first_owner_is_not_shown(access: Access) -> None:
    assert await access.accounts.bootstrap("boss", PASSWORD) is None
    assert (await access.login("boss")).user.role is Role.OWNER


async def test_the_first_owner_does_not_get_a_password_everybody_knows(access: Access) -> None:
    with pytest.raises(Invalid):
        await access.accounts.bootstrap("admin", "admin")


async def test_strangers_make_no_accounts(access: Access) -> None:
    with pytest.raises(Forbidden):
        await access.accounts.sign_up(STRANGER, wanted())
    for act in (access.accounts.all(STRANGER), access.accounts.create(STRANGER, wanted())):
        with pytest.raises(Unauthenticated):
            await act


async def test_where_anybody_may_sign_up_they_become_viewers_a_few_at_a_time(
    transactions: SqliteTransactions, signals: LocalSignals, clock: TestClock
) -> None:
    access = build_access(transactions, signals, clock, ALLOW_SIGNUP="true")
    made: list[User] = [await access.accounts.sign_up(STRANGER, wanted(f"user{n}")) for n in range(3)]
    assert {user.role for user in made} == {Role.VIEWER}
    with pytest.raises(QuotaExceeded):
        await access.accounts.sign_up(STRANGER, wanted("user4"))


async def test_one_sees_ones_own_account_without_any_permission(access: Access) -> None:
    user = await access.user("anna")
    nobody = Actor(kind=STRANGER.kind, user_id=user.id)
    assert (await access.accounts.get(nobody, user.id)).username == "anna"


async def refused(access: Access, token: str) -> bool:
    """Whether an access token is refused."""
    try:
        await access.sessions.actor(token, HOME)
    except Unauthenticated:
        return True
    return False
