"""People and their sessions on SQLite."""

import pytest

from adapters.sql.access import SqlSessionStore, SqlUserStore
from tests.contracts.session_store import SessionStoreContract
from tests.contracts.user_store import UserStoreContract


class TestUsersOnSqlite(UserStoreContract):
    """SqlUserStore keeps the contract."""

    @pytest.fixture
    def store(self) -> SqlUserStore:
        """The store."""
        return SqlUserStore()


class TestSessionsOnSqlite(SessionStoreContract):
    """SqlSessionStore keeps the contract."""

    @pytest.fixture
    def store(self) -> SqlSessionStore:
        """The store."""
        return SqlSessionStore()

    @pytest.fixture
    def users(self) -> SqlUserStore:
        """Whose sessions they are."""
        return SqlUserStore()
