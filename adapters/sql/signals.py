"""Signals within one process: its own, and those of others as far as somebody hears them."""

from collections import defaultdict
from collections.abc import Callable, Iterable

from core.transactions import Listener

Outlet = Callable[[Iterable[tuple[str, str]]], None]


class LocalSignals:
    """Implements `core.transactions.Signals`."""

    def __init__(self) -> None:
        self._listeners: defaultdict[str, list[Listener]] = defaultdict(list)
        self._outlet: Outlet | None = None
        self._own_listeners: defaultdict[str, list[Listener]] = defaultdict(list)

    def on(self, topic: str, listener: Listener, *, own: bool = False) -> None:
        """Call `listener(key)` after every commit that signalled `topic`."""
        (self._own_listeners if own else self._listeners)[topic].append(listener)

    def on_hint(self, outlet: "Outlet") -> None:
        """Give the hints that are sent outside of transactions to other processes this way."""
        self._outlet = outlet

    def tell(self, signals: Iterable[tuple[str, str]]) -> None:
        """Call the listeners of what this process has committed, each signal once."""
        for topic, key in dict.fromkeys(signals):
            for listener in (*self._listeners[topic], *self._own_listeners[topic]):
                listener(key)

    def tell_of_others(self, signals: Iterable[tuple[str, str]]) -> None:
        """Call the listeners of what another process has committed, each signal once."""
        for topic, key in dict.fromkeys(signals):
            for listener in self._listeners[topic]:
                listener(key)

    def send(self, topic: str, key: str) -> None:
        """Call the listeners at once, outside of any transaction."""
        self.tell([(topic, key)])

    def hint(self, topic: str, key: str) -> None:
        """Call the listeners of this process at once, and let those of others follow."""
        self.tell([(topic, key)])
        if self._outlet is not None:
            self._outlet([(topic, key)])
