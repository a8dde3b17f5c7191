"""The keys by which devices prove who they are."""

from collections.abc import Mapping
from typing import Any

from core.caches import Cache
from core.clock import Clock
from core.devices.model import Device, KnownDevice
from core.devices.ports import DeviceKeyStore
from core.digests import digest_of
from core.errors import Unauthenticated
from core.ids import DeviceUuid
from core.transactions import ELSEWHERE, Signals, Transaction, Transactions

DEVICES = "devices"
DEVICE_KEYS = "device_keys"

KNOWN = 200_000
UNKNOWN = 10_000
KNOWN_FOR = 300.0
UNKNOWN_FOR = 60.0


class DeviceKeys:
    """Who holds which key. Answers from memory when it can: devices ask once a minute, for years."""

    def __init__(self, transactions: Transactions, store: DeviceKeyStore, clock: Clock, signals: Signals) -> None:
        self._transactions = transactions
        self._store = store
        self._clock = clock
        self._known: Cache[str, KnownDevice] = Cache(clock, size=KNOWN, ttl=KNOWN_FOR)
        # Keys nobody holds are remembered apart, so that a flood of guesses cannot push out the real ones.
        self._unknown: Cache[str, bool] = Cache(clock, size=UNKNOWN, ttl=UNKNOWN_FOR)
        self._digests: dict[DeviceUuid, str] = {}
        signals.on(DEVICES, self._forget)
        signals.on(DEVICE_KEYS, self._unknown.forget)
        signals.on(ELSEWHERE, self._forget_all)

    async def holder(self, key: str) -> KnownDevice:
        """The device whose key it is; it may be out of service. Raises Unauthenticated."""
        digest = digest_of(key)
        known = self._known.get(digest)
        if known is not None:
            return known
        if self._unknown.get(digest):
            raise Unauthenticated("unknown device key")
        return await self._load(digest)

    async def put(self, tx: Transaction, device: Device, key: str, *, fingerprint: str | None = None) -> None:
        """Let this be the device's only key, within the transaction that enrols it.

        With the fingerprint of the public key by which the device can prove later that it is the same one.
        """
        digest = digest_of(key)
        await self._store.put(tx, device.uuid, digest, self._clock.now(), fingerprint=fingerprint)
        tx.signal(DEVICES, device.uuid)
        tx.signal(DEVICE_KEYS, digest)

    async def is_held_by(self, tx: Transaction, uuid: DeviceUuid, key: str) -> bool:
        """Whether it is this device's key."""
        return await self._store.digest(tx, uuid) == digest_of(key)

    async def is_proved_by(self, tx: Transaction, uuid: DeviceUuid, fingerprint: str) -> bool:
        """Whether it is the public key that the device showed when it enrolled."""
        return await self._store.fingerprint(tx, uuid) == fingerprint

    def caches(self) -> Mapping[str, Cache[Any, Any]]:
        """What is remembered, to be counted."""
        return {"device_keys": self._known, "device_unknown_keys": self._unknown}

    async def _load(self, digest: str) -> KnownDevice:
        generation = self._unknown.generation

        async def load() -> KnownDevice:
            async with self._transactions.read() as tx:
                holder = await self._store.holder(tx, digest)
            if holder is None:
                self._unknown.put(digest, True, since=generation)  # noqa: FBT003 - the cache holds a bare fact
                raise Unauthenticated("unknown device key")
            return holder

        known = await self._known.get_or(digest, load)
        self._digests[known.uuid] = digest
        return known

    def _forget_all(self, _key: str) -> None:
        self._known.clear()
        self._unknown.clear()
        self._digests.clear()

    def _forget(self, uuid: str) -> None:
        # Also when nothing is remembered: a load under way must not bring the old state back.
        self._known.forget(self._digests.pop(DeviceUuid(uuid), ""))
