"""What is remembered for a while to spare the database."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from core.clock import Clock

K = TypeVar("K")
V = TypeVar("V")


class Cache(Generic[K, V]):
    """Values by key, at most `size` of them (the least used goes first) and none older than `ttl` seconds.

    A value that is being loaded while its key is forgotten is handed out once but not kept: otherwise a slow read
    that began before a commit would put the old value back after it.
    """

    def __init__(self, clock: Clock, *, size: int, ttl: float) -> None:
        self._clock = clock
        self._size = size
        self._ttl = ttl
        self._values: OrderedDict[K, tuple[float, V]] = OrderedDict()
        self._generation = 0
        self.hits = 0
        self.misses = 0

    def __len__(self) -> int:
        return len(self._values)

    @property
    def generation(self) -> int:
        """Another one after each time that anything was forgotten; see `put`."""
        return self._generation

    def get(self, key: K) -> V | None:
        """The value if it is known and fresh."""
        found = self._values.get(key)
        if found is None:
            self.misses += 1
            return None
        if found[0] < self._clock.monotonic():
            del self._values[key]
            self.misses += 1
            return None
        self._values.move_to_end(key)
        self.hits += 1
        return found[1]

    async def get_or(self, key: K, load: Callable[[], Awaitable[V]]) -> V:
        """The value, loaded if it is not known. What `load` raises is not remembered."""
        value = self.get(key)
        if value is None:
            generation = self._generation
            value = await load()
            self.put(key, value, since=generation)
        return value

    def put(self, key: K, value: V, *, since: int | None = None) -> None:
        """Remember the value from now on; not if anything was forgotten since that generation."""
        if since not in {None, self._generation}:
            return
        self._values[key] = (self._clock.monotonic() + self._ttl, value)
        self._values.move_to_end(key)
        if len(self._values) > self._size:
            self._values.popitem(last=False)

    def forget(self, key: K) -> None:
        """The value is no longer true; neither is one that is being loaded."""
        self._generation += 1
        self._values.pop(key, None)

    def clear(self) -> None:
        """Nothing that is remembered is true any more."""
        self._generation += 1
        self._values.clear()
