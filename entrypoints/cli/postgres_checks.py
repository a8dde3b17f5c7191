"""What `iotistic doctor` sees of a PostgreSQL database, whether anybody runs on it or not."""

import asyncio
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from adapters.sql.migrations import state_of
from adapters.sql.partitions import PostgresPartitions
from adapters.sql.postgres_facts import PostgresFacts, dead_letters, postgres_facts
from adapters.sql.postgres_migrations import PostgresMigrations
from adapters.system import SystemClock
from core.errors import Refusal
from core.migrations import MigrationFolder
from core.settings import Settings
from entrypoints.cli.findings import Finding, failing, fine, warning
from entrypoints.cli.folder_checks import check_migrations, told_of_dead_letters
from entrypoints.wiring import cluster
from entrypoints.wiring.partitions import kept_by_month

MEGABYTE = 1024**2
# The oldest that the tests and the migrations were made for.
OLDEST = 140_000
# Besides its pool a process holds connections for what it listens to and for its locks.
BESIDE_THE_POOL = 4
FEWEST_PROCESSES = 4
CLOCKS_APART = timedelta(seconds=5)


def check_postgres(settings: Settings, migrations: Sequence[MigrationFolder]) -> Iterator[Finding]:
    """All findings about the database of DATABASE_URL; if it does not answer, only that."""
    url, now = settings[cluster.DATABASE_URL], SystemClock().now()
    try:
        facts = postgres_facts(url)
    except Refusal as refusal:
        yield failing("database", refusal.message, "see whether it runs, and whether DATABASE_URL names it")
        return
    yield check_version(facts)
    yield check_order(facts)
    yield check_zone(facts)
    yield check_connections(facts, settings[cluster.DB_POOL_MAX])
    yield check_clocks(facts, SystemClock().now())
    try:
        yield check_migrations(state_of(PostgresMigrations(url).status(migrations)))
        yield _partitions(url, settings, now)
        yield told_of_dead_letters(dead_letters(url))
    except Refusal as refusal:
        yield failing("tables", refusal.message, "iotistic migrate run")


def check_version(facts: PostgresFacts) -> Finding:
    """Whether PostgreSQL is recent enough."""
    told = f"PostgreSQL {facts.version}, {facts.bytes // MEGABYTE:,} MB"
    if facts.number < OLDEST:
        return failing("database", told, "use PostgreSQL 14 or newer")
    return fine("database", told)


def check_order(facts: PostgresFacts) -> Finding:
    """Whether texts are kept and sorted as they are elsewhere."""
    advice = "make a database with ENCODING 'UTF8' LOCALE 'C.UTF-8' TEMPLATE template0, and `iotistic transfer` to it"
    if facts.encoding != "UTF8":
        return failing("collation", f"texts are kept as {facts.encoding}", advice)
    if not facts.bytewise:
        return warning("collation", f"texts are sorted by {facts.sorts}, elsewhere by C", advice)
    return fine("collation", facts.sorts)


def check_zone(facts: PostgresFacts) -> Finding:
    """Whether people who look into the database see the times that we tell."""
    if facts.time_zone.upper() not in {"UTC", "ETC/UTC", "GMT"}:
        advice = "ALTER DATABASE … SET timezone = 'UTC': else months seem to begin at odd hours"
        return warning("time zone", facts.time_zone, advice)
    return fine("time zone", facts.time_zone)


def check_connections(facts: PostgresFacts, pool: int) -> Finding:
    """Whether the processes that there may be find connections."""
    processes = facts.connections // (pool + BESIDE_THE_POOL)
    told = f"{facts.connections} connections are enough for {processes} processes with DB_POOL_MAX={pool}"
    advice = "raise max_connections of PostgreSQL, or lower DB_POOL_MAX"
    if not processes:
        return failing("connections", told, advice)
    return fine("connections", told) if processes >= FEWEST_PROCESSES else warning("connections", told, advice)


def check_clocks(facts: PostgresFacts, now: datetime) -> Finding:
    """Whether the clock of the server is ours."""
    apart = facts.now - now
    if abs(apart) > CLOCKS_APART:
        told = (
            f"that of the database is {abs(apart).total_seconds():.0f} s {'ahead' if apart > timedelta() else 'behind'}"
        )
        return failing("clock", told, "set both: timedatectl set-ntp true; tokens and retention go wrong until then")
    return fine("clock", f"{now:%Y-%m-%d %H:%M:%S} UTC, here and in the database")


def _partitions(url: str, settings: Settings, now: datetime) -> Finding:
    faults = [
        fault
        for state in asyncio.run(PostgresPartitions(url, kept_by_month(settings)).check(now))
        for fault in state.faults
    ]
    if faults:
        return warning("partitions", "; ".join(faults), "iotistic partitions maintain; the leader does it every hour")
    return fine("partitions", "each month is where it should be")
