"""Our own RSA keys in a table that all processes share. Implements `adapters.system.server_keys.KeyCupboard`."""

from collections.abc import Callable, Iterable
from typing import TypeVar

import psycopg
from sqlalchemy import Column, LargeBinary, Table, Text

from adapters.sql.postgres_connections import connect_arguments
from adapters.sql.postgres_urls import conninfo_of
from adapters.sql.types import metadata
from adapters.system.derived import Seal
from core.errors import Invalid, Unavailable

server_keys = Table(
    "server_keys", metadata, Column("name", Text, primary_key=True), Column("sealed", LargeBinary, nullable=False)
)

T = TypeVar("T")

CONNECT_SECONDS = 5.0
PURPOSE = "server keys"
# Lies sealed among the keys, so that a wrong secret shows when a process starts, also before there is any key.
MARK = "mark"
SEALED_OTHERWISE = (
    "the server keys in the database are sealed with another secret than ours: all processes need the same JWT_SECRET, "
    "or the same IOTISTIC_SECRET_KEY if one is set. If JWT_SECRET was replaced on purpose, set IOTISTIC_SECRET_KEY to "
    "the former one. If that is lost, empty the table server_keys: devices that know a key then begin again"
)


class SealedKeyTable:
    """Each look has a connection of its own: keys are looked for seldom, in threads, beside the pool.

    Nobody can read the keys who has the database but not the secret.
    """

    def __init__(self, url: str, secret: str) -> None:
        self._conninfo = conninfo_of(url, **connect_arguments(CONNECT_SECONDS))
        self._seal = Seal(secret, PURPOSE)

    def check(self) -> None:
        """Make sure that the secret is the one with which everything is sealed; the first to ask settles it.

        Invalid when it is another; Unavailable.
        """
        try:
            if self._sealed(MARK) is None:
                for name in self.names():
                    self.read(name)
                self.write(MARK, MARK)
            self.read(MARK)
        except ValueError as error:
            raise Invalid(SEALED_OTHERWISE, field="JWT_SECRET") from error

    def names(self) -> Iterable[str]:
        """The names of all keys."""
        names = self._with(lambda db: db.execute("SELECT name FROM server_keys WHERE name <> %s", (MARK,)).fetchall())
        return [row[0] for row in names]

    def read(self, name: str) -> bytes:
        """The key as PEM."""
        sealed = self._sealed(name)
        if sealed is None:
            raise FileNotFoundError(2, "the key is gone", name)
        return self._seal.opened(name, sealed)

    def write(self, name: str, text: str) -> None:
        """Keep the key, sealed."""
        row = (name, self._seal.sealed(name, text.encode()))
        self._with(
            lambda db: db.execute(
                "INSERT INTO server_keys (name, sealed) VALUES (%s, %s) ON CONFLICT (name) DO NOTHING", row
            )
        )

    def remove(self, name: str) -> None:
        """Forget the key."""
        self._with(lambda db: db.execute("DELETE FROM server_keys WHERE name = %s", (name,)))

    def _sealed(self, name: str) -> bytes | None:
        row = self._with(lambda db: db.execute("SELECT sealed FROM server_keys WHERE name = %s", (name,)).fetchone())
        return None if row is None else bytes(row[0])

    def _with(self, work: Callable[["psycopg.Connection"], T]) -> T:
        try:
            with psycopg.connect(self._conninfo, autocommit=True) as connection:
                return work(connection)
        except psycopg.Error as error:
            raise Unavailable("the server keys cannot be used", context={"reason": str(error)}) from error
