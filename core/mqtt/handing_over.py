"""Passwords on their way to a broker that keeps accounts of its own."""

from collections.abc import Mapping, Sequence

from core.transactions import Transaction


class NowhereToHandOver:
    """The broker asks us about everybody, so no password ever leaves. Implements `PasswordsToHandOver`."""

    async def keep(self, tx: Transaction, username: str, password: str) -> None:
        """See `PasswordsToHandOver`."""

    async def waiting(self, tx: Transaction, usernames: Sequence[str]) -> Mapping[str, str]:
        """See `PasswordsToHandOver`."""
        return {}

    async def handed_over(self, tx: Transaction, username: str, password: str) -> None:
        """See `PasswordsToHandOver`."""
