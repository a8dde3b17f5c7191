"""Enrolment: how a device becomes one of ours. The one transaction that spans features (contract §2.3)."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from attrs import evolve

from core.actor import Actor
from core.checks import plain_text
from core.clock import Clock
from core.devices import Device, DeviceKeys, Devices, DeviceStore, ProvisioningState
from core.digests import digest_of
from core.errors import Conflict, Forbidden, Refusal, Unauthenticated
from core.ids import DeviceUuid
from core.provisioning.events import DeviceKeyExchanged, DeviceRegistered, RegistrationRefused
from core.provisioning.model import Enrolment, Flaw, ProvisioningKey, Registration
from core.provisioning.ports import AttemptLimiter, Issuer, ProvisioningKeyStore, UsedChallenges
from core.provisioning.preregistration import Preregistrations, refused
from core.transactions import Transaction, Transactions

UNKNOWN = "unknown key"
# What only those bring who try things out. Keys and challenges that were good once are no guesses.
GUESSES = {UNKNOWN, *(flaw.value for flaw in Flaw if flaw is not Flaw.STALE)}


class Enrolments:
    """Registers devices, once or as often as their answer gets lost."""

    def __init__(
        self,
        *,
        transactions: Transactions,
        keys: ProvisioningKeyStore,
        devices: DeviceStore,
        registry: Devices,
        device_keys: DeviceKeys,
        preregistrations: Preregistrations,
        challenges: UsedChallenges,
        limiter: AttemptLimiter,
        clock: Clock,
    ) -> None:
        self._transactions = transactions
        self._keys = keys
        self._devices = devices
        self._registry = registry
        self._device_keys = device_keys
        self._preregistrations = preregistrations
        self._challenges = challenges
        self._limiter = limiter
        self._clock = clock
        self._issuers: Sequence[Issuer] = ()
        self._issuers_by_v2: Sequence[Issuer] = ()
        self.outcomes: Counter[str] = Counter()

    def issue_with(self, issuers: Sequence[Issuer], *, by_v2: Sequence[Issuer] = ()) -> None:
        """Ask these, in this order, what a new device gets; then `by_v2` as well if it enrols by v2."""
        self._issuers = tuple(issuers)
        self._issuers_by_v2 = tuple(by_v2)

    async def register(self, actor: Actor, secret: str, wanted: Registration, *, flaw: Flaw | None = None) -> Enrolment:
        """Enrol the device, or tell it again what it was told if it shows that it is the same one.

        Unauthenticated, in the same words, for a key that is unknown, revoked, expired or used up; Conflict when the
        uuid belongs to a device with another key; QuotaExceeded when there may be no more devices, or when there were
        too many wrong keys from this address. A valid key is never held up. What has a flaw is refused like an unknown
        key, after the same steps.
        """
        try:
            async with self._transactions.begin() as tx:
                key = await self._opening_key(tx, secret, wanted, flaw)
                enrolment = await self._enrol(tx, key, wanted)
        except Refusal as refusal:
            self.outcomes[type(refusal).__name__.lower()] += 1
            await self._take_note(actor, wanted, refusal)
            raise
        self.outcomes["fresh" if enrolment.fresh else "again"] += 1
        return enrolment

    async def exchange_key(self, uuid: DeviceUuid, presented: str, repeated: str) -> Device:
        """Confirm to a device that its key is known. As often as it likes. Unauthenticated, Forbidden."""
        known = await self._device_keys.holder(presented)
        if known.uuid != uuid or digest_of(repeated) != digest_of(presented):
            raise Unauthenticated("unknown device key")
        if not known.active:
            raise Forbidden("the device is inactive")
        async with self._transactions.begin() as tx:
            device = await self._devices.get(tx, uuid)
            tx.announce(DeviceKeyExchanged(at=self._clock.now(), by=f"device:{uuid}", uuid=uuid))
        return device

    async def forget_challenges(self) -> None:
        """Forget the used challenges that nobody would accept any more."""
        async with self._transactions.begin() as tx:
            await self._challenges.forget_expired(tx, self._clock.now())

    async def _opening_key(
        self, tx: Transaction, secret: str, wanted: Registration, flaw: Flaw | None
    ) -> ProvisioningKey:
        # Always all of it: how long a refusal takes does not tell what was wrong.
        fresh = await self._use_challenge(tx, wanted)
        key = await self._keys.by_digest(tx, digest_of(secret))
        if flaw is not None and flaw is not Flaw.STALE:
            raise refused(flaw.value)
        if key is None:
            raise refused(UNKNOWN)
        if not key.opens(self._clock.now()):
            raise refused("expired key" if key.is_active else "revoked key")
        # Only now: anybody can make up a challenge, and who has no key either is a guesser.
        if flaw is not None:
            raise refused(flaw.value)
        if not fresh:
            raise refused("used challenge")
        return key

    async def _use_challenge(self, tx: Transaction, wanted: Registration) -> bool:
        if wanted.proof is None or wanted.proof.challenge is None:
            return True
        return await self._challenges.use(tx, wanted.proof.challenge, self._clock.now())

    async def _enrol(self, tx: Transaction, key: ProvisioningKey, wanted: Registration) -> Enrolment:
        claimed = await self._preregistrations.claim(tx, key, wanted)
        existing = await self._devices.find(tx, wanted.uuid, to_change=True)
        if claimed is not None:
            device = claimed
        elif existing is None:
            device = await self._admit(tx, key, wanted)
        elif await self._is_the_same(tx, wanted):
            device = await self._welcome_back(tx, key, existing, wanted)
        elif existing.provisioning is ProvisioningState.RELEASED:
            device = await self._readmit(tx, key, existing, wanted)
        else:
            raise Conflict(
                "a device with this uuid is already registered with another key; an operator has to release it first"
            )
        grants: dict[str, Any] = {}
        for issuer in (*self._issuers, *(self._issuers_by_v2 if wanted.proof else ())):
            grants.update(await issuer.issue(tx, device))
        fresh = claimed is not None or existing is None
        self._announce(tx, device, key, fresh=fresh)
        return Enrolment(device=device, grants=grants, fresh=fresh)

    async def _is_the_same(self, tx: Transaction, wanted: Registration) -> bool:
        if wanted.proof is None:
            return await self._device_keys.is_held_by(tx, wanted.uuid, wanted.api_key)
        fingerprint = wanted.proof.fingerprint
        return fingerprint is not None and await self._device_keys.is_proved_by(tx, wanted.uuid, fingerprint)

    async def _admit(self, tx: Transaction, key: ProvisioningKey, wanted: Registration) -> Device:
        await self._charge(tx, key)
        await self._registry.claim_place(tx)
        now = self._clock.now()
        device = await self._devices.add(
            tx,
            Device(
                uuid=wanted.uuid,
                name=plain_text(wanted.name, "deviceName", longest=255),
                type=wanted.type,
                created_at=now,
                modified_at=now,
                fleet_id=key.fleet_id,
                provisioned_at=now,
                provisioned_by=key.id,
                mac_address=wanted.mac_address,
                ip_address=wanted.ip_address,
                os_version=wanted.os_version,
                agent_version=wanted.agent_version,
            ),
        )
        await self._device_keys.put(tx, device, wanted.api_key, fingerprint=wanted.fingerprint)
        return device

    async def _welcome_back(
        self, tx: Transaction, key: ProvisioningKey, device: Device, wanted: Registration
    ) -> Device:
        """The device has lost our answer: it shows that it is the same one, and is not charged again."""
        if not device.active:
            raise Forbidden("the device is inactive")
        now = self._clock.now()
        await self._keys.touch(tx, key.id, now)
        again = self._described(device, wanted)
        if again.provisioning is ProvisioningState.RELEASED:
            again = evolve(again, provisioning=ProvisioningState.REGISTERED)
        await self._devices.save(tx, again)
        if wanted.proof is not None:
            # By v2 the key is ours to give, and was in the answer that got lost.
            await self._device_keys.put(tx, again, wanted.api_key, fingerprint=wanted.fingerprint)
        return again

    async def _readmit(self, tx: Transaction, key: ProvisioningKey, device: Device, wanted: Registration) -> Device:
        """An operator released the device: it may come back with another key."""
        if not device.active:
            raise Forbidden("the device is inactive")
        await self._charge(tx, key)
        again = evolve(
            self._described(device, wanted),
            provisioning=ProvisioningState.REGISTERED,
            provisioned_at=self._clock.now(),
            provisioned_by=key.id,
        )
        await self._devices.save(tx, again)
        await self._device_keys.put(tx, again, wanted.api_key, fingerprint=wanted.fingerprint)
        return again

    def _described(self, device: Device, wanted: Registration) -> Device:
        return device.changed(
            self._clock.now(),
            mac_address=wanted.mac_address or device.mac_address,
            ip_address=wanted.ip_address or device.ip_address,
            os_version=wanted.os_version or device.os_version,
            agent_version=wanted.agent_version or device.agent_version,
        )

    async def _charge(self, tx: Transaction, key: ProvisioningKey) -> None:
        if not await self._keys.charge(tx, key.id, self._clock.now()):
            raise refused("key used up")

    def _announce(self, tx: Transaction, device: Device, key: ProvisioningKey, *, fresh: bool) -> None:
        tx.announce(
            DeviceRegistered(
                at=self._clock.now(),
                by=f"device:{device.uuid}",
                uuid=device.uuid,
                name=device.name,
                type=device.type,
                key_id=key.id,
                fresh=fresh,
            )
        )

    async def _take_note(self, actor: Actor, wanted: Registration, refusal: Refusal) -> None:
        if isinstance(refusal, Unauthenticated):
            # First, so that a flood of guesses fills neither the audit log nor the disk.
            self._limiter.check(actor.address)
            reason = str(refusal.context.get("reason", refusal.message))
            if reason in GUESSES:
                self._limiter.failed(actor.address)
            await self._note_refusal(actor, wanted.uuid, reason)

    async def _note_refusal(self, actor: Actor, uuid: DeviceUuid, reason: str) -> None:
        async with self._transactions.begin() as tx:
            tx.announce(
                RegistrationRefused(
                    at=self._clock.now(), by=actor.reference, uuid=uuid, reason=reason, address=actor.address
                )
            )
