"""Passwords on their way to a broker with accounts of its own, sealed. Implements `core.mqtt.PasswordsToHandOver`."""

import logging
from collections.abc import Mapping, Sequence

from sqlalchemy import Column, LargeBinary, Table, Text, bindparam, delete, select

from adapters.sql.transactions import sql
from adapters.sql.types import metadata
from adapters.sql.upserts import Upsert
from adapters.system.derived import Seal
from core.transactions import Transaction

log = logging.getLogger(__name__)

mqtt_passwords_to_hand_over = Table(
    "mqtt_passwords_to_hand_over",
    metadata,
    Column("username", Text, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
)

PURPOSE = "mqtt passwords"

_PUT = Upsert(mqtt_passwords_to_hand_over, key="username")
_WAITING = select(mqtt_passwords_to_hand_over).where(
    mqtt_passwords_to_hand_over.c.username.in_(bindparam("names", expanding=True))
)
_SEALED = select(mqtt_passwords_to_hand_over.c.sealed).where(
    mqtt_passwords_to_hand_over.c.username == bindparam("name")
)
_FORGET = delete(mqtt_passwords_to_hand_over).where(
    mqtt_passwords_to_hand_over.c.username == bindparam("name"),
    mqtt_passwords_to_hand_over.c.sealed == bindparam("was"),
)


class SealedMqttPasswords:
    """Whoever has the database but not our secret cannot read them; they are gone as soon as the broker has them."""

    def __init__(self, secret: str) -> None:
        self._seal = Seal(secret, PURPOSE)

    async def keep(self, tx: Transaction, username: str, password: str) -> None:
        """Keep it, instead of the one before."""
        await _PUT.run(tx, {"username": username, "sealed": self._seal.sealed(username, password.encode())})

    async def waiting(self, tx: Transaction, usernames: Sequence[str]) -> Mapping[str, str]:
        """Those of these accounts that can be opened."""
        rows = await sql(tx).rows(_WAITING, {"names": list(usernames)})
        opened = {row.username: self._opened(row.username, bytes(row.sealed)) for row in rows}
        return {username: password for username, password in opened.items() if password is not None}

    async def handed_over(self, tx: Transaction, username: str, password: str) -> None:
        """Forget it, if it is still this one."""
        sealed = await sql(tx).value(_SEALED, {"name": username})
        if sealed is not None and self._opened(username, bytes(sealed)) == password:
            await sql(tx).run(_FORGET, {"name": username, "was": bytes(sealed)})

    def _opened(self, username: str, sealed: bytes) -> str | None:
        try:
            return self._seal.opened(username, sealed).decode()
        except ValueError:
            log.warning("the password of %s was sealed with another JWT_SECRET: it needs a new one", username)
            return None
