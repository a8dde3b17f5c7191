"""The fixture `enrolling`: the real use cases of enrolment on the test's own SQLite file."""

from datetime import timedelta

import pytest

from adapters.sql.device_overviews import SqlDeviceOverviews
from adapters.sql.device_state import SqlDesiredStateStore
from adapters.sql.devices import SqlDeviceKeyStore, SqlDeviceStore, SqlLivenessStore
from adapters.sql.enrolment_sessions import SqlUsedChallenges
from adapters.sql.provisioning import SqlProvisioningKeyStore
from adapters.sql.settings import SqlStoredSettings
from adapters.sql.signals import LocalSignals
from adapters.sql.sqlite import SqliteTransactions
from adapters.system import SystemIds
from core.device_state import FirstState
from core.devices import DeviceKeys, Devices, Liveness
from core.mqtt import MqttAccounts
from core.provisioning import Enrolments, Preregistrations, ProvisioningKeys
from tests.support.clock import TestClock
from tests.support.enrolment import Enrolling, Guesses, Limit
from tests.support.mqtt_accounts import some_accounts

OFFLINE_AFTER = timedelta(minutes=5)


@pytest.fixture
def liveness(transactions: SqliteTransactions, signals: LocalSignals, clock: TestClock) -> Liveness:
    """Who is alive; silent for five minutes is offline."""
    return Liveness(transactions, SqlLivenessStore(), clock, signals, offline_after=OFFLINE_AFTER)


@pytest.fixture
def device_keys(transactions: SqliteTransactions, signals: LocalSignals, clock: TestClock) -> DeviceKeys:
    """Who holds which key."""
    return DeviceKeys(transactions, SqlDeviceKeyStore(), clock, signals)


@pytest.fixture
def accounts(
    transactions: SqliteTransactions, signals: LocalSignals, clock: TestClock, liveness: Liveness
) -> MqttAccounts:
    """Accounts of a broker that has started."""
    return some_accounts(transactions, signals, clock, liveness)


def _preregistrations(
    transactions: SqliteTransactions,
    keys: ProvisioningKeys,
    devices: Devices,
    device_keys: DeviceKeys,
    clock: TestClock,
) -> Preregistrations:
    ids = SystemIds()
    first = FirstState(store=SqlDesiredStateStore(), settings=SqlStoredSettings(), clock=clock, ids=ids)
    return Preregistrations(
        transactions=transactions,
        keys=keys,
        key_store=SqlProvisioningKeyStore(),
        devices=SqlDeviceStore(),
        registry=devices,
        device_keys=device_keys,
        first_state=first,
        clock=clock,
        ids=ids,
    )


@pytest.fixture
def enrolling(
    transactions: SqliteTransactions,
    clock: TestClock,
    liveness: Liveness,
    device_keys: DeviceKeys,
    accounts: MqttAccounts,
) -> Enrolling:
    """Devices can enrol."""
    quota, guesses, keys, store = Limit(), Guesses(), SqlProvisioningKeyStore(), SqlDeviceStore()
    devices = Devices(
        transactions=transactions,
        store=store,
        overviews=SqlDeviceOverviews(),
        quota=quota,
        liveness=liveness,
        clock=clock,
    )
    provisioning_keys = ProvisioningKeys(transactions, keys, clock, SystemIds())
    preregistrations = _preregistrations(transactions, provisioning_keys, devices, device_keys, clock)
    enrolments = Enrolments(
        transactions=transactions,
        keys=keys,
        devices=store,
        registry=devices,
        device_keys=device_keys,
        preregistrations=preregistrations,
        challenges=SqlUsedChallenges(),
        limiter=guesses,
        clock=clock,
    )
    enrolments.issue_with([accounts])
    return Enrolling(
        transactions=transactions,
        clock=clock,
        keys=provisioning_keys,
        preregistrations=preregistrations,
        devices=devices,
        device_keys=device_keys,
        liveness=liveness,
        accounts=accounts,
        enrolments=enrolments,
        quota=quota,
        guesses=guesses,
    )
