"""People and their sessions in SQL."""

import pytest

from adapters.sql.access import SqlSessionStore, SqlUserStore
from tests.contracts.session_store import SessionStoreContract
from tests.contracts.user_store import UserStoreContract


class TestUsers(UserStoreContract):
    """SqlUserStore keeps the contract."""

    @pytest.fixture
    def store(self) -> SqlUserStore:
        """The store."""
        return SqlUserStore()


class TestSessions(SessionStoreContract):
    """SqlSessionStore keeps the contract."""

    @pytest.fixture
    def store(self) -> SqlSessionStore:
        """The store."""
        return SqlSessionStore()

    @pytest.fixture
    def users(self) -> SqlUserStore:
        """Whose sessions they are."""
        return SqlUserStore()
