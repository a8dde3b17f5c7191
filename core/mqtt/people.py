"""What people do with accounts of the broker."""

from attrs import evolve

from core.access import PasswordHasher
from core.actor import Actor, Permission
from core.checks import require
from core.clock import Clock
from core.errors import Invalid
from core.mqtt.accounts import MQTT_ACCOUNTS
from core.mqtt.events import MqttSuperuserMade, MqttUserChanged, MqttUserCreated, MqttUserDeleted
from core.mqtt.ports import MqttAclStore, MqttUserStore, PasswordsToHandOver
from core.mqtt.user import MqttUser, MqttUserChange, MqttUserId, NewMqttUser
from core.pages import Page
from core.transactions import Transaction, Transactions

MQTT_USER_READ = Permission("mqtt:user:read")
MQTT_USER_WRITE = Permission("mqtt:user:write")


class MqttUsers:
    """Lists, makes, changes and deletes accounts. After each change the sessions of the account are cut."""

    def __init__(
        self,
        *,
        transactions: Transactions,
        store: MqttUserStore,
        acls: MqttAclStore,
        hasher: PasswordHasher,
        hand_over: PasswordsToHandOver,
        clock: Clock,
    ) -> None:
        self._transactions = transactions
        self._store = store
        self._acls = acls
        self._hasher = hasher
        self._hand_over = hand_over
        self._clock = clock

    async def page(self, actor: Actor, *, limit: int, offset: int = 0) -> Page[MqttUser]:
        """Some accounts with their rows, those of people before those of devices."""
        require(actor, MQTT_USER_READ)
        async with self._transactions.read() as tx:
            page = await self._store.page(tx, limit=limit, offset=offset)
            rows = await self._acls.of(tx, [user.username for user in page.items])
        users = (evolve(user, acls=tuple(row for row in rows if row.username == user.username)) for user in page.items)
        return evolve(page, items=tuple(users))

    async def create(self, actor: Actor, wanted: NewMqttUser) -> MqttUser:
        """Make an account. It may do nothing until it is given rows. Invalid when the name is taken."""
        require(actor, MQTT_USER_WRITE)
        verifier = await self._hasher.hash(wanted.password)
        now = self._clock.now()
        async with self._transactions.begin() as tx:
            if await self._store.named(tx, wanted.username) is not None:
                raise Invalid("another account has this username", field="username")
            user = await self._store.add(tx, wanted.made(now), verifier)
            await self._hand_over.keep(tx, user.username, wanted.password)
            tx.announce(
                MqttUserCreated(
                    at=now,
                    by=actor.reference,
                    username=user.username,
                    is_superuser=user.is_superuser,
                    is_active=user.is_active,
                )
            )
            self._changed(tx, actor, user, promoted=user.is_superuser)
        return user

    async def change(self, actor: Actor, user_id: MqttUserId, change: MqttUserChange) -> MqttUser:
        """Change an account. NotFound; Conflict when it belongs to a device."""
        require(actor, MQTT_USER_WRITE)
        verifier = None if change.password is None else await self._hasher.hash(change.password)
        now = self._clock.now()
        async with self._transactions.begin() as tx:
            before = (await self._store.get(tx, user_id, to_change=True)).edited_by_people()
            after = change.applied_to(before, now)
            changes = change.of(before, after)
            if not changes:
                return before
            await self._store.save(tx, after, verifier)
            if change.password is not None:
                await self._hand_over.keep(tx, after.username, change.password)
            tx.announce(
                MqttUserChanged(
                    at=now,
                    by=actor.reference,
                    username=after.username,
                    changes=changes,
                    is_superuser=after.is_superuser,
                    is_active=after.is_active,
                )
            )
            self._changed(tx, actor, after, promoted=after.is_superuser and not before.is_superuser)
        return after

    async def delete(self, actor: Actor, user_id: MqttUserId) -> MqttUser:
        """Delete an account with its rows. NotFound; Conflict when it belongs to a device."""
        require(actor, MQTT_USER_WRITE)
        async with self._transactions.begin() as tx:
            user = (await self._store.get(tx, user_id, to_change=True)).edited_by_people()
            await self._store.remove(tx, user_id)
            tx.announce(MqttUserDeleted(at=self._clock.now(), by=actor.reference, username=user.username))
            self._changed(tx, actor, user)
        return user

    def _changed(self, tx: Transaction, actor: Actor, user: MqttUser, *, promoted: bool = False) -> None:
        if promoted:
            tx.announce(MqttSuperuserMade(at=self._clock.now(), by=actor.reference, username=user.username))
        tx.signal(MQTT_ACCOUNTS, user.username)
