"""What is promised of passwords on their way to a broker. Subclasses give `passwords`."""

from core.mqtt import PasswordsToHandOver
from core.transactions import Transactions

NAMES = ("anna", "bert", "carl")


class PasswordsToHandOverContract:
    """The tests."""

    async def test_a_password_waits_until_it_is_handed_over(
        self, passwords: PasswordsToHandOver, transactions: Transactions
    ) -> None:
        async with transactions.begin() as tx:
            await passwords.keep(tx, "anna", "first")
            await passwords.keep(tx, "bert", "other")
            assert await passwords.waiting(tx, NAMES) == {"anna": "first", "bert": "other"}
            assert await passwords.waiting(tx, ["carl"]) == {}
            await passwords.handed_over(tx, "anna", "first")
            assert await passwords.waiting(tx, NAMES) == {"bert": "other"}

    async def test_the_latest_password_is_the_one_that_waits(
        self, passwords: PasswordsToHandOver, transactions: Transactions
    ) -> None:
        async with transactions.begin() as tx:
            await passwords.keep(tx, "anna", "first")
            await passwords.keep(tx, "anna", "second")
            await passwords.handed_over(tx, "anna", "first")
            assert await passwords.waiting(tx, NAMES) == {"anna": "second"}

    async def test_nothing_waits_of_an_announcement_that_failed(
        self, passwords: PasswordsToHandOver, transactions: Transactions
    ) -> None:
        try:
            async with transactions.begin() as tx:
                await passwords.keep(tx, "anna", "first")
                raise RuntimeError("the registration failed")
        except RuntimeError:
            pass
        async with transactions.read() as tx:
            assert await passwords.waiting(tx, NAMES) == {}
