"""Passwords on their way to a broker, in SQL."""

import pytest
from sqlalchemy import select

from adapters.sql.mqtt_passwords import SealedMqttPasswords, mqtt_passwords_to_hand_over
from adapters.sql.transactions import sql
from core.transactions import Transactions
from tests.contracts.passwords_to_hand_over import NAMES, PasswordsToHandOverContract


class TestSealedMqttPasswords(PasswordsToHandOverContract):
    @pytest.fixture
    def passwords(self) -> SealedMqttPasswords:
        return SealedMqttPasswords("a secret")

    async def test_nobody_reads_them_without_the_secret(
        self, passwords: SealedMqttPasswords, transactions: Transactions
    ) -> None:
        async with transactions.begin() as tx:
            await passwords.keep(tx, "anna", "correct horse")
            sealed = await sql(tx).value(select(mqtt_passwords_to_hand_over.c.sealed))
            assert b"horse" not in bytes(sealed)
            assert await SealedMqttPasswords("another secret").waiting(tx, NAMES) == {}
