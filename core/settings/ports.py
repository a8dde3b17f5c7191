"""What people set while we run."""

from typing import Any, Protocol

from core.transactions import Transaction


class StoredSettings(Protocol):
    """JSON values by key, such as `default_target_state_template`. Kept in the database, shared by all processes."""

    async def get(self, tx: Transaction, key: str) -> Any:
        """The value, or None if it was never set."""

    async def hold(self, tx: Transaction, key: str) -> None:
        """Hold up others who hold the same key until the transaction ends: for who reads a value in order to change it.

        Nobody has to have put a value before.
        """

    async def put(self, tx: Transaction, key: str, value: Any) -> None:
        """Replace the value."""
