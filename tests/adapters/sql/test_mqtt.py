"""Accounts of the broker, their rights, and assignments to brokers in SQL."""

import pytest

from adapters.sql.devices import SqlDeviceStore
from adapters.sql.mqtt import SqlMqttAccountStore, SqlMqttUserStore
from adapters.sql.mqtt_acls import SqlMqttAclStore
from adapters.sql.mqtt_assignments import SqlAssignmentStore
from tests.contracts.assignment_store import AssignmentStoreContract
from tests.contracts.mqtt_account_store import MqttAccountStoreContract
from tests.contracts.mqtt_acl_store import MqttAclStoreContract
from tests.contracts.mqtt_user_store import MqttUserStoreContract


@pytest.fixture
def devices() -> SqlDeviceStore:
    """Where the devices of accounts are put."""
    return SqlDeviceStore()


@pytest.fixture
def users() -> SqlMqttUserStore:
    """Accounts as people look after them."""
    return SqlMqttUserStore()


@pytest.fixture
def acls() -> SqlMqttAclStore:
    """What they were granted."""
    return SqlMqttAclStore()


class TestMqttAccounts(MqttAccountStoreContract):
    """Accounts as the broker's questions need them."""

    @pytest.fixture
    def store(self) -> SqlMqttAccountStore:
        """The store."""
        return SqlMqttAccountStore()


class TestMqttUsers(MqttUserStoreContract):
    """Accounts as people look after them."""

    @pytest.fixture
    def accounts(self) -> SqlMqttAccountStore:
        """The same, for the broker's questions."""
        return SqlMqttAccountStore()


class TestMqttAcls(MqttAclStoreContract):
    """Rights."""


class TestAssignments(AssignmentStoreContract):
    """Assignments."""

    @pytest.fixture
    def assignments(self) -> SqlAssignmentStore:
        """The store."""
        return SqlAssignmentStore()
