"""Accounts of the broker in SQLite."""

import pytest

from adapters.sql.devices import SqlDeviceStore
from adapters.sql.mqtt import SqlMqttAccountStore
from tests.contracts.mqtt_account_store import MqttAccountStoreContract


class TestMqttAccounts(MqttAccountStoreContract):
    """Accounts."""

    @pytest.fixture
    def store(self) -> SqlMqttAccountStore:
        """The store."""
        return SqlMqttAccountStore()

    @pytest.fixture
    def devices(self) -> SqlDeviceStore:
        """Where the devices of accounts are put."""
        return SqlDeviceStore()
