"""Sessions: logging in, staying in, and getting out."""

import asyncio

import pytest

from adapters.sql.signals import LocalSignals
from adapters.sql.sqlite import SqliteTransactions
from core.access import MOST_SESSIONS, LoggedIn, LoggedOut, LoginFailed, UserChange
from core.actor import SYSTEM, ActorKind, Permission, Role
from core.errors import Unauthenticated
from tests.support.access import ELSEWHERE, HOME, PASSWORD, Access, build_access
from tests.support.clock import TestClock


async def test_one_logs_in_with_the_username_or_the_e_mail_in_any_case(access: Access) -> None:
    await access.user("anna")
    for name in ("anna", "ANNA", " Anna ", "anna@example.com", "Anna@Example.COM"):
        assert (await access.login(name)).user.username == "anna"


async def test_the_access_token_tells_who_asks_and_what_they_may_do(access: Access) -> None:
    await access.user("anna", Role.OPERATOR)
    actor = await access.sessions.actor((await access.login("anna")).access, ELSEWHERE)
    assert (actor.kind, actor.username, actor.role, actor.address) == (ActorKind.USER, "anna", Role.OPERATOR, ELSEWHERE)
    assert Permission("device:control") in actor.permissions
    assert Permission("device:write") not in actor.permissions


async def test_a_login_is_noted(access: Access) -> None:
    user = await access.user("anna")
    access.clock.advance(hours=1)
    await access.login("anna")
    assert (await access.accounts.get(SYSTEM, user.id)).last_login_at == access.clock.now()
    event = (await access.announced())[-1]
    assert isinstance(event, LoggedIn)
    assert (event.username, event.address, event.user_agent) == ("anna", HOME, "a browser")


async def test_an_access_token_ends_after_a_quarter_of_an_hour_and_a_refresh_token_gives_the_next(
    access: Access,
) -> None:
    await access.user("anna")
    tokens = await access.login("anna")
    access.clock.advance(minutes=15)
    with pytest.raises(Unauthenticated):
        await access.sessions.actor(tokens.access, HOME)
    assert (await access.sessions.actor(await access.sessions.refresh(tokens.refresh), HOME)).username == "anna"


async def test_the_same_refresh_token_stays_good_until_its_time_is_over(access: Access) -> None:
    await access.user("anna")
    refresh = (await access.login("anna")).refresh
    for _ in range(6):
        access.clock.advance(days=1)
        await access.sessions.refresh(refresh)
    access.clock.advance(days=1)
    with pytest.raises(Unauthenticated):
        await access.sessions.refresh(refresh)


async def test_an_access_token_does_not_outlive_its_session(access: Access) -> None:
    await access.user("anna")
    refresh = (await access.login("anna")).refresh
    access.clock.advance(days=7, minutes=-1)
    last = await access.sessions.refresh(refresh)
    assert (await access.sessions.actor(last, HOME)).username == "anna"
    access.clock.advance(minutes=1)
    with pytest.raises(Unauthenticated):
        await access.sessions.actor(last, HOME)


async def test_a_token_for_one_purpose_is_refused_for_the_other(access: Access) -> None:
    await access.user("anna")
    tokens = await access.login("anna")
    with pytest.raises(Unauthenticated):
        await access.sessions.actor(tokens.refresh, HOME)
    with pytest.raises(Unauthenticated):
        await access.sessions.refresh(tokens.access)


async def test_a_warm_session_costs_no_sql(access: Access) -> None:
    await access.user("anna")
    token = (await access.login("anna")).access
    await access.sessions.actor(token, HOME)
    before = access.transactions.reads
    for _ in range(5):
        await access.sessions.actor(token, HOME)
    assert access.transactions.reads == before


async def test_a_logout_ends_this_session_at_once_and_no_other(access: Access) -> None:
    await access.user("anna")
    here, there = await access.login("anna"), await access.login("anna")
    actor = await access.sessions.actor(here.access, HOME)
    await access.sessions.actor(there.access, HOME)
    await access.sessions.logout(actor, here.refresh)
    for attempt in (access.sessions.actor(here.access, HOME), access.sessions.refresh(here.refresh)):
        with pytest.raises(Unauthenticated):
            await attempt
    assert (await access.sessions.actor(there.access, HOME)).username == "anna"
    await access.sessions.refresh(there.refresh)
    assert isinstance((await access.announced())[-1], LoggedOut)


