"""Passwords that people chose: slow to check, quick to know again, and nobody is locked out by others (10.3 item 7)."""

import asyncio

import pytest

from adapters.system import SystemIds
from core.errors import Unavailable
from core.mqtt import PeoplesPasswords
from core.mqtt.passwords import (
    FREE_FAILURES,
    LONGEST_PAUSE,
    MOST_HASHING,
    MOST_WAITING,
    PROVED_FOR,
    WRONG_FOR,
    pause_after,
)
from tests.support.access import CountedPasswords
from tests.support.clock import TestClock
from tests.support.mqtt_accounts import Pauses

RIGHT = "correct horse"


@pytest.fixture
async def verifier(hasher: CountedPasswords) -> str:
    """What is stored of the right password."""
    return await hasher.hash(RIGHT)


async def test_a_right_password_is_checked_once_and_known_from_then_on(
    peoples_passwords: PeoplesPasswords, hasher: CountedPasswords, verifier: str, clock: TestClock
) -> None:
    for _ in range(3):
        assert await peoples_passwords.is_right("anna", RIGHT, verifier)
    assert hasher.asked == [verifier]
    clock.advance(seconds=PROVED_FOR + 1)
    assert await peoples_passwords.is_right("anna", RIGHT, verifier)
    assert hasher.asked == [verifier] * 2


async def test_all_clients_of_an_account_come_back_at_once_for_the_price_of_one_check(
    peoples_passwords: PeoplesPasswords, hasher: CountedPasswords, verifier: str
) -> None:
    """Contract 10.3 item 7; abuse case 23."""
    storm = (peoples_passwords.is_right("anna", RIGHT, verifier) for _ in range(1000))
    assert all(await asyncio.gather(*storm))
    assert hasher.asked == [verifier]


async def test_what_was_right_is_forgotten_with_a_new_password(
    peoples_passwords: PeoplesPasswords, hasher: CountedPasswords, verifier: str
) -> None:
    assert await peoples_passwords.is_right("anna", RIGHT, verifier)
    new = await hasher.hash("another one")
    assert not await peoples_passwords.is_right("anna", RIGHT, new)
    assert await peoples_passwords.is_right("anna", "another one", new)


async def test_what_is_remembered_of_one_account_says_nothing_of_another(
    peoples_passwords: PeoplesPasswords, hasher: CountedPasswords, verifier: str
) -> None:
    assert await peoples_passwords.is_right("anna", RIGHT, verifier)
    assert not await peoples_passwords.is_right("bert", RIGHT, await hasher.hash("his own"))
    assert not await peoples_passwords.is_right("carl", RIGHT, None)


async def test_no_password_is_kept_as_it_is(peoples_passwords: PeoplesPasswords, verifier: str) -> None:
    await peoples_passwords.is_right("anna", RIGHT, verifier)
    await peoples_passwords.is_right("anna", "a wrong guess", verifier)
    kept = str([vars(each) for each in vars(peoples_passwords).values() if hasattr(each, "__dict__")])
    assert RIGHT not in kept
    assert "a wrong guess" not in kept


async def test_an_unknown_account_is_checked_as_slowly_as_a_known_one(
    peoples_passwords: PeoplesPasswords, hasher: CountedPasswords
) -> None:
    """Contract 10.3 item 7; abuse case 29."""
    assert not await peoples_passwords.is_right("nobody", RIGHT, None)
    assert hasher.asked == [None]


async def test_a_client_that_repeats_a_wrong_password_costs_one_check_in_a_while(
    peoples_passwords: PeoplesPasswords, hasher: CountedPasswords, verifier: str, clock: TestClock
) -> None:
    for _ in range(10):
        assert not await peoples_passwords.is_right("anna", "old one", verifier)
    assert len(hasher.asked) == 1
    clock.advance(seconds=WRONG_FOR + 1)
    assert not await peoples_passwords.is_right("anna", "old one", verifier)
    assert len(hasher.asked) == 2


async def guess(passwords: PeoplesPasswords, username: str, verifier: str | None, times: int) -> None:
    """Wrong passwords, each another one."""
    for number in range(times):
        assert not await passwords.is_right(username, f"guess {number}", verifier)


async def test_guesses_become_slow_per_username(
    peoples_passwords: PeoplesPasswords, pauses: Pauses, verifier: str
) -> None:
    await guess(peoples_passwords, "anna", verifier, FREE_FAILURES + 1)
    assert pauses.asked == []
    await guess(peoples_passwords, "bert", None, FREE_FAILURES)
    assert pauses.asked == []
    await guess(peoples_passwords, "anna", verifier + " ", 6)
    assert pauses.asked == sorted(pauses.asked)
    assert (pauses.asked[0], pauses.asked[-1]) == (0.25, LONGEST_PAUSE)


async def test_who_logged_in_before_is_not_held_up_by_guesses_at_their_name(
    peoples_passwords: PeoplesPasswords, pauses: Pauses, verifier: str
) -> None:
    """Abuse case 28: without locking a victim out."""
    assert await peoples_passwords.is_right("anna", RIGHT, verifier)
    await guess(peoples_passwords, "anna", verifier, FREE_FAILURES + 10)
    waited = len(pauses.asked)
    assert await peoples_passwords.is_right("anna", RIGHT, verifier)
    assert len(pauses.asked) == waited


async def test_who_did_not_waits_a_moment_and_gets_in(
    peoples_passwords: PeoplesPasswords, pauses: Pauses, verifier: str
) -> None:
    await guess(peoples_passwords, "anna", verifier, FREE_FAILURES + 10)
    assert await peoples_passwords.is_right("anna", RIGHT, verifier)
    assert pauses.asked[-1] <= LONGEST_PAUSE


