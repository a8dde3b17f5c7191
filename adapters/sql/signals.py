"""Signals within one process."""

from collections import defaultdict
from collections.abc import Iterable

from core.transactions import Listener


class LocalSignals:
    """Implements `core.transactions.Signals` where only one process writes."""

    def __init__(self) -> None:
        self._listeners: defaultdict[str, list[Listener]] = defaultdict(list)

    def on(self, topic: str, listener: Listener) -> None:
        """Call `listener(key)` after every commit that signalled `topic`."""
        self._listeners[topic].append(listener)

    def tell(self, signals: Iterable[tuple[str, str]]) -> None:
        """Call the listeners of what was committed, each signal once."""
        for topic, key in dict.fromkeys(signals):
            for listener in self._listeners[topic]:
                listener(key)

    def send(self, topic: str, key: str) -> None:
        """Call the listeners at once, outside of any transaction."""
        self.tell([(topic, key)])
