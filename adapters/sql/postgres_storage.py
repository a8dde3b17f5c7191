"""How much room a PostgreSQL database has. Implements `core.telemetry.Storage`."""

from sqlalchemy import text

from adapters.sql.transactions import sql
from core.errors import Unavailable
from core.telemetry import Space
from core.transactions import Transactions

_SIZE = text("SELECT pg_database_size(current_database()) AS bytes")
# A disk that we cannot see counts as one with room: the database says by itself when it has none.
UNSEEN = 1 << 50


class PostgresStorage:
    """Asks the database how large it is. Its disk is another machine's, and cannot be seen from here."""

    def __init__(self, transactions: Transactions, *, most_bytes: int = 0) -> None:
        """`most_bytes` is what the database may grow to; 0 is no limit."""
        self._transactions = transactions
        self._most_bytes = most_bytes

    async def space(self) -> Space:
        """How much room there is, by the limit that was set."""
        async with self._transactions.read() as tx:
            size = await sql(tx).value(_SIZE)
        if size is None:
            raise Unavailable("the database does not tell how large it is")
        limit = self._most_bytes or None
        return Space(
            disk_free=UNSEEN,
            disk_total=UNSEEN,
            limit=limit,
            limit_left=None if limit is None else max(0, limit - size),
            reusable=0,
        )
