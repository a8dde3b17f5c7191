"""Guessing, timing, fixation and reuse (abuse cases 28, 29 and 33)."""

import asyncio
from datetime import timedelta

import pytest

from adapters.system.attempts import GuessLimiter, LoginAttempts, SignupAttempts, network_of
from core.access import UserChange
from core.actor import SYSTEM, Role
from core.errors import QuotaExceeded, Unauthenticated
from tests.support.access import ELSEWHERE, HOME, PASSWORD, Access

WRONG = "wrong horse"


async def guess(access: Access, name: str, times: int, address: str = HOME) -> None:
    """So many wrong passwords."""
    for _ in range(times):
        with pytest.raises(Unauthenticated):
            await access.login(name, WRONG, address)


async def test_after_ten_wrong_passwords_even_the_right_one_has_to_wait(access: Access) -> None:
    await access.user("anna")
    await guess(access, "anna", 10)
    with pytest.raises(QuotaExceeded) as refusal:
        await access.login("anna")
    assert refusal.value.retry_after is not None
    assert 0 < refusal.value.retry_after <= 900


async def test_the_victim_of_a_guesser_logs_in_from_elsewhere(access: Access) -> None:
    await access.user("anna")
    await guess(access, "anna", 10)
    assert (await access.login("anna", PASSWORD, ELSEWHERE)).user.username == "anna"


async def test_other_accounts_of_the_same_address_are_not_held_up(access: Access) -> None:
    await access.user("anna")
    await access.user("bert")
    await guess(access, "anna", 10)
    assert (await access.login("bert")).user.username == "bert"


async def test_right_passwords_are_not_counted(access: Access) -> None:
    await access.user("anna")
    for _ in range(15):
        await access.login("anna")


async def test_writing_the_name_otherwise_gives_no_more_guesses(access: Access) -> None:
    await access.user("anna")
    for name in ("anna", "ANNA", " anna", "an\x00na", "anna\x7f"):
        await guess(access, name, 2)
    with pytest.raises(QuotaExceeded):
        await access.login("anna")


async def test_many_guesses_at_once_are_no_way_around_the_limit(access: Access) -> None:
    await access.user("anna")
    outcomes = await asyncio.gather(*(access.login("anna", WRONG) for _ in range(40)), return_exceptions=True)
    kinds = [type(outcome) for outcome in outcomes]
    assert (kinds.count(Unauthenticated), kinds.count(QuotaExceeded)) == (10, 30)
    assert len(access.passwords.asked) == 10


async def test_guesses_that_are_refused_cost_no_slow_hash(access: Access) -> None:
    await access.user("anna")
    await guess(access, "anna", 10)
    for _ in range(20):
        with pytest.raises(QuotaExceeded):
            await access.login("anna", WRONG)
    assert len(access.passwords.asked) == 10


async def test_whether_somebody_has_an_account_is_told_neither_by_words_nor_by_work(access: Access) -> None:
    user = await access.user("anna")
    inactive = await access.user("bert")
    await access.accounts.change(SYSTEM, inactive.id, UserChange(is_active=False))
    words = set()
    for name, password in (("anna", WRONG), ("nobody", WRONG), ("no@body.example", WRONG), ("bert", PASSWORD)):
        before = len(access.passwords.asked)
        with pytest.raises(Unauthenticated) as refusal:
            await access.login(name, password)
        words.add(refusal.value.message)
        assert len(access.passwords.asked) == before + 1
    assert len(words) == 1
    assert access.passwords.asked[1:3] == [None, None]
    assert user.id


async def test_the_verifier_of_nobody_is_checked_at_the_same_cost_and_opens_nothing(access: Access) -> None:
    real = await access.passwords.hash(PASSWORD)
    nobody = access.passwords.real._nobody
    assert nobody[:7] == real[:7]
    assert len(nobody) == len(real)
    for password in ("", PASSWORD, "." * 53, "x" * 1000, "\ud800"):
        assert not await access.passwords.verify(password, None)


async def test_a_login_takes_over_no_session_that_was_there_before(access: Access) -> None:
    await access.user("mallory")
    await access.user("anna")
    planted = await access.login("mallory")
    victim = await access.login("anna")
    assert (await access.sessions.actor(planted.access, HOME)).username == "mallory"
    assert (await access.sessions.actor(victim.access, HOME)).session_id != (
        await access.sessions.actor(planted.access, HOME)
    ).session_id


async def test_a_refresh_token_is_worth_nothing_after_the_logout_however_often_it_is_tried(access: Access) -> None:
    await access.user("anna")
    tokens = await access.login("anna")
    actor = await access.sessions.actor(await access.sessions.refresh(tokens.refresh), HOME)
    await access.sessions.logout(actor)
    for _ in range(3):
        with pytest.raises(Unauthenticated):
            await access.sessions.refresh(tokens.refresh)


async def test_a_refresh_token_we_signed_for_a_session_but_never_gave_out_is_refused(access: Access) -> None:
    await access.user("anna")
    tokens = await access.login("anna")
    claims = dict(access.signer.verify(tokens.refresh))
    with pytest.raises(Unauthenticated):
        await access.sessions.refresh(access.signer.sign(claims | {"jti": "0" * 64}))


async def test_a_session_that_ended_is_refused_while_it_could_still_be_remembered(access: Access) -> None:
    user = await access.user("anna", Role.ADMIN)
    token = (await access.login("anna")).access
    await access.sessions.actor(token, HOME)
    await access.accounts.change(SYSTEM, user.id, UserChange(role=Role.VIEWER))
    with pytest.raises(Unauthenticated):
        await access.sessions.actor(token, HOME)


def test_one_address_has_a_hundred_guesses_over_all_accounts() -> None:
    logins = LoginAttempts()
    for number in range(100):
        with logins.attempt(f"user{number}", HOME) as was_wrong:
            was_wrong()
    with pytest.raises(QuotaExceeded), logins.attempt("another", HOME):
        pass
    with logins.attempt("another", ELSEWHERE):
        pass


def test_an_attempt_that_breaks_off_is_under_way_no_more() -> None:
    logins = LoginAttempts(per_account=1)
    for _ in range(3):
        with pytest.raises(RuntimeError), logins.attempt("anna", HOME):
            raise RuntimeError("connection lost")
    assert not logins._under_way


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:198.51.100.7", "198.51.100.7", True),
        ("fe80::1%eth0", "fe80::2%eth1", True),
        ("198.51.100.7", "198.51.100.8", False),
        ("", "unix", False),
    ],
)
def test_an_ipv6_network_counts_as_one_address(one: str, other: str, *, same: bool) -> None:
    assert (network_of(one) == network_of(other)) is same


def test_twenty_wrong_provisioning_keys_slow_an_address_down_and_no_other() -> None:
    guesses = GuessLimiter()
    for _ in range(20):
        guesses.check(HOME)
        guesses.failed(HOME)
    with pytest.raises(QuotaExceeded) as refusal:
        guesses.check(HOME)
    assert refusal.value.retry_after is not None
    guesses.check(ELSEWHERE)


def test_signups_are_counted_whether_they_go_well_or_not() -> None:
    signups = SignupAttempts(most=2, span=timedelta(hours=1))
    signups.admit(HOME)
    signups.admit(HOME)
    with pytest.raises(QuotaExceeded):
        signups.admit(HOME)
    signups.admit(ELSEWHERE)
