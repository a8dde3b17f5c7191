"""Whether there is room for more telemetry. The last of it is kept for what people do."""

import logging

from core.errors import Unavailable
from core.telemetry.ports import Storage
from core.telemetry.space import Space
from core.transactions import Signals

log = logging.getLogger(__name__)

NO_ROOM = "telemetry.no_room"
RETRY_AFTER = 30.0


class Room:
    """Refuses telemetry while the disk is nearly full, and lets it in again by itself."""

    def __init__(self, *, storage: Storage, signals: Signals, reserve: int | None = None) -> None:
        """`reserve` is what has to stay free, in bytes; None chooses it by the size of the disk."""
        self._storage = storage
        self._signals = signals
        self._reserve = reserve
        self._short = False
        self.space: Space | None = None

    async def look(self) -> None:
        """Look how much room there is; if too little, have what is too old or too much forgotten at once."""
        self.space = space = await self._storage.space()
        short = space.is_short(self._reserve)
        if short != self._short:
            words = "telemetry is refused: the disk is nearly full" if short else "there is room for telemetry again"
            log.warning("%s (%d bytes free)", words, space.disk_free)
        self._short = short
        if short:
            self._signals.send(NO_ROOM, "")

    @property
    def refusing(self) -> bool:
        """Whether telemetry is refused now."""
        return self._short

    def require(self) -> None:
        """Let telemetry pass if there is room for it. Asked with every message; raises Unavailable."""
        if self._short:
            raise Unavailable("the disk is nearly full: nothing more is taken right now", retry_after=RETRY_AFTER)
