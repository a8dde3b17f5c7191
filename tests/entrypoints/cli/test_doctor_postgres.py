"""`iotistic doctor` with DATABASE_URL finds what is wrong with that database."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from attrs import evolve

from adapters.sql.postgres_facts import PostgresFacts, postgres_facts
from adapters.sql.postgres_urls import conninfo_of
from entrypoints.cli import postgres_checks
from entrypoints.cli.doctor import examine
from entrypoints.cli.findings import Finding, State

GIVEN_UP = """
INSERT INTO outbox (id, name, payload, announced_at, relayed) VALUES (1, 'x', '{}', now(), 1);
INSERT INTO outbox_failures VALUES (1, 'webhooks', 9, 'no answer', NULL)
"""


def found(url: str, **environment: str) -> list[Finding]:
    """What is not as it should be."""
    findings = examine(Path("nowhere"), {"DATABASE_URL": url} | environment, installed=False)
    return [each for each in findings if each.state is not State.OK and each.name != "open files"]


def run(url: str, statement: str) -> None:
    """Plant a fault."""
    with psycopg.connect(conninfo_of(url), autocommit=True) as connection:
        connection.execute(statement.encode())


def test_nothing_is_found_where_nothing_is_wrong(postgres_url: str) -> None:
    run(postgres_url, "SELECT 1")
    assert [each for each in found(postgres_url) if each.name not in {"partitions", "time zone"}] == []


@pytest.mark.parametrize(
    ("statement", "name", "state", "advice"),
    [
        ("UPDATE migrations SET checksum = 'x' WHERE name LIKE '002%'", "migrations", State.FAILING, "install"),
        ("DELETE FROM migrations WHERE name LIKE '002%'", "migrations", State.WARNING, "migrate run"),
        ("INSERT INTO migrations (name, checksum) VALUES ('999_x.sql', 'x')", "migrations", State.FAILING, "newer"),
        ("DROP TABLE migrations", "migrations", State.WARNING, "migrate run"),
        ("DROP TABLE readings", "tables", State.FAILING, "migrate run"),
        (
            "DO $$ BEGIN EXECUTE 'DROP TABLE readings_' || to_char(now() + interval '1 month', 'YYYY_MM'); END $$",
            "partitions",
            State.WARNING,
            "partitions maintain",
        ),
        (
            "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET timezone = ''Asia/Tokyo''', current_database()); END $$",
            "time zone",
            State.WARNING,
            "UTC",
        ),
        (
            GIVEN_UP,
            "reactions",
            State.WARNING,
            "dead-letters",
        ),
    ],
)
def test_a_planted_fault_is_found_and_what_to_do_is_said(
    postgres_url: str, statement: str, name: str, state: State, advice: str
) -> None:
    run(postgres_url, statement)
    [finding] = [each for each in found(postgres_url) if each.name == name]
    assert (finding.state, advice in finding.advice) == (state, True)


def test_more_connections_than_there_are_is_found(postgres_url: str) -> None:
    assert "connections" in {each.name for each in found(postgres_url, DB_POOL_MAX="500")}


def test_a_database_that_does_not_answer_is_found_and_nothing_else_is_asked() -> None:
    [finding] = found("postgresql://nobody@127.0.0.1:1/nothing")
    assert (finding.name, finding.state) == ("database", State.FAILING)


def _later(facts: PostgresFacts) -> Finding:
    return postgres_checks.check_clocks(facts, facts.now + timedelta(minutes=1))


@pytest.mark.parametrize(
    ("check", "changes", "state"),
    [
        (postgres_checks.check_order, {"provider": "c", "collation": "C.UTF-8"}, State.OK),
        (postgres_checks.check_order, {"provider": "b", "locale": "C.UTF-8"}, State.OK),
        (postgres_checks.check_order, {"provider": "c", "collation": "de_DE.UTF-8"}, State.WARNING),
        (postgres_checks.check_order, {"provider": "i", "locale": "und"}, State.WARNING),
        (postgres_checks.check_order, {"encoding": "LATIN1"}, State.FAILING),
        (postgres_checks.check_version, {"number": 130_000}, State.FAILING),
        (_later, {}, State.FAILING),
    ],
)
def test_what_cannot_be_planted_is_judged(
    postgres_url: str, check: Callable[[PostgresFacts], Finding], changes: dict[str, Any], state: State
) -> None:
    facts = evolve(postgres_facts(postgres_url), **changes)
    assert check(facts).state is state
