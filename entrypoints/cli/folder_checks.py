"""What `iotistic doctor` sees in the data folder, whether anybody runs on it or not."""

import os
import shutil
import stat
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from adapters.sql.migrations import MigrationState, migration_state
from adapters.sql.snapshots import damage_of, dead_letters, newest_moment
from adapters.system.tokens import JwtSigner
from core import access
from core.errors import Refusal
from core.migrations import MigrationFolder
from core.settings import AnySetting, Settings
from core.telemetry import Space
from entrypoints.cli.findings import Finding, failing, fine, warning
from entrypoints.wiring.embedded import DATABASE, SECRETS
from entrypoints.wiring.room import limits_of, reserve_of

OTHERS = 0o077
MEGABYTE = 1024**2
LONG_AGO = timedelta(days=1)


def check_settings(declared: Sequence[AnySetting], environment: dict[str, str]) -> tuple[Finding, Settings]:
    """Whether the environment can be understood; and the settings, or the defaults where it cannot."""
    try:
        settings = Settings(declared, environment)
        if settings[access.TOKEN_SECRET]:
            JwtSigner(settings[access.TOKEN_SECRET])
    except Refusal as refusal:
        advice = "correct the environment; `iotistic settings` shows each setting and its meaning"
        return failing("settings", refusal.message, advice), Settings(declared, {})
    given = sum(1 for each in declared if environment.get(each.name, "").strip())
    return fine("settings", f"{given} of {len(declared)} are set, the rest have their defaults"), settings


def check_privacy(data: Path) -> Iterator[Finding]:
    """Whether only the owner can read the data folder and the secrets."""
    if _open_to_others(data):
        yield failing("data folder", f"others can look into {data}", f"chmod 700 {data}")
    else:
        yield fine("data folder", str(data))
    secrets = data / SECRETS
    files = sorted(path for path in secrets.rglob("*") if path.is_file()) if secrets.is_dir() else []
    if not files:
        yield warning(
            "secrets", f"there are none in {secrets}", "they are made at the first start; else: iotistic restore"
        )
        return
    open_ones = [path for path in (secrets, *files) if _open_to_others(path)]
    empty = [path for path in files if path.stat().st_size == 0]
    for path in open_ones:
        mode = "700" if path.is_dir() else "600"
        yield failing("secrets", f"others can read {path}", f"chmod {mode} {path}")
    for path in empty:
        yield failing("secrets", f"{path} is empty", "restore it from a backup, or delete it: then it is made anew")
    if not open_ones and not empty:
        yield fine("secrets", f"{len(files)}, for their owner only")


def check_disk(data: Path, settings: Settings) -> Iterator[Finding]:
    """Whether there is room on the disk, now and when every series is as large as it may become."""
    usage = shutil.disk_usage(data)
    reserve = Space(disk_free=usage.free, disk_total=usage.total).reserve(reserve_of(settings))
    told = f"{usage.free // MEGABYTE:,} MB of {usage.total // MEGABYTE:,} MB are free"
    to_come = limits_of(settings).total - (data / DATABASE).stat().st_size
    if usage.free < reserve:
        yield failing("disk", told, f"free some: below {reserve // MEGABYTE} MB telemetry is refused")
    elif usage.free - reserve < to_come:
        yield warning("disk", told, f"data may grow by {to_come // MEGABYTE:,} MB: free some, or lower *_MAX_BYTES")
    else:
        yield fine("disk", told)


def check_database(data: Path, migrations: Sequence[MigrationFolder]) -> Iterator[Finding]:
    """Whether the database is whole and has our tables."""
    damage = damage_of(data / DATABASE)
    if damage:
        yield failing("database", damage, "stop iotistic and restore the last backup: iotistic restore --force")
        return
    yield fine("database", f"whole, {(data / DATABASE).stat().st_size // MEGABYTE:,} MB")
    yield check_migrations(migration_state(data / DATABASE, migrations))


def check_migrations(state: MigrationState) -> Finding:
    """Whether the database has our tables."""
    if state.changed:
        advice = "install the iotistic that made them again"
        return failing("migrations", f"changed: {', '.join(state.changed)}", advice)
    if state.unknown:
        advice = "install the newer iotistic, or the plugin"
        return failing("migrations", f"unknown: {', '.join(state.unknown)}", advice)
    if state.pending:
        advice = "they are applied at the next start, or by `iotistic migrate run`"
        return warning("migrations", f"to do: {', '.join(state.pending)}", advice)
    return fine("migrations", "all are applied")


def check_clock(data: Path, now: datetime) -> Finding:
    """Whether the clock agrees with what was written down last."""
    newest = newest_moment(data / DATABASE)
    told = f"{now:%Y-%m-%d %H:%M:%S} UTC"
    if newest is None:
        return fine("clock", told)
    if newest > now + timedelta(seconds=5):
        advice = "set it: timedatectl set-ntp true; tokens and retention go wrong until then"
        return failing("clock", f"{told} is before the newest row ({newest:%Y-%m-%d %H:%M:%S})", advice)
    if now - newest > LONG_AGO:
        advice = "if iotistic ran until now, the clock has jumped ahead: timedatectl set-ntp true"
        return warning("clock", f"{told}; the newest row is of {newest:%Y-%m-%d %H:%M:%S}", advice)
    return fine("clock", told)


def check_dead_letters(data: Path) -> Finding:
    """Whether reactions were given up."""
    return told_of_dead_letters(dead_letters(data / DATABASE))


def told_of_dead_letters(dead: int) -> Finding:
    """What is to be said when so many reactions were given up."""
    if dead:
        return warning(
            "reactions", f"{dead} were given up", "see GET /api/v1/outbox/dead-letters, and retry them there"
        )
    return fine("reactions", "none was given up")


def now() -> datetime:
    """This moment."""
    return datetime.now(UTC)


def _open_to_others(path: Path) -> bool:
    found = path.stat()
    foreign = found.st_uid != os.geteuid() and os.geteuid() != 0
    return foreign or bool(stat.S_IMODE(found.st_mode) & OTHERS)
