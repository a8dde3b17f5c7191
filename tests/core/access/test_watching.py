"""Tokens that let one watch and nothing else, and watching for long."""

import pytest

from core.access import UserChange
from core.actor import STRANGER, SYSTEM
from core.errors import Unauthenticated
from tests.support.access import ELSEWHERE, HOME, Access
from tests.support.clock import TestClock


async def test_a_watch_token_tells_who_watches_for_as_long_as_the_session_lasts(
    access: Access, clock: TestClock
) -> None:
    await access.user("anna")
    watch = await access.sessions.watch_token((await access.login("anna")).access)
    clock.advance(days=6)
    actor = await access.sessions.watcher(watch.token, ELSEWHERE)
    assert (actor.username, actor.address, watch.lasts.days) == ("anna", ELSEWHERE, 7)
    clock.advance(days=2)
    with pytest.raises(Unauthenticated):
        await access.sessions.watcher(watch.token, ELSEWHERE)


async def test_a_token_is_good_for_one_purpose(access: Access) -> None:
    await access.user("anna")
    tokens = await access.login("anna")
    watch = await access.sessions.watch_token(tokens.access)
    with pytest.raises(Unauthenticated):
        await access.sessions.actor(watch.token, HOME)
    with pytest.raises(Unauthenticated):
        await access.sessions.refresh(watch.token)
    for other in (tokens.access, tokens.refresh):
        with pytest.raises(Unauthenticated):
            await access.sessions.watcher(other, HOME)
    with pytest.raises(Unauthenticated):
        await access.sessions.watch_token(tokens.refresh)


async def test_who_has_logged_out_watches_no_more(access: Access) -> None:
    await access.user("anna")
    tokens = await access.login("anna")
    watch = await access.sessions.watch_token(tokens.access)
    actor = await access.sessions.actor(tokens.access, HOME)
    assert await access.sessions.again(actor) == actor
    await access.sessions.logout(actor)
    with pytest.raises(Unauthenticated):
        await access.sessions.again(actor)
    with pytest.raises(Unauthenticated):
        await access.sessions.watcher(watch.token, HOME)


async def test_who_was_deactivated_is_told_at_the_next_question(access: Access) -> None:
    user = await access.user("anna")
    actor = await access.sessions.actor((await access.login("anna")).access, HOME)
    await access.accounts.change(SYSTEM, user.id, UserChange(is_active=False))
    with pytest.raises(Unauthenticated):
        await access.sessions.again(actor)


async def test_only_people_have_sessions(access: Access) -> None:
    for actor in (SYSTEM, STRANGER):
        with pytest.raises(Unauthenticated):
            await access.sessions.again(actor)
