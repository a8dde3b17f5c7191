"""Devices, their keys and their signs of life in SQL."""

import pytest

from adapters.sql.devices import SqlDeviceKeyStore, SqlDeviceStore, SqlLivenessStore
from tests.contracts.device_key_store import DeviceKeyStoreContract
from tests.contracts.device_store import DeviceStoreContract
from tests.contracts.liveness_store import LivenessStoreContract


@pytest.fixture
def devices() -> SqlDeviceStore:
    """Where devices are put for the other stores."""
    return SqlDeviceStore()


class TestDevices(DeviceStoreContract):
    """Devices."""

    @pytest.fixture
    def store(self) -> SqlDeviceStore:
        """The store."""
        return SqlDeviceStore()


class TestDeviceKeys(DeviceKeyStoreContract):
    """Keys."""

    @pytest.fixture
    def store(self) -> SqlDeviceKeyStore:
        """The store."""
        return SqlDeviceKeyStore()


class TestLiveness(LivenessStoreContract):
    """Signs of life."""

    @pytest.fixture
    def store(self) -> SqlLivenessStore:
        """The store."""
        return SqlLivenessStore()
