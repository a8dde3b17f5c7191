"""Provisioning keys in SQL."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from adapters.sql.provisioning import SqlProvisioningKeyStore
from adapters.sql.sqlite import SqliteTransactions
from tests.contracts.provisioning_key_store import ProvisioningKeyStoreContract
from tests.support.enrolment import a_key


class TestProvisioningKeys(ProvisioningKeyStoreContract):
    """Keys."""

    @pytest.fixture
    def store(self) -> SqlProvisioningKeyStore:
        """The store."""
        return SqlProvisioningKeyStore()


async def test_the_table_itself_refuses_more_uses_than_there_are(
    transactions: SqliteTransactions, database: Path
) -> None:
    async with transactions.begin() as tx:
        await SqlProvisioningKeyStore().add(tx, a_key(max_uses=1, uses=1))
    with (
        closing(sqlite3.connect(database)) as other,
        pytest.raises(sqlite3.IntegrityError, match="ck_provisioning_keys_uses"),
    ):
        other.execute("UPDATE provisioning_keys SET uses = 2")
