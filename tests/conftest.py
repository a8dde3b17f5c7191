"""What every test may ask for."""

import pytest

from adapters.sql.migrations import SQLITE
from adapters.sql.postgres_migrations import POSTGRES

pytest_plugins = [
    "tests.support.access",
    "tests.support.mqtt_accounts",  # before enrolling, which imports it
    "tests.support.application",
    "tests.support.enrolling",
    "tests.support.parts",
    "tests.support.postgres",
    "tests.support.own_postgres",  # after postgres, which it imports
    "tests.support.server",
    "tests.support.mosquitto",
    "tests.support.redis",
    "tests.support.scaled",
    "tests.support.states",
    "tests.support.tagging",
]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Whoever keeps a contract of `tests/contracts` in a database keeps it in every one that we speak."""
    classes = metafunc.cls.__mro__ if metafunc.cls else ()
    kept = any(each.__module__.startswith("tests.contracts.") for each in classes)
    if kept and "transactions" in metafunc.fixturenames:
        metafunc.parametrize("transactions", [SQLITE, POSTGRES], indirect=True)
