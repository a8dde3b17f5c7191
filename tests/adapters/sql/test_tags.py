"""Tags and their definitions in SQL."""

import pytest

from adapters.sql.devices import SqlDeviceStore
from adapters.sql.tags import SqlTagDefinitionStore, SqlTagStore
from tests.contracts.tag_store import TagDefinitionStoreContract, TagStoreContract


@pytest.fixture
def devices() -> SqlDeviceStore:
    """Where devices are put that have tags."""
    return SqlDeviceStore()


class TestTags(TagStoreContract):
    """Tags."""

    @pytest.fixture
    def store(self) -> SqlTagStore:
        """The store."""
        return SqlTagStore()


class TestTagDefinitions(TagDefinitionStoreContract):
    """Definitions."""

    @pytest.fixture
    def store(self) -> SqlTagDefinitionStore:
        """The store."""
        return SqlTagDefinitionStore()
