"""The machine's randomness."""

import secrets
import uuid


class SystemIds:
    """Implements `core.ids.Ids`."""

    def uuid(self) -> str:
        """A fresh version 4 UUID."""
        return str(uuid.uuid4())

    def secret(self, size: int = 32) -> str:
        """Random bytes in hexadecimal."""
        return secrets.token_hex(size)
