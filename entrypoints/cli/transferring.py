"""What `iotistic transfer` does."""

import json
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from attrs import frozen

from adapters.sql.migrations import migrate_sqlite
from adapters.sql.postgres_migrations import migrate_postgres
from adapters.sql.postgres_urls import url_of
from adapters.sql.server_keys import SealedKeyTable
from adapters.sql.transfer import Compared, Moved, Told, Transfer
from adapters.sql.transfer_postgres import PostgresSide
from adapters.sql.transfer_sqlite import SqliteSide
from adapters.sql.transfer_values import Replaced
from adapters.system.lock import sole_tenant
from adapters.system.secrets import write_private
from adapters.system.server_keys import KeyFolder, carry_keys
from core import access
from core.errors import Conflict, Invalid, NotFound
from core.migrations import MigrationFolder
from entrypoints.wiring import cluster, features
from entrypoints.wiring.embedded import SECRETS, SERVER_KEYS
from entrypoints.wiring.plugins import answers, plugin_manager

PREFIX = "sqlite:///"
JWT = "jwt"


@frozen(kw_only=True)
class Outcome:
    """What came of it."""

    tables: Sequence[Compared]
    moved: Moved | None
    seconds: float
    notes: Sequence[str]

    @property
    def equal(self) -> bool:
        """Whether both sides hold the same."""
        return all(each.equal for each in self.tables)

    def as_json(self) -> str:
        """The report for machines."""
        tables = {
            each.table: {
                "equal": each.equal,
                "source": {"rows": each.source.rows, "checksum": each.source.word},
                "target": {"rows": each.target.rows, "checksum": each.target.word},
            }
            for each in self.tables
        }
        moved = None if self.moved is None else dict(self.moved.rows)
        continued = self.moved is not None and self.moved.continued
        report = {"equal": self.equal, "continued": continued, "moved": moved, "seconds": round(self.seconds, 3)}
        return json.dumps({**report, "tables": tables, "notes": list(self.notes)}, indent=2)


def transferred(
    source: str,
    target: str,
    hears: Told,
    *,
    verify_only: bool = False,
    batch: int = 10_000,
    migrations: Sequence[MigrationFolder] | None = None,
) -> Outcome:
    """Move and compare, or compare only. Raises a Refusal, in words, before anything is changed or where it stopped."""
    replaced = Replaced()
    from_side, to_side = _side(source, replaced), _side(target, replaced)
    if from_side.name == to_side.name:
        raise Invalid(
            "one side is sqlite:///…, the other postgresql+psycopg://…; `iotistic backup` copies a data folder"
        )
    file = from_side.path if isinstance(from_side, SqliteSide) else to_side.path  # type: ignore[union-attr]
    if isinstance(from_side, SqliteSide) and not file.is_file():
        raise NotFound(f"there is no database {file}")
    if isinstance(to_side, SqliteSide) and not verify_only:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    work = Transfer(source=from_side, target=to_side, replaced=replaced, told=hears, batch_rows=batch)
    with _at_rest(file.parent):
        began, moved = time.monotonic(), None
        if not verify_only:
            _prepare(work, migrations)
            moved = work.move()
        seconds = time.monotonic() - began
        compared = work.compare()
        notes = _notes(compared, replaced)
        if moved is not None and all(each.equal for each in compared):
            notes += _carry_secrets(work, file.parent)
            work.finish()
    return Outcome(tables=compared, moved=moved, seconds=seconds, notes=notes)


def _side(url: str, replaced: Replaced) -> SqliteSide | PostgresSide:
    if url.startswith(PREFIX):
        return SqliteSide(Path(url.removeprefix(PREFIX)), replaced)
    url_of(url)
    return PostgresSide(url)


@contextmanager
def _at_rest(folder: Path) -> Iterator[None]:
    """Nobody runs on the data folder, and nobody starts meanwhile."""
    try:
        with sole_tenant(folder):
            yield
    except Conflict as refusal:
        if not refusal.message.startswith("iotistic runs on"):
            raise
        raise Conflict(
            f"{refusal.message}: stop it first, for what devices say after the transfer began would be missing. To"
            " rehearse while it runs, transfer from a copy: `iotistic backup`, then `iotistic restore` elsewhere"
        ) from refusal


def _prepare(work: Transfer, migrations: Sequence[MigrationFolder] | None) -> None:
    folders = answers(plugin_manager([features]).hook.migrations) if migrations is None else migrations
    if isinstance(work.target, PostgresSide):
        work.refuse_what_has_rows()
        migrate_postgres(work.target.url, folders)
    elif isinstance(work.target, SqliteSide):
        if work.target.path.exists():
            work.refuse_what_has_rows()
        migrate_sqlite(work.target.path, folders)


def _notes(compared: Sequence[Compared], replaced: Replaced) -> list[str]:
    notes = []
    if replaced.values:
        notes.append("texts with NUL or broken characters, which PostgreSQL cannot keep, have U+FFFD in their place")
    if not all(each.equal for each in compared):
        notes.append("the sides differ: did something run on one of them? Empty the target and transfer again")
    return notes


def _carry_secrets(work: Transfer, folder: Path) -> list[str]:
    """The server keys go along when the secret is known by which they are sealed; else what is to be done."""
    given, file = os.environ.get(access.TOKEN_SECRET.name, ""), folder / SECRETS / JWT
    keys, sealing = KeyFolder(folder / SECRETS / SERVER_KEYS), os.environ.get(cluster.SECRET_KEY.name, "")
    if isinstance(work.target, PostgresSide):
        secret = given or (file.read_text(encoding="ascii").strip() if file.is_file() else "")
        if not secret:
            return ["JWT_SECRET is neither set nor in the data folder: people log in again"]
        carry_keys(keys, SealedKeyTable(work.target.url, sealing or secret))
        return [f'start serve, listen and work with the same secret: JWT_SECRET="$(cat {file})"'] if not given else []
    if not given or not isinstance(work.source, PostgresSide):
        return ["JWT_SECRET is not set: the server keys stayed behind, and people log in again"]
    carry_keys(SealedKeyTable(work.source.url, sealing or given), keys)
    write_private(file, given + "\n")
    return []
