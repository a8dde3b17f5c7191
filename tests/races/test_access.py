"""What people do with accounts at the same moment."""

import pytest

from core.access import NewUser, UserChange
from core.actor import SYSTEM, Role
from core.errors import Conflict, Forbidden, Unauthenticated
from tests.support.access import PASSWORD, Access
from tests.support.races import Together, done, refused

NEW = "another correct horse"


async def test_two_owners_who_step_down_at_once_leave_one(access: Access, transactions: Together) -> None:
    owners = [await access.user(name, Role.OWNER) for name in ("ada", "bob")]
    step = UserChange(role=Role.VIEWER)
    outcomes = await transactions.outcomes(*(access.accounts.change(SYSTEM, user.id, step) for user in owners))
    assert (done(outcomes), refused(outcomes)) == (1, [Conflict])


async def test_two_owners_who_are_deleted_at_once_leave_one(access: Access, transactions: Together) -> None:
    owners = [await access.user(name, Role.OWNER) for name in ("ada", "bob")]
    outcomes = await transactions.outcomes(*(access.accounts.delete(SYSTEM, user.id) for user in owners))
    assert (done(outcomes), refused(outcomes)) == (1, [Conflict])


async def test_a_username_is_given_once(access: Access, transactions: Together) -> None:
    wanted = NewUser(username="ada", email="ada@example.com", password=PASSWORD)
    outcomes = await transactions.outcomes(*(access.accounts.create(SYSTEM, wanted) for _ in range(4)))
    assert (done(outcomes), refused(outcomes)) == (1, [Conflict])


async def test_processes_that_start_at_once_make_one_first_owner(access: Access, transactions: Together) -> None:
    outcomes = await transactions.outcomes(*(access.accounts.bootstrap() for _ in range(4)))
    assert len([password for password in outcomes if isinstance(password, str)]) == 1
    assert refused(outcomes) == []


async def test_changes_of_different_things_are_all_kept(access: Access, transactions: Together) -> None:
    user = await access.user("ada")
    changes = UserChange(full_name="Ada"), UserChange(email="other@example.com"), UserChange(role=Role.MANAGER)
    await transactions.outcomes(*(access.accounts.change(SYSTEM, user.id, change) for change in changes))
    after = await access.accounts.get(SYSTEM, user.id)
    assert (after.full_name, after.email, after.role) == ("Ada", "other@example.com", Role.MANAGER)


async def test_no_session_outlives_a_password_that_is_changed_at_the_same_moment(
    access: Access, transactions: Together
) -> None:
    actor = await access.person("ada")
    change = access.accounts.change_password(actor, PASSWORD, NEW)
    outcomes = await transactions.outcomes(access.login("ada"), change)
    if not isinstance(outcomes[0], Unauthenticated):
        with pytest.raises(Unauthenticated):
            await access.sessions.refresh(outcomes[0].refresh)
    await access.login("ada", NEW)


async def test_no_session_outlives_an_account_that_is_closed_at_the_same_moment(
    access: Access, transactions: Together
) -> None:
    user = await access.user("ada")
    closing = access.accounts.change(SYSTEM, user.id, UserChange(is_active=False))
    outcomes = await transactions.outcomes(access.login("ada"), closing)
    if not isinstance(outcomes[0], Unauthenticated):
        with pytest.raises(Unauthenticated):
            await access.sessions.refresh(outcomes[0].refresh)


async def test_of_two_new_passwords_one_is_refused(access: Access, transactions: Together) -> None:
    actor = await access.person("ada")
    changes = (access.accounts.change_password(actor, PASSWORD, f"{NEW} {number}") for number in range(2))
    outcomes = await transactions.outcomes(*changes)
    assert (done(outcomes), refused(outcomes)) == (1, [Conflict])


async def test_a_manager_does_not_reset_the_password_of_who_becomes_an_owner_meanwhile(
    access: Access, transactions: Together
) -> None:
    manager, user = await access.person("mia", Role.MANAGER), await access.user("ada")
    promotion = access.accounts.change(SYSTEM, user.id, UserChange(role=Role.OWNER))
    reset = access.accounts.reset_password(manager, "ada", NEW)
    outcomes = await transactions.outcomes(promotion, reset)
    if not isinstance(outcomes[1], Forbidden):
        kinds = [event.NAME for event in await access.announced()]
        assert kinds.index("user.password_changed") < kinds.index("user.changed")
