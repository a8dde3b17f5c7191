"""Public keys of devices, by the library cryptography."""

import pytest

from adapters.system.envelopes import RsaEnvelopes
from tests.contracts.envelopes import EnvelopesContract


class TestEnvelopes(EnvelopesContract):
    """RSA."""

    @pytest.fixture
    def envelopes(self) -> RsaEnvelopes:
        """What is tried."""
        return RsaEnvelopes()
