"""All or nothing, and what is told afterwards."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from core.events import Event

ELSEWHERE = "elsewhere"
Listener = Callable[[str], None]


class Transaction(Protocol):
    """One unit of change. Stores get it as their first argument and write nowhere else."""

    def announce(self, event: Event) -> None:
        """Tell the fact to every reaction, once this has committed: it is stored in the same transaction."""

    def signal(self, topic: str, key: str) -> None:
        """Let every process forget what it cached of `key` under `topic`, once this has committed.

        When `begin()` returns the listeners of this process have been called; the others follow within a moment.
        """

    def hint(self, topic: str, key: str) -> None:
        """Tell whoever watches `topic`, once this has committed, that there is something new of `key`.

        Cheaper than a signal, for what comes with every message. In this process it is as a signal; in others it
        arrives within a second, and may be lost: nobody may rely on it to forget what is wrong now.
        """


class Transactions(Protocol):
    """Where units of change begin."""

    def begin(self) -> AbstractAsyncContextManager[Transaction]:
        """A unit that may write. It is on disk when the block has been left; an exception undoes all of it.

        Raises Unavailable when the database does not answer, is locked by another, or its disk is full; Conflict when
        somebody else has changed meanwhile what the unit has read in order to change it.
        Nothing slow belongs inside: others may be waiting for their turn.
        """

    def read(self) -> AbstractAsyncContextManager[Transaction]:
        """A unit that only reads: it sees one consistent moment and holds nobody up."""


class Signals(Protocol):
    """How caches learn that something changed, in this process or another."""

    def on(self, topic: str, listener: Listener, *, own: bool = False) -> None:
        """Call `listener(key)` after every commit that signalled `topic`. It must be quick and not raise.

        With `own` only commits of this process count: for what is done about a change once, not in each process.
        The topic ELSEWHERE tells that something was committed by others who could not say what it was.
        """

    def send(self, topic: str, key: str) -> None:
        """Call the listeners of this process at once, outside of any transaction."""

    def hint(self, topic: str, key: str) -> None:
        """The same, and tell other processes within a second, as `Transaction.hint` does."""
