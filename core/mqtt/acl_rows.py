"""What people do with the rights of accounts of the broker."""

from collections.abc import Sequence
from typing import Any

from core.actor import Actor, Permission
from core.checks import require
from core.clock import Clock
from core.errors import Conflict, Invalid
from core.mqtt.accounts import MQTT_ACCOUNTS
from core.mqtt.events import MqttAclAdded, MqttAclChanged, MqttAclEvent, MqttAclRemoved
from core.mqtt.ports import MqttAclStore, MqttUserStore
from core.mqtt.user import AclChange, AclRow, MqttAclId, MqttUserId
from core.transactions import Transaction, Transactions

MQTT_ACL_MANAGE = Permission("mqtt:acl:manage")

# Each question of a broker may look at all of them.
MOST_ROWS = 500


class MqttAcls:
    """Adds, changes and removes rows. After each change the sessions of the account are cut, so that it holds now."""

    def __init__(self, *, transactions: Transactions, users: MqttUserStore, store: MqttAclStore, clock: Clock) -> None:
        self._transactions = transactions
        self._users = users
        self._store = store
        self._clock = clock

    async def add(self, actor: Actor, user_id: MqttUserId, wanted: AclChange) -> AclRow:
        """Give an account one row more. NotFound; Invalid when it has the same already; Conflict for devices."""
        require(actor, MQTT_ACL_MANAGE)
        async with self._transactions.begin() as tx:
            user = (await self._users.get(tx, user_id, to_change=True)).edited_by_people()
            row = AclRow(username=user.username, created_at=self._clock.now(), **_complete(wanted))
            rows = await self._store.of(tx, [user.username])
            if len(rows) >= MOST_ROWS:
                raise Conflict(f"an account may have {MOST_ROWS} rows: wildcards, %u and %c say more in one")
            _unlike(row, rows)
            row = await self._store.add(tx, row)
            self._announce(tx, actor, MqttAclAdded, row)
        return row

    async def change(self, actor: Actor, acl_id: MqttAclId, change: AclChange) -> AclRow:
        """Let a row say something else. NotFound, Invalid."""
        require(actor, MQTT_ACL_MANAGE)
        async with self._transactions.begin() as tx:
            before = await self._store.get(tx, acl_id, to_change=True)
            after = change.applied_to(before)
            if after == before:
                return before
            _unlike(after, await self._store.of(tx, [after.username]))
            await self._store.save(tx, after)
            self._announce(tx, actor, MqttAclChanged, after)
        return after

    async def remove(self, actor: Actor, acl_id: MqttAclId) -> AclRow:
        """Take a row away. NotFound."""
        require(actor, MQTT_ACL_MANAGE)
        async with self._transactions.begin() as tx:
            row = await self._store.get(tx, acl_id, to_change=True)
            await self._store.remove(tx, acl_id)
            self._announce(tx, actor, MqttAclRemoved, row)
        return row

    def _announce(self, tx: Transaction, actor: Actor, kind: type[MqttAclEvent], row: AclRow) -> None:
        event = kind(
            at=self._clock.now(),
            by=actor.reference,
            username=row.username,
            acl_id=row.id,
            topic=row.topic,
            access=int(row.access),
            deny=row.deny,
            priority=row.priority,
        )
        tx.announce(event)
        tx.signal(MQTT_ACCOUNTS, row.username)


def _complete(wanted: AclChange) -> dict[str, Any]:
    if wanted.topic is None or wanted.access is None:
        missing = "topic" if wanted.topic is None else "access"
        raise Invalid(f"{missing} is required", field=missing)
    return {
        "topic": wanted.topic,
        "access": wanted.access,
        "priority": wanted.priority or 0,
        "deny": wanted.deny or False,
    }


def _unlike(row: AclRow, others: Sequence[AclRow]) -> None:
    """Of two rows that say the same, removing one would change nothing: nobody would expect that."""
    for other in others:
        if other.id != row.id and (other.topic, other.access, other.deny) == (row.topic, row.access, row.deny):
            raise Invalid("the account has this row already", field="topic")
