"""Passwords under load."""

import asyncio
from collections.abc import Iterator

import pytest

from adapters.system.passwords import MOST_WAITING, BcryptPasswords
from core.errors import Unavailable


@pytest.fixture
def passwords() -> Iterator[BcryptPasswords]:
    """bcrypt at its lowest cost."""
    hasher = BcryptPasswords(4)
    yield hasher
    hasher.close()


async def test_the_same_password_has_another_verifier_each_time(passwords: BcryptPasswords) -> None:
    one, other = await passwords.hash("correct horse"), await passwords.hash("correct horse")
    assert one != other
    assert await passwords.verify("correct horse", one)
    assert await passwords.verify("correct horse", other)
    assert not await passwords.verify("Correct horse", one)


async def test_the_cost_is_that_of_the_setting(passwords: BcryptPasswords) -> None:
    assert (await passwords.hash("correct horse")).startswith("$2b$04$")


async def test_the_loop_goes_on_while_passwords_are_checked(passwords: BcryptPasswords) -> None:
    checking = asyncio.gather(*(passwords.verify("correct horse", None) for _ in range(20)))
    await asyncio.sleep(0)
    assert not checking.done()
    await checking


async def test_too_many_at_once_are_sent_away_and_the_others_served(passwords: BcryptPasswords) -> None:
    many = [passwords.verify("correct horse", None) for _ in range(MOST_WAITING + 20)]
    outcomes = await asyncio.gather(*many, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes].count(Unavailable) == 20
    assert not await passwords.verify("correct horse", None)
