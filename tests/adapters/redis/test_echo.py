"""Limits that hold for all processes together."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from adapters.redis.echo import Echo
from adapters.system.attempts import GuessLimiter
from core.errors import QuotaExceeded
from tests.support.redis import RedisServer
from tests.support.server import free_port

SECONDS = 10
ATTACKER = "192.0.2.1"
GUESSES = """
import asyncio, sys
from adapters.redis.echo import Echo
from adapters.system.attempts import GuessLimiter

async def main(url, attacker):
    limiter = GuessLimiter(most=3)
    echo = Echo(url, limiter.windows())
    await echo.open()
    await echo.hears()
    for _ in range(3):
        limiter.failed(attacker)
    print("guessed", flush=True)
    await asyncio.Event().wait()

asyncio.run(main(*sys.argv[1:]))
"""


@asynccontextmanager
async def a_process(url: str) -> AsyncIterator[GuessLimiter]:
    """One that counts three wrong guesses, and hears what others count."""
    limiter = GuessLimiter(most=3)
    echo = Echo(url, limiter.windows())
    await echo.open()
    async with asyncio.timeout(SECONDS):
        await echo.hears()
    yield limiter
    await echo.close()


def is_refused(limiter: GuessLimiter, address: str = ATTACKER) -> bool:
    """Whether somebody there has guessed too often."""
    try:
        limiter.check(address)
    except QuotaExceeded:
        return True
    return False


async def until(true: Callable[[], bool]) -> None:
    """Other processes count a moment later, and nobody is told."""
    async with asyncio.timeout(SECONDS):
        while True:
            if true():
                return
            await asyncio.sleep(0.01)


async def test_who_has_guessed_too_often_at_one_process_is_refused_by_all(redis_server: RedisServer) -> None:
    async with a_process(redis_server.url) as one, a_process(redis_server.url) as other:
        for limiter in (one, other, one):
            limiter.failed(ATTACKER)
        await until(lambda: is_refused(one) and is_refused(other))
        assert not is_refused(other, "192.0.2.2")


async def test_what_a_process_has_counted_it_does_not_count_again(redis_server: RedisServer) -> None:
    async with a_process(redis_server.url) as one, a_process(redis_server.url) as other:
        one.failed(ATTACKER)
        one.failed(ATTACKER)
        other.failed("192.0.2.9")
        other.failed(ATTACKER)
        await until(lambda: is_refused(one) and is_refused(other))
        one.failed("192.0.2.9")
        assert not is_refused(one, "192.0.2.9")


async def test_without_redis_each_process_counts_for_itself() -> None:
    limiter = GuessLimiter(most=3)
    echo = Echo(f"redis://127.0.0.1:{free_port()}/0", limiter.windows())
    await echo.open()
    for _ in range(3):
        limiter.failed(ATTACKER)
    with pytest.raises(QuotaExceeded):
        limiter.check(ATTACKER)
    await echo.close()


async def test_when_redis_comes_back_the_others_are_heard_again(redis_server: RedisServer) -> None:
    async with a_process(redis_server.url) as one, a_process(redis_server.url) as other:
        await redis_server.stop()
        await redis_server.start()

        def guessed() -> bool:
            one.failed(ATTACKER)
            return is_refused(other)

        await until(guessed)


async def test_a_frozen_redis_holds_nobody_up(redis_server: RedisServer) -> None:
    async with a_process(redis_server.url) as one:
        process = redis_server.process
        assert process is not None
        process.send_signal(signal.SIGSTOP)
        try:
            for _ in range(3):
                one.failed(ATTACKER)
            assert is_refused(one)
        finally:
            process.send_signal(signal.SIGCONT)


async def test_a_limit_is_shared_by_processes_of_the_system(redis_server: RedisServer) -> None:
    async with a_process(redis_server.url) as here:
        other = await asyncio.create_subprocess_exec(
            sys.executable, "-c", GUESSES, redis_server.url, ATTACKER, stdout=asyncio.subprocess.PIPE
        )
        try:
            assert other.stdout is not None
            async with asyncio.timeout(SECONDS):
                assert await other.stdout.readline() == b"guessed\n"
            await until(lambda: is_refused(here))
        finally:
            other.kill()
            await other.wait()


async def test_that_each_counts_for_itself_is_logged_once(
    redis_server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    async with a_process(redis_server.url):
        await redis_server.stop()
        await until(lambda: "for itself" in caplog.text)
        echo = Echo(redis_server.url, GuessLimiter().windows())
        await echo.open()
        await until(lambda: caplog.text.count("for itself") == 2)  # one for each of the two
        await echo.close()
    assert caplog.text.count("for itself") == 2
