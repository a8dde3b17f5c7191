"""Processes that are told different secrets do not work side by side."""

import secrets

import pytest

from core.errors import Invalid
from tests.support.scaled import scaled_environment, serving
from tests.support.server import free_port


async def started(postgres_url: str, **environment: str) -> int:
    """A process that starts and ends; the status of its key exchange."""
    told = scaled_environment(postgres_url, f"mqtt://127.0.0.1:{free_port()}", **environment)
    async with serving(told) as api:
        return (await api.stranger.get("/health", root=True)).status


async def test_a_process_with_another_secret_than_the_first_does_not_start(postgres_url: str) -> None:
    assert await started(postgres_url) == 200
    with pytest.raises(Invalid, match="sealed with another secret"):
        await started(postgres_url, JWT_SECRET=secrets.token_hex(32))
    assert await started(postgres_url) == 200


async def test_without_a_secret_nothing_starts_and_it_is_said_how_to_make_one(postgres_url: str) -> None:
    with pytest.raises(Invalid, match="openssl rand -hex 32"):
        await started(postgres_url, JWT_SECRET="")


async def test_a_sealing_key_that_is_too_short_is_refused(postgres_url: str) -> None:
    with pytest.raises(Invalid, match="IOTISTIC_SECRET_KEY"):
        await started(postgres_url, IOTISTIC_SECRET_KEY="short-of-it")
