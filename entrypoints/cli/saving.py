"""What `iotistic backup` and `iotistic restore` do."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from attrs import frozen

from adapters.sql.migrations import migration_state
from adapters.sql.snapshots import damage_of, snapshot
from adapters.system.archives import FORMAT, Manifest, described, pack, unpack
from adapters.system.lock import RUNNING, sole_tenant, tenant_of
from adapters.system.secrets import OWNER_ONLY
from core.errors import Conflict, Invalid, NotFound, Unavailable
from core.migrations import MigrationFolder
from entrypoints.cli.serving import DEMO_FOLDER
from entrypoints.http.health import VERSION
from entrypoints.wiring.embedded import DATABASE

Progress = Callable[[int, int], None]

BESIDE_DATABASE = ("-wal", "-shm", "-journal")
OURS_ALONE = {DATABASE, *(DATABASE + suffix for suffix in BESIDE_DATABASE), RUNNING}


@frozen(kw_only=True)
class Restored:
    """What came back, and where that is which was there before."""

    manifest: Manifest
    aside: Path | None


def save(data: Path, stream: BinaryIO, progress: Progress, *, scratch: Path | None = None) -> Manifest:
    """Write a backup of the data folder. NotFound if it is none; Unavailable when the database is damaged."""
    if not (data / DATABASE).is_file():
        raise NotFound(f"{data} is no data folder of iotistic: it has no {DATABASE}")
    made_at = datetime.now(UTC).isoformat(timespec="seconds")
    try:
        with tempfile.TemporaryDirectory(prefix=".iotistic-backup-", dir=scratch) as name:
            root = Path(name)
            snapshot(data / DATABASE, root / DATABASE, _half(progress, 0))
            for path in _beside(data):
                copy = root / path.relative_to(data)
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, copy)
            manifest = Manifest(format=FORMAT, version=VERSION, made_at=made_at, files=described(root))
            pack(stream, manifest, root, _half(progress, 1))
    except OSError as error:
        raise Unavailable(f"the backup cannot be written: {error}") from error
    return manifest


def save_as(data: Path, file: Path, progress: Progress) -> Manifest:
    """The same as a file that appears whole or not at all, and that only its owner can read."""
    folder = file.absolute().parent
    if folder.resolve().is_relative_to(data.resolve()):
        raise Conflict("a backup inside of the data folder would be lost with it: save it somewhere else")
    draft = folder / f".{file.name}.{os.getpid()}.part"
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
        with os.fdopen(descriptor, "wb") as stream:
            manifest = save(data, stream, progress, scratch=folder)
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(file)
    except OSError as error:
        raise Unavailable(f"the backup {file} cannot be written: {error.strerror}") from error
    finally:
        draft.unlink(missing_ok=True)
    return manifest


def bring_back(
    stream: BinaryIO, data: Path, migrations: Sequence[MigrationFolder], progress: Progress, *, force: bool = False
) -> Restored:
    """Unpack a backup, check it, and put it in the place of the data folder: all of it or nothing.

    Conflict when something is there, unless `force`, or somebody runs on it; Invalid for a backup that is damaged or
    newer than we are.
    """
    data = data.resolve()
    if tenant_of(data) is not None:
        raise Conflict(f"iotistic runs on {data}: stop it first")
    if not force and data.exists() and any(_in(data)):
        raise Conflict(f"{data} is not empty: restore into another folder, or use --force to move it aside")
    parent = data if os.path.ismount(data) else data.parent
    try:
        parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".iotistic-restore-", dir=parent) as name:
            fresh = Path(name) / "data"
            fresh.mkdir(mode=0o700)
            manifest = unpack(stream, fresh, progress)
            _check(fresh / DATABASE, migrations)
            _flush(fresh)
            aside = _swap(fresh, data)
    except OSError as error:
        raise Unavailable(f"{data} cannot be restored: {error}") from error
    return Restored(manifest=manifest, aside=aside)


def _beside(data: Path) -> Iterator[Path]:
    """What belongs to the installation besides the database: its secrets and keys, and what plugins keep there."""
    for path in sorted(data.rglob("*")):
        inside = path.relative_to(data)
        draft = any(part.startswith(".") for part in inside.parts)
        if path.is_file() and not path.is_symlink() and not draft and inside.parts[0] not in {*OURS_ALONE, DEMO_FOLDER}:
            yield path


def _half(progress: Progress, number: int) -> Progress:
    """Half of the way is copying, half is packing."""
    return lambda done, total: progress(done + number * total, 2 * max(1, total))


def _check(database: Path, migrations: Sequence[MigrationFolder]) -> None:
    if not database.is_file():
        raise Invalid(f"the backup has no {DATABASE}")
    damage = damage_of(database)
    if damage:
        raise Invalid(f"the database in the backup is damaged: {damage}")
    state = migration_state(database, migrations)
    if state.unknown:
        names = ", ".join(state.unknown)
        raise Invalid(f"a newer iotistic made this backup, or one with other plugins; we do not know {names}")
    if state.changed:
        raise Invalid(f"another iotistic made this backup: it differs in {', '.join(state.changed)}")


def _flush(folder: Path) -> None:
    """Have everything on disk before it takes the place of anything."""
    for path in [*folder.rglob("*"), folder]:
        descriptor = os.open(path, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)


def _swap(fresh: Path, data: Path) -> Path | None:
    """Put the fresh folder in the place of the other; where that is now, if there was something in it."""
    stamp = f"before-restore-{datetime.now(UTC):%Y%m%dT%H%M%S}"
    if os.path.ismount(data):
        return _swap_inside(fresh, data, stamp)
    aside = None
    if data.exists() and any(_in(data)):
        aside = data.with_name(f"{data.name}.{stamp}")
        with sole_tenant(data):
            data.rename(aside)
    elif data.exists():
        for left in data.iterdir():
            left.unlink()
        data.rmdir()
    fresh.rename(data)
    return aside


def _swap_inside(fresh: Path, data: Path, stamp: str) -> Path | None:
    """The same where the folder itself cannot be moved, because a disk is mounted there. The database comes last."""
    aside = None
    for old in [path for path in _in(data) if path != fresh.parent]:
        aside = data / stamp
        aside.mkdir(exist_ok=True, mode=0o700)
        old.rename(aside / old.name)
    for new in sorted(fresh.iterdir(), key=lambda path: path.name == DATABASE):
        new.rename(data / new.name)
    return aside


def _in(data: Path) -> Iterator[Path]:
    """What somebody would miss."""
    return (path for path in data.iterdir() if path.name not in {RUNNING, "lost+found"})
