"""Devices that are connected and do not listen (wire contract §3.6).

An agent that reconnects does not subscribe again, and stops to poll: it gets no job until its process starts anew. A
broker outside of this process asks us whether a device may connect and whether it may subscribe; so we know.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Protocol

from attrs import define, frozen

from core.actor import SYSTEM, Actor
from core.checks import require
from core.clock import Clock
from core.devices import DEVICE_CONTROL, DeviceStore
from core.ids import DeviceUuid
from core.mqtt.acl import device_of, device_username
from core.mqtt.events import DeviceDeaf, DeviceSentAway
from core.mqtt.model import Access
from core.mqtt.ports import Broker
from core.mqtt.topics import commands_of
from core.transactions import Signals, Transaction, Transactions

MQTT_SENT_AWAY = "mqtt_sent_away"

PATIENCE = timedelta(seconds=10)
# The agent notices within 5 seconds that MQTT is gone, and polls over HTTP within 30.
SENT_AWAY_FOR = timedelta(seconds=40)
# Brokers keep our answers for up to so long (contrib/mosquitto/go-auth.conf), and ask about no subscription meanwhile.
ANSWERS_KEPT = timedelta(seconds=35)
# How far back a first look goes, and how late what another process noted may be in the table.
LOOK_BACK, LATE = timedelta(hours=1), timedelta(seconds=30)
MOST_NOTED = 50_000
BATCH = 500


@frozen(kw_only=True)
class Heard:
    """What is known of a device at an outside broker. `deaf_since` is None unless it was found deaf."""

    connected_at: datetime
    listened_at: datetime | None = None
    deaf_since: datetime | None = None

    def listening(self, now: datetime) -> bool | None:
        """Does it hear us? None while that cannot be told yet."""
        if self.deaf_since is not None:
            return False
        if self.listened_at is not None and self.listened_at >= self.connected_at - ANSWERS_KEPT:
            return True
        return None if now - self.connected_at < PATIENCE else False


@define
class Note:
    """What one process has noticed of a device since it wrote last."""

    connected_at: datetime | None = None
    listened_at: datetime | None = None


class HearingStore(Protocol):
    """Remembers when devices connected and subscribed. tests/contracts/hearing_store.py says exactly how."""

    async def note(self, tx: Transaction, notes: Mapping[DeviceUuid, Note]) -> None:
        """Remember the later moments. Who connects or subscribes is not known to be deaf any more."""

    async def of(self, tx: Transaction, uuid: DeviceUuid) -> Heard | None:
        """What is known of the device, if anything."""

    async def silent(
        self, tx: Transaction, *, since: datetime, before: datetime, limit: int
    ) -> Mapping[DeviceUuid, Heard]:
        """Devices online that connected between the two and have not subscribed since, nor were found deaf."""

    async def found_deaf(self, tx: Transaction, uuid: DeviceUuid, now: datetime) -> None:
        """The device is connected and does not listen."""


class Hearing:
    """Notes what the broker asks, finds who is deaf, and brings a device back to listening over HTTP."""

    def __init__(
        self,
        *,
        transactions: Transactions,
        store: HearingStore,
        devices: DeviceStore,
        broker: Broker,
        clock: Clock,
        signals: Signals,
    ) -> None:
        self._transactions = transactions
        self._store = store
        self._devices = devices
        self._broker = broker
        self._clock = clock
        self._notes: dict[DeviceUuid, Note] = {}
        self._away: dict[str, datetime] = {}
        self._looked_at: datetime | None = None
        signals.on(MQTT_SENT_AWAY, self._send_away)

    def connected(self, username: str) -> None:
        """The broker lets the user in. Cheap: written down later."""
        note = self._note(username)
        if note is not None:
            note.connected_at, note.listened_at = self._clock.now(), None

    def subscribed(self, username: str, topic: str, access: int) -> None:
        """The broker lets the user do this."""
        uuid = device_of(username) if access == Access.SUBSCRIBE else None
        note = self._note(username) if uuid is not None and topic in commands_of(uuid) else None
        if note is not None:
            note.listened_at = self._clock.now()

    def is_sent_away(self, username: str) -> bool:
        """Is the device to stay away, so that it comes over HTTP?"""
        until = self._away.get(username)
        if until is None:
            return False
        if until > self._clock.now():
            return True
        del self._away[username]
        return False

    async def settle(self) -> None:
        """Write down what was noted. Raises Unavailable, and nothing is forgotten then."""
        noted, self._notes = self._notes, {}  # what comes meanwhile waits for the next time
        while noted:
            batch = dict(list(noted.items())[:BATCH])
            try:
                async with self._transactions.begin() as tx:
                    await self._store.note(tx, batch)
            except BaseException:
                self._notes = {**noted, **self._notes}
                raise
            for uuid in batch:
                del noted[uuid]

    async def notice(self) -> int:
        """Find devices that went deaf and tell of them; how many."""
        now = self._clock.now()
        since = (self._looked_at or now - LOOK_BACK) - PATIENCE - LATE
        found = 0
        async with self._transactions.begin() as tx:
            silent = await self._store.silent(tx, since=since, before=now - PATIENCE, limit=BATCH)
            for uuid, heard in silent.items():
                if heard.listening(now) is not False:
                    continue
                found += 1
                await self._store.found_deaf(tx, uuid, now)
                tx.announce(DeviceDeaf(at=now, by=SYSTEM.reference, uuid=uuid, connected_at=heard.connected_at))
        if len(silent) < BATCH:
            self._looked_at = now
        return found

    async def of(self, uuid: DeviceUuid) -> Heard | None:
        """What is known of a device."""
        async with self._transactions.read() as tx:
            return await self._store.of(tx, uuid)

    async def bring_back(self, actor: Actor, uuid: DeviceUuid) -> timedelta:
        """Cut the device's MQTT connection and keep it away for so long, so that it asks for its jobs over HTTP.

        NotFound; Unavailable when the broker does not answer.
        """
        require(actor, DEVICE_CONTROL)
        now = self._clock.now()
        # A broker in this process subscribes for its devices: there it is enough that they come again.
        lasting = timedelta(0) if self._broker.cuts_at_once else SENT_AWAY_FOR
        async with self._transactions.begin() as tx:
            await self._devices.get(tx, uuid)
            tx.announce(DeviceSentAway(at=now, by=actor.reference, uuid=uuid, seconds=int(lasting.total_seconds())))
            if lasting:
                tx.signal(MQTT_SENT_AWAY, f"{uuid} {(now + lasting).isoformat()}")
        await self._broker.disconnect(device_username(uuid))
        return lasting

    def _note(self, username: str) -> Note | None:
        uuid = device_of(username)
        if uuid is None or (uuid not in self._notes and len(self._notes) >= MOST_NOTED):
            return None
        return self._notes.setdefault(uuid, Note())

    def _send_away(self, key: str) -> None:
        uuid, _, until = key.partition(" ")
        self._away = {name: moment for name, moment in self._away.items() if moment > self._clock.now()}
        self._away[device_username(DeviceUuid(uuid))] = datetime.fromisoformat(until)
