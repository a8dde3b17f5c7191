"""Locks within one process."""

import pytest

from adapters.system.locks import OwnLocks
from tests.contracts.locks import LocksContract


class TestOwnLocks(LocksContract):
    """They keep the contract."""

    @pytest.fixture
    def locks(self) -> OwnLocks:
        """Locks of this process."""
        return OwnLocks()
