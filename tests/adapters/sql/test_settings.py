"""Stored settings in SQL."""

import pytest

from adapters.sql.settings import SqlStoredSettings
from tests.contracts.stored_settings import StoredSettingsContract


class TestStoredSettings(StoredSettingsContract):
    """Settings."""

    @pytest.fixture
    def stored(self) -> SqlStoredSettings:
        """The store."""
        return SqlStoredSettings()
