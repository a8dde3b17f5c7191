"""Numbered SQL files: which there are, what they are called, and how a database stands to them."""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from enum import Enum
from hashlib import sha256
from pathlib import Path

from attrs import frozen

from core.errors import Invalid, Unavailable
from core.migrations import OURS, MigrationFolder

NAME = re.compile(r"\d{3}_[a-z0-9_]+\.sql")
WORDS = re.compile(r"[a-z0-9]+(_[a-z0-9]+)*")
NO_TRANSACTION = "-- no-transaction"


class Standing(Enum):
    """How a database stands to a migration."""

    APPLIED = "applied"
    PENDING = "pending"
    CHANGED = "changed"  # after it had been applied
    UNKNOWN = "unknown"  # applied, but no file of ours
    HALF_WAY = "half-way"  # begun without a transaction, and not finished


@frozen(kw_only=True)
class MigrationFile:
    """A file, as the table `migrations` calls it. `alone`: it may not run within a transaction."""

    name: str
    text: str

    @property
    def checksum(self) -> str:
        """By what a change of the file is noticed."""
        return checksum_of(self.text)

    @property
    def alone(self) -> bool:
        """Whether its first line says that it takes no transaction; then it must be safe to repeat."""
        return self.text.split("\n", 1)[0].strip() == NO_TRANSACTION


@frozen(kw_only=True)
class Recorded:
    """A line of the table `migrations`."""

    name: str
    checksum: str
    applied_at: datetime
    finished: bool


@frozen(kw_only=True)
class MigrationStatus:
    """How a database stands to one migration, and since when."""

    name: str
    standing: Standing
    applied_at: datetime | None = None


def compare(files: Sequence[MigrationFile], recorded: Iterable[Recorded]) -> list[MigrationStatus]:
    """Each file in its order, then what is recorded and no file is known of."""
    lines = {line.name: line for line in recorded}
    known = [_status(file, lines.pop(file.name, None)) for file in files]
    return known + [
        MigrationStatus(name=line.name, standing=Standing.UNKNOWN, applied_at=line.applied_at)
        for line in lines.values()
    ]


def _status(file: MigrationFile, line: Recorded | None) -> MigrationStatus:
    if line is None:
        return MigrationStatus(name=file.name, standing=Standing.PENDING)
    standing = Standing.APPLIED if line.checksum == file.checksum else Standing.CHANGED
    return MigrationStatus(
        name=file.name, standing=standing if line.finished else Standing.HALF_WAY, applied_at=line.applied_at
    )


def files_in(folders: Sequence[MigrationFolder], database: str) -> list[MigrationFile]:
    """All files for a database, folder by folder. Raises Unavailable when a folder was not made for it."""
    return [
        MigrationFile(name=name_of(folder, path), text=path.read_text(encoding="utf-8"))
        for folder in folders
        for path in files_of(folder, database)
    ]


def files_of(folder: MigrationFolder, database: str) -> list[Path]:
    """The files for a database, in the order of their numbers. Raises Unavailable when it was not thought of."""
    where = folder.path / database
    if not where.is_dir():
        raise Unavailable(f"{folder.owner} has no migrations for {database}: it cannot be used with this database")
    return sorted(path for path in where.iterdir() if NAME.fullmatch(path.name))


def name_of(folder: MigrationFolder, file: Path) -> str:
    """What the file is called in the table `migrations`."""
    return file.name if folder.owner == OURS else f"{folder.owner}/{file.name}"


def checksum_of(text: str) -> str:
    """By what a change of the text is noticed."""
    return sha256(text.encode()).hexdigest()


def changed(name: str) -> Unavailable:
    """The refusal to start where a migration is not what was applied."""
    return Unavailable(f"the migration {name} was changed after it had been applied; put back the old text")


def stopped(name: str, reason: object) -> Unavailable:
    """The refusal to go on after a migration without a transaction has failed."""
    return Unavailable(
        f"the migration {name} stopped half-way: {reason}. What it did until then stays, for it takes no transaction; "
        "it will be begun anew at the next run"
    )


def pending_in(statuses: Iterable[MigrationStatus]) -> list[str]:
    """What would be applied. Raises Unavailable when a file was changed after it had been applied."""
    found = list(statuses)
    for each in found:
        if each.standing is Standing.CHANGED:
            raise changed(each.name)
    return [each.name for each in found if each.standing in {Standing.PENDING, Standing.HALF_WAY}]


def create(folder: Path, databases: Sequence[str], words: Sequence[str], *, alone: bool = False) -> list[Path]:
    """Make the next file of a folder, of the same name for each database. Raises Invalid."""
    title = "_".join(words).lower().replace("-", "_").replace(" ", "_")
    if not WORDS.fullmatch(title):
        raise Invalid(f"{title!r} cannot be the name of a migration: use letters a to z, digits and _", field="words")
    number = max((int(path.name[:3]) for path in _existing(folder, databases)), default=0) + 1
    made = []
    for database in databases:
        path = folder / database / f"{number:03}_{title}.sql"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_header(title, database, alone=alone), encoding="utf-8")
        made.append(path)
    return made


def _existing(folder: Path, databases: Sequence[str]) -> Iterator[Path]:
    for database in databases:
        where = folder / database
        yield from (path for path in (where.iterdir() if where.is_dir() else ()) if NAME.fullmatch(path.name))


def _header(title: str, database: str, *, alone: bool) -> str:
    lines = [NO_TRANSACTION, "-- Each statement must be safe to repeat: begin with DROP … IF EXISTS."] if alone else []
    lines.append(
        f"-- {title.replace('_', ' ').capitalize()}: say here why. For {database}; all databases end up alike."
    )
    return "\n".join([*lines, "SELECT 1;", ""])
