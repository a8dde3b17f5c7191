"""Traffic in SQL."""

import pytest

from adapters.sql.traffic import SqlTrafficStore
from tests.contracts.traffic_store import TrafficStoreContract


class TestTraffic(TrafficStoreContract):
    """Counts by the hour."""

    @pytest.fixture
    def store(self) -> SqlTrafficStore:
        """The store."""
        return SqlTrafficStore()
