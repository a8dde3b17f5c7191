"""What can be told of a PostgreSQL database without starting on it."""

from datetime import datetime

import psycopg
from attrs import frozen

from adapters.sql.postgres_urls import conninfo_of
from core.errors import Unavailable

CONNECT_SECONDS = 5
# Names of those collations that sort as SQLite does, by bytes: https://www.postgresql.org/docs/current/collation.html
BYTEWISE = {"C", "POSIX", "C.UTF-8", "C.UTF8"}
_FACTS = """
SELECT current_setting('server_version') AS version, current_setting('server_version_num')::int AS number,
    pg_database_size(current_database()) AS bytes, current_setting('TimeZone') AS time_zone,
    pg_encoding_to_char(encoding) AS encoding, datcollate AS collation, datlocprovider::text AS provider,
    coalesce(to_jsonb(pg_database) ->> 'datlocale', to_jsonb(pg_database) ->> 'daticulocale') AS locale,
    current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int AS connections,
    clock_timestamp() AS now
FROM pg_database WHERE datname = current_database()
"""


@frozen(kw_only=True)
class PostgresFacts:
    """A database and its server as they are. `connections` are those that anybody may have."""

    version: str
    number: int
    bytes: int
    time_zone: str
    encoding: str
    collation: str
    provider: str
    locale: str | None
    connections: int
    now: datetime

    @property
    def sorts(self) -> str:
        """The name of the order in which texts are sorted."""
        return self.collation if self.provider == "c" else f"{self.locale} (provider {self.provider})"

    @property
    def bytewise(self) -> bool:
        """Whether texts are sorted by their bytes."""
        name = self.collation if self.provider == "c" else self.locale if self.provider == "b" else None
        return name is not None and name.upper() in BYTEWISE


def postgres_facts(url: str) -> PostgresFacts:
    """Ask the database. Raises Unavailable when it does not answer, Invalid when the URL is none."""
    with_time = "-c statement_timeout=10000"
    try:
        with psycopg.connect(conninfo_of(url, options=with_time), connect_timeout=CONNECT_SECONDS) as connection:
            found = connection.execute(_FACTS)
            names = [column.name for column in found.description or ()]
            row = found.fetchone()
    except psycopg.Error as error:
        raise Unavailable(f"it does not answer: {str(error).strip()}") from error
    if row is None:
        raise Unavailable("it does not know itself")
    return PostgresFacts(**dict(zip(names, row, strict=True)))


def dead_letters(url: str) -> int:
    """How many reactions were given up. Raises Unavailable."""
    try:
        with psycopg.connect(conninfo_of(url), connect_timeout=CONNECT_SECONDS) as connection:
            row = connection.execute("SELECT count(*) FROM outbox_failures WHERE retry_at IS NULL").fetchone()
    except psycopg.Error as error:
        raise Unavailable(f"it cannot be read: {str(error).strip()}") from error
    return int(row[0]) if row else 0
