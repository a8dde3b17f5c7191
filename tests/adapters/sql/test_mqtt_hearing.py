"""Who listens at an outside broker, in SQL."""

import pytest

from adapters.sql.devices import SqlDeviceStore, SqlLivenessStore
from adapters.sql.mqtt_hearing import SqlHearingStore
from tests.contracts.hearing_store import HearingStoreContract


class TestSqlHearingStore(HearingStoreContract):
    @pytest.fixture
    def hearing(self) -> SqlHearingStore:
        return SqlHearingStore()

    @pytest.fixture
    def devices(self) -> SqlDeviceStore:
        return SqlDeviceStore()

    @pytest.fixture
    def liveness(self) -> SqlLivenessStore:
        return SqlLivenessStore()
