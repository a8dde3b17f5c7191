"""How much room a SQLite file has. Implements `core.telemetry.Storage`."""

import asyncio
import os
from pathlib import Path

from sqlalchemy import text

from adapters.sql.transactions import sql
from core.errors import Unavailable
from core.telemetry import Space
from core.transactions import Transactions

_PAGES = text(
    "SELECT page_count, page_size, freelist_count FROM pragma_page_count, pragma_page_size, pragma_freelist_count"
)


class SqliteStorage:
    """Asks the disk that the file is on, and the file itself for pages that are free inside it."""

    def __init__(self, database: Path, transactions: Transactions, *, most_bytes: int = 0) -> None:
        """`most_bytes` is what the file may grow to; 0 is no limit."""
        self._database = database
        self._transactions = transactions
        self._most_bytes = most_bytes

    async def space(self) -> Space:
        """How much room there is."""
        try:
            disk = await asyncio.to_thread(os.statvfs, self._database.parent)
        except OSError as error:
            raise Unavailable(f"nobody can tell how full the disk is: {error.strerror}") from error
        async with self._transactions.read() as tx:
            pages = await sql(tx).row(_PAGES)
        if pages is None:
            raise Unavailable("the database does not tell how large it is")
        limit = self._most_bytes or None
        return Space(
            disk_free=disk.f_bavail * disk.f_frsize,
            disk_total=disk.f_blocks * disk.f_frsize,
            limit=limit,
            limit_left=None if limit is None else max(0, limit - pages.page_count * pages.page_size),
            reusable=pages.freelist_count * pages.page_size,
        )
