"""Cuts a connection from which nothing comes (MQTT 3.1.1 §3.1.2.10)."""

import asyncio
from collections.abc import Callable

GRACE = 1.5


class Silence:
    """Calls `cut` once nothing was heard for `seconds`, unless it is us who do not listen."""

    def __init__(self, seconds: float, *, cut: Callable[[], None], busy: Callable[[], bool]) -> None:
        self._loop = asyncio.get_running_loop()
        self._seconds = seconds
        self._cut = cut
        self._busy = busy
        self._last = self._loop.time()
        self._timer = self._loop.call_later(seconds, self._look)

    def heard(self) -> None:
        """Something came. Cheap: no timer is touched."""
        self._last = self._loop.time()

    def stop(self) -> None:
        """Listen no more; `cut` will not be called."""
        self._timer.cancel()

    def _look(self) -> None:
        if self._busy():
            self._last = self._loop.time()
        left = self._last + self._seconds - self._loop.time()
        if left <= 0:
            self._cut()
        else:
            self._timer = self._loop.call_later(left, self._look)


def permitted_silence(keep_alive: int, longest: float) -> float:
    """Seconds after which a client with this keep-alive is cut; 0 means that it asked for none."""
    return min(keep_alive * GRACE, longest) if keep_alive else longest
