"""Keys that open nothing: all alike to those who try, told apart in the audit log, and slowed down when guessed."""

from datetime import timedelta

import pytest

from core.actor import SYSTEM, Actor, ActorKind
from core.errors import Conflict, QuotaExceeded, Unauthenticated
from core.provisioning import RegistrationRefused
from tests.support.enrolment import AGENT, Enrolling, a_registration, new_secret

NEIGHBOUR = Actor(kind=ActorKind.STRANGER, address="192.0.2.8")


async def bad_keys(enrolling: Enrolling) -> dict[str, str]:
    """A key of every sort that opens nothing, by the reason that the log gives."""
    _, expired = await enrolling.key(expires_at=enrolling.clock.now() + timedelta(seconds=1))
    revoked_key, revoked = await enrolling.key()
    await enrolling.keys.revoke(SYSTEM, revoked_key.id)
    _, used = await enrolling.key(max_uses=1)
    await enrolling.register(used)
    enrolling.clock.advance(seconds=2)
    return {"unknown key": new_secret(), "expired key": expired, "revoked key": revoked, "key used up": used}


async def test_every_bad_key_is_refused_in_the_same_words(enrolling: Enrolling) -> None:
    """Abuse case 6."""
    told = set()
    for secret in (await bad_keys(enrolling)).values():
        with pytest.raises(Unauthenticated) as refusal:
            await enrolling.register(secret)
        told.add(refusal.value.message)
    assert len(told) == 1


async def test_the_audit_log_learns_the_reason_and_no_secret(enrolling: Enrolling) -> None:
    keys = await bad_keys(enrolling)
    wanted = a_registration()
    for secret in keys.values():
        with pytest.raises(Unauthenticated):
            await enrolling.register(secret, wanted)
    events = await enrolling.events(RegistrationRefused)
    assert [event.reason for event in events] == list(keys)
    assert {(event.uuid, event.address, event.SEVERITY) for event in events} == {
        (wanted.uuid, AGENT.address, "warning")
    }
    assert not any(secret in repr(events) for secret in [*keys.values(), wanted.api_key])


async def test_only_unknown_keys_count_as_guesses(enrolling: Enrolling) -> None:
    """P-11, P-12: a site whose key is used up or expired is not shut out."""
    keys = await bad_keys(enrolling)
    for reason, secret in keys.items():
        with pytest.raises(Unauthenticated):
            await enrolling.register(secret)
        assert len(enrolling.guesses.counted) == 1, reason


async def test_a_conflict_is_no_guess(enrolling: Enrolling) -> None:
    """P-12: an installed device that restarts does not shut out its site."""
    _, secret = await enrolling.key()
    wanted = a_registration()
    await enrolling.register(secret, wanted)
    for _ in range(10):
        with pytest.raises(Conflict):
            await enrolling.register(secret, a_registration(uuid=wanted.uuid))
    assert enrolling.guesses.counted == []


async def test_who_guesses_too_often_is_held_up_but_a_right_key_from_there_never_is(enrolling: Enrolling) -> None:
    """Abuse case 7."""
    _, secret = await enrolling.key()
    for _ in range(3):
        with pytest.raises(Unauthenticated):
            await enrolling.register(new_secret())
    for _ in range(3):
        with pytest.raises(QuotaExceeded) as refusal:
            await enrolling.register(new_secret())
        assert refusal.value.retry_after == 60.0
        await enrolling.register(secret)
    with pytest.raises(Unauthenticated):
        await enrolling.enrolments.register(NEIGHBOUR, new_secret(), a_registration())


async def test_a_flood_of_guesses_fills_no_table(enrolling: Enrolling) -> None:
    for _ in range(50):
        with pytest.raises((Unauthenticated, QuotaExceeded)):
            await enrolling.register(new_secret())
    assert len(await enrolling.events(RegistrationRefused)) == 3
    assert len(enrolling.guesses.counted) == 3


@pytest.mark.parametrize("secret", ["", " ", "\0", "\ud800", "é", "x" * 100_000, "' OR 1=1 --"])
async def test_an_odd_key_is_as_unknown_as_any_other(enrolling: Enrolling, secret: str) -> None:
    await enrolling.key()
    with pytest.raises(Unauthenticated):
        await enrolling.register(secret)
