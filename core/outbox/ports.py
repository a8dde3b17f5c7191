"""What the outbox needs from outside."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

from core.events import Announced
from core.outbox.model import DeadLetter, Failure
from core.transactions import Transaction


class OutboxStore(Protocol):
    """Keeps announced events until every reaction has had them. tests/contracts/outbox_store.py says exactly how."""

    async def pending(self, tx: Transaction, limit: int, lane: int | None = None) -> Sequence[Announced[Any]]:
        """The oldest events nobody has been told of, in the order of their announcement; those of one lane if given."""

    async def lanes(self, tx: Transaction) -> Sequence[int]:
        """The lanes in which there are such events, sorted."""

    async def relayed(self, tx: Transaction, event_ids: Sequence[int], failures: Sequence[Failure]) -> None:
        """Every reaction has been tried on these events; remember the failures, forget what needs no more.

        Events that somebody else has settled meanwhile are passed over.
        """

    async def due(
        self, tx: Transaction, now: datetime, limit: int, lane: int | None = None
    ) -> Sequence[tuple[Failure, Announced[Any]]]:
        """Failures whose time to try again has come; those of events of one lane if given."""

    async def lanes_due(self, tx: Transaction, now: datetime) -> Sequence[int]:
        """The lanes to whose events there are such failures, sorted."""

    async def settle(self, tx: Transaction, failure: Failure, again: Failure | None) -> None:
        """Replace a failure by its successor, or forget it when the reaction went through."""

    async def dead(self, tx: Transaction, limit: int) -> Sequence[DeadLetter]:
        """Failures that were given up, newest first."""

    async def count_dead(self, tx: Transaction) -> int:
        """How many failures were given up."""

    async def revive(self, tx: Transaction, event_id: int, reaction: str, now: datetime) -> bool:
        """Have a dead letter tried again at once; whether there was one."""

    async def backlog(self, tx: Transaction) -> int:
        """How many events wait for their first delivery."""

    async def oldest(self, tx: Transaction) -> datetime | None:
        """When the first of those was announced; None when none waits."""
