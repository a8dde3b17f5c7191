"""Events in SQL."""

import pytest

from adapters.sql.events import SqlEventStore
from tests.contracts.event_store import EventStoreContract


class TestEvents(EventStoreContract):
    """SqlEventStore keeps the contract."""

    @pytest.fixture
    def store(self) -> SqlEventStore:
        """The store."""
        return SqlEventStore()
