"""The catalogue and its numbers in SQL."""

import pytest

from adapters.sql.applications import SqlApplicationStore, SqlIssuedIdStore
from adapters.sql.sqlite import SqliteTransactions
from tests.contracts.application_store import ApplicationStoreContract, IssuedIdStoreContract


@pytest.fixture
def units(transactions: SqliteTransactions) -> SqliteTransactions:
    """Transactions on an empty database."""
    return transactions


class TestApplications(ApplicationStoreContract):
    """SqlApplicationStore keeps the contract."""

    @pytest.fixture
    def store(self) -> SqlApplicationStore:
        """The store."""
        return SqlApplicationStore()


class TestIssuedIds(IssuedIdStoreContract):
    """SqlIssuedIdStore keeps the contract."""

    @pytest.fixture
    def numbers(self) -> SqlIssuedIdStore:
        """The store."""
        return SqlIssuedIdStore()
