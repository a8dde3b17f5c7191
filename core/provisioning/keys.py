"""Provisioning keys: what people do with them."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from attrs import frozen

from core.actor import Actor, Permission
from core.checks import require
from core.clock import Clock
from core.digests import digest_of
from core.errors import Invalid
from core.ids import DeviceUuid, Ids, ProvisioningKeyId
from core.provisioning.events import ProvisioningKeyCreated, ProvisioningKeyRevoked
from core.provisioning.model import LONGEST_DAYS, ProvisioningKey
from core.provisioning.ports import ProvisioningKeyStore
from core.transactions import Transaction, Transactions

API_KEY_READ = Permission("api-key:read")
API_KEY_CREATE = Permission("api-key:create")
API_KEY_REVOKE = Permission("api-key:revoke")

DEFAULT_FLEET = "default-fleet"
GENERATED_DAYS = 30


@frozen(kw_only=True)
class NewProvisioningKey:
    """A key to be made. Give the end as a moment or in days."""

    fleet_id: str
    max_uses: int = 100
    expires_at: datetime | None = None
    expires_in_days: int = 365
    description: str | None = None
    device_uuid: DeviceUuid | None = None

    def end(self, now: datetime) -> datetime:
        """When the key expires, in UTC. Raises Invalid when that is not within the next ten years."""
        if self.expires_at is None and not 1 <= self.expires_in_days <= LONGEST_DAYS:
            raise Invalid(f"expiresInDays must be between 1 and {LONGEST_DAYS}", field="expiresInDays")
        end = self.expires_at or now + timedelta(days=self.expires_in_days)
        if end.tzinfo is None or not now < end <= now + timedelta(days=LONGEST_DAYS + 1):
            raise Invalid("expiresAt must lie in the next ten years and name its time zone", field="expiresAt")
        return end.astimezone(UTC)


class ProvisioningKeys:
    """Makes, lists and revokes the keys that let devices enrol."""

    def __init__(self, transactions: Transactions, store: ProvisioningKeyStore, clock: Clock, ids: Ids) -> None:
        self._transactions = transactions
        self._store = store
        self._clock = clock
        self._ids = ids

    async def create(
        self, actor: Actor, wanted: NewProvisioningKey, *, secret: str | None = None
    ) -> tuple[ProvisioningKey, str]:
        """A new key, and the secret that is shown this once. `secret` is for who had to write it down before."""
        require(actor, API_KEY_CREATE)
        async with self._transactions.begin() as tx:
            return await self.add(tx, actor, wanted, secret=secret)

    async def generate(
        self, actor: Actor, fleet_id: str = DEFAULT_FLEET, *, replacing: ProvisioningKeyId | None = None
    ) -> tuple[ProvisioningKey, str]:
        """A key for one device within thirty days. The one it replaces is good no more, if it still was."""
        require(actor, API_KEY_CREATE)
        wanted = NewProvisioningKey(fleet_id=fleet_id, max_uses=1, expires_in_days=GENERATED_DAYS)
        async with self._transactions.begin() as tx:
            if replacing is not None:
                previous = await self._store.get(tx, replacing)
                if previous.is_active:
                    await self.withdraw(tx, actor, previous, "replaced")
            return await self.add(tx, actor, wanted)

    async def of_fleet(self, actor: Actor, fleet_id: str | None) -> Sequence[ProvisioningKey]:
        """The keys of a fleet, or of all fleets, newest first."""
        require(actor, API_KEY_READ)
        async with self._transactions.read() as tx:
            return await self._store.of_fleet(tx, fleet_id)

    async def revoke(self, actor: Actor, key_id: ProvisioningKeyId, reason: str | None = None) -> ProvisioningKey:
        """Let no more devices enrol with the key. Those that did are not affected."""
        require(actor, API_KEY_REVOKE)
        async with self._transactions.begin() as tx:
            return await self.withdraw(tx, actor, await self._store.get(tx, key_id), reason)

    async def add(
        self, tx: Transaction, actor: Actor, wanted: NewProvisioningKey, *, secret: str | None = None
    ) -> tuple[ProvisioningKey, str]:
        """`create` within a transaction, for who has asked whether the actor may."""
        secret = secret or self._ids.secret()
        now = self._clock.now()
        key = ProvisioningKey(
            id=ProvisioningKeyId(self._ids.uuid()),
            digest=digest_of(secret),
            fleet_id=wanted.fleet_id,
            max_uses=wanted.max_uses,
            expires_at=wanted.end(now),
            created_at=now,
            created_by=actor.reference,
            description=wanted.description,
            device_uuid=wanted.device_uuid,
        )
        await self._store.add(tx, key)
        tx.announce(
            ProvisioningKeyCreated(
                at=now, by=actor.reference, key_id=key.id, fleet_id=key.fleet_id, max_uses=key.max_uses
            )
        )
        return key, secret

    async def withdraw(
        self, tx: Transaction, actor: Actor, key: ProvisioningKey, reason: str | None
    ) -> ProvisioningKey:
        """`revoke` within a transaction, for who has asked whether the actor may. Conflict if it is revoked already."""
        revoked = key.revoked(reason)
        await self._store.save(tx, revoked)
        tx.announce(ProvisioningKeyRevoked(at=self._clock.now(), by=actor.reference, key_id=key.id, reason=reason))
        return revoked