async def test_nobody_ends_the_session_of_somebody_else(access: Access) -> None:
    await access.user("anna")
    await access.user("bert")
    theirs = await access.login("anna")
    mine = await access.sessions.actor((await access.login("bert")).access, HOME)
    await access.sessions.logout(mine, theirs.refresh)
    assert (await access.sessions.actor(theirs.access, HOME)).username == "anna"


async def test_a_logout_with_a_worthless_refresh_token_still_logs_out(access: Access) -> None:
    await access.user("anna")
    tokens = await access.login("anna")
    await access.sessions.logout(await access.sessions.actor(tokens.access, HOME), "rubbish")
    with pytest.raises(Unauthenticated):
        await access.sessions.actor(tokens.access, HOME)


async def test_every_login_begins_a_session_of_its_own(access: Access) -> None:
    await access.user("anna")
    actors = [await access.actor("anna") for _ in range(3)]
    assert len({actor.session_id for actor in actors}) == 3


async def test_an_inactive_account_cannot_log_in_and_is_told_what_everybody_is_told(access: Access) -> None:
    user = await access.user("anna")
    await access.accounts.change(SYSTEM, user.id, UserChange(is_active=False))
    with pytest.raises(Unauthenticated) as inactive:
        await access.login("anna")
    with pytest.raises(Unauthenticated) as unknown:
        await access.login("nobody")
    with pytest.raises(Unauthenticated) as wrong:
        await access.login("anna", "wrong horse")
    assert inactive.value.message == unknown.value.message == wrong.value.message


async def test_a_failed_login_is_written_down_with_its_reason_and_never_its_password(access: Access) -> None:
    await access.user("anna")
    with pytest.raises(Unauthenticated):
        await access.login("an\x1b[31mna\r\n" + "x" * 300, "hunter2hunter2")
    event = (await access.announced())[-1]
    assert isinstance(event, LoginFailed)
    assert event.username == ("an[31mna" + "x" * 300)[:64]
    assert (event.reason, event.address) == ("unknown account", HOME)
    assert "hunter2" not in repr(event)


async def test_an_account_that_changes_while_its_password_is_checked_does_not_get_in(access: Access) -> None:
    user = await access.user("anna")
    login = asyncio.create_task(access.login("anna"))
    await access.passwords.called.wait()
    async with access.transactions.begin() as tx:
        await access.users.set_password(tx, user.id, "another verifier")
    with pytest.raises(Unauthenticated):
        await login


async def test_the_oldest_sessions_of_somebody_with_very_many_end(access: Access) -> None:
    await access.user("anna")
    first = await access.login("anna")
    for _ in range(MOST_SESSIONS):
        access.clock.advance(seconds=1)
        latest = await access.login("anna")
    with pytest.raises(Unauthenticated):
        await access.sessions.refresh(first.refresh)
    await access.sessions.refresh(latest.refresh)


async def test_sessions_whose_time_is_over_are_forgotten(access: Access) -> None:
    await access.user("anna")
    await access.login("anna")
    access.clock.advance(days=3)
    await access.login("anna")
    access.clock.advance(days=4)
    assert await access.sessions.prune() == 1
    assert await access.sessions.prune() == 0


async def test_lifetimes_are_settings(
    transactions: SqliteTransactions, signals: LocalSignals, clock: TestClock
) -> None:
    access = build_access(transactions, signals, clock, JWT_ACCESS_TOKEN_EXPIRY="2m", JWT_REFRESH_TOKEN_EXPIRY="1h")
    await access.user("anna")
    tokens = await access.login("anna", PASSWORD)
    clock.advance(minutes=2)
    with pytest.raises(Unauthenticated):
        await access.sessions.actor(tokens.access, HOME)
    clock.advance(minutes=58)
    with pytest.raises(Unauthenticated):
        await access.sessions.refresh(tokens.refresh)
