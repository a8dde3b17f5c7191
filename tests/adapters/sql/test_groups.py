"""Groups of devices in SQL."""

import pytest

from adapters.sql.groups import SqlGroupStore
from tests.contracts.group_store import GroupStoreContract


class TestGroups(GroupStoreContract):
    """Groups."""

    @pytest.fixture
    def store(self) -> SqlGroupStore:
        """The store."""
        return SqlGroupStore()
