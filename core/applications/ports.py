"""What the catalogue needs from outside."""

from collections.abc import Sequence
from typing import Protocol

from core.applications.model import Application, IdKind, IssuedId
from core.transactions import Transaction


class ApplicationStore(Protocol):
    """Remembers the catalogue. tests/contracts/application_store.py says exactly how."""

    async def add(self, tx: Transaction, application: Application) -> None:
        """Remember one more. Conflict if its number or its slug is taken."""

    async def find(self, tx: Transaction, app_id: int, *, to_change: bool = False) -> Application | None:
        """The application, or None. `to_change`, within `begin()`, holds it until the end."""

    async def all(self, tx: Transaction) -> Sequence[Application]:
        """All of them, by number."""

    async def save(self, tx: Transaction, application: Application) -> None:
        """Replace what is remembered. Conflict if its slug is taken; NotFound."""

    async def remove(self, tx: Transaction, app_id: int) -> None:
        """Forget it. NotFound."""


class IssuedIdStore(Protocol):
    """Counts, and remembers what the numbers were for. tests/contracts/application_store.py says exactly how."""

    async def next(self, tx: Transaction, kind: IdKind) -> int:
        """A number that has never been given out: the first are 1000 for apps and 1 for services."""

    async def add(self, tx: Transaction, issued: IssuedId) -> None:
        """Remember what it was given out for."""

    async def find(self, tx: Transaction, kind: IdKind, number: int) -> IssuedId | None:
        """What it was given out for, or None."""

    async def all(self, tx: Transaction, kind: IdKind | None, limit: int) -> Sequence[IssuedId]:
        """The newest first."""
