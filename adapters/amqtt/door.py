"""Counts connections, so that strangers cannot use up what there is."""

from collections import Counter

from adapters.amqtt.limits import Limits


class Place:
    """One connection's place; to be left exactly once."""

    def __init__(self, door: "Door", address: str, *, websocket: bool) -> None:
        self._door = door
        self._address = address
        self._websocket = websocket
        self._known = False

    def recognised(self) -> None:
        """The client has authenticated: others from its address may come."""
        if not self._known:
            self._known = True
            self._door.settle(self._address, websocket=self._websocket)

    def leave(self) -> None:
        """The connection is gone."""
        self.recognised()
        self._door.inside -= 1


class Door:
    """Admits connections up to the limits."""

    def __init__(self, limits: Limits) -> None:
        self.inside = 0
        self._limits = limits
        self._pending: Counter[str] = Counter()
        self._pending_websockets = 0

    def enter(self, address: str, *, websocket: bool = False) -> Place | None:
        """A place for a connection from this address; None when there is none."""
        limits = self._limits
        if (
            self.inside >= limits.connections
            or self._pending.total() >= limits.pending
            or self._pending[address] >= limits.pending_per_address
            or (websocket and self._pending_websockets >= limits.pending_websockets)
        ):
            return None
        self.inside += 1
        self._pending[address] += 1
        self._pending_websockets += websocket
        return Place(self, address, websocket=websocket)

    def settle(self, address: str, *, websocket: bool) -> None:
        """One who waited at the door does not any more."""
        self._pending_websockets -= websocket
        self._pending[address] -= 1
        if not self._pending[address]:
            del self._pending[address]