async def test_a_pause_that_has_passed_is_not_waited_for(
    peoples_passwords: PeoplesPasswords, pauses: Pauses, verifier: str, clock: TestClock
) -> None:
    await guess(peoples_passwords, "anna", verifier, FREE_FAILURES + 2)
    asked = len(pauses.asked)
    clock.advance(seconds=LONGEST_PAUSE)
    assert await peoples_passwords.is_right("anna", RIGHT, verifier)
    assert len(pauses.asked) == asked


def test_pauses_grow_from_nothing_to_a_bound() -> None:
    assert [pause_after(failures) for failures in (0, FREE_FAILURES, FREE_FAILURES + 1, FREE_FAILURES + 2)] == [
        0.0,
        0.0,
        0.25,
        0.5,
    ]
    assert pause_after(10**6) == LONGEST_PAUSE


class Stuck:
    """Implements `core.access.PasswordHasher`; takes as long as the test wants."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.called = asyncio.Event()
        self.asked = 0
        self.error: Exception | None = None

    async def hash(self, password: str) -> str:
        """Not asked."""
        return password

    async def verify(self, password: str, password_hash: str | None) -> bool:
        """Says what is right once it may."""
        self.asked += 1
        self.called.set()
        await self.go.wait()
        if self.error is not None:
            raise self.error
        return password == password_hash


@pytest.fixture
async def stuck() -> Stuck:
    """A hasher that hangs."""
    return Stuck()


@pytest.fixture
def slow(stuck: Stuck, clock: TestClock, pauses: Pauses, ids: SystemIds) -> PeoplesPasswords:
    """Passwords that hang in it."""
    return PeoplesPasswords(hasher=stuck, clock=clock, ids=ids, pause=pauses.pause)


async def test_when_too_many_wait_there_is_no_answer_rather_than_a_no(slow: PeoplesPasswords, stuck: Stuck) -> None:
    """Abuse case 20: a broker that caches a No would lock out whoever is right."""
    waiting = [asyncio.create_task(slow.is_right("anna", f"guess {number}", RIGHT)) for number in range(MOST_WAITING)]
    await asyncio.sleep(0)
    with pytest.raises(Unavailable):
        await slow.is_right("anna", RIGHT, RIGHT)
    other = asyncio.create_task(slow.is_right("bert", RIGHT, RIGHT))
    stuck.go.set()
    assert await other
    assert not any(await asyncio.gather(*waiting))
    assert await slow.is_right("anna", RIGHT, RIGHT)


async def test_of_one_username_one_check_runs_at_a_time(slow: PeoplesPasswords, stuck: Stuck) -> None:
    waiting = [asyncio.create_task(slow.is_right("anna", f"guess {number}", RIGHT)) for number in range(3)]
    await stuck.called.wait()
    assert stuck.asked == 1
    stuck.go.set()
    await asyncio.gather(*waiting)
    assert stuck.asked == 3


async def test_a_check_whose_asker_has_given_up_is_there_for_the_next_one(slow: PeoplesPasswords, stuck: Stuck) -> None:
    asking = asyncio.create_task(slow.is_right("anna", RIGHT, RIGHT))
    await stuck.called.wait()
    asking.cancel()
    again = asyncio.create_task(slow.is_right("anna", RIGHT, RIGHT))
    await asyncio.sleep(0)
    stuck.go.set()
    assert await again
    assert stuck.asked == 1


async def test_a_check_that_fails_is_not_remembered_as_an_answer(slow: PeoplesPasswords, stuck: Stuck) -> None:
    stuck.error = Unavailable("too many logins at once")
    stuck.go.set()
    with pytest.raises(Unavailable):
        await slow.is_right("anna", RIGHT, RIGHT)
    stuck.error = None
    assert await slow.is_right("anna", RIGHT, RIGHT)


async def test_of_all_usernames_so_many_are_checked_at_once_and_no_more(slow: PeoplesPasswords, stuck: Stuck) -> None:
    """So that a flood of names leaves room for people who log in elsewhere."""
    flood = [asyncio.create_task(slow.is_right(f"user {number}", "x", None)) for number in range(MOST_HASHING)]
    while stuck.asked < MOST_HASHING:
        stuck.called.clear()
        await stuck.called.wait()
    with pytest.raises(Unavailable):
        await slow.is_right("anna", RIGHT, RIGHT)
    stuck.go.set()
    assert not any(await asyncio.gather(*flood))
    assert await slow.is_right("anna", RIGHT, RIGHT)


async def test_guesses_that_have_to_wait_keep_no_other_name_waiting(
    hasher: CountedPasswords, verifier: str, clock: TestClock, ids: SystemIds
) -> None:
    """Else whoever guesses at a few names would keep everybody out who was not seen before."""
    go, waiting = asyncio.Event(), asyncio.Semaphore(0)

    async def pause(_seconds: float) -> None:
        waiting.release()
        await go.wait()

    passwords = PeoplesPasswords(hasher=hasher, clock=clock, ids=ids, pause=pause)
    names = [f"name {number}" for number in range(MOST_HASHING)]
    for name in names:
        await guess(passwords, name, None, FREE_FAILURES + 1)
    paused = [asyncio.create_task(passwords.is_right(name, "one more", None)) for name in names]
    for _ in names:
        await waiting.acquire()
    assert await passwords.is_right("anna", RIGHT, verifier)
    go.set()
    assert not any(await asyncio.gather(*paused))
