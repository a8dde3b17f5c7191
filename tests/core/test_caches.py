"""What is remembered for a while, and never longer than it is true."""

import asyncio

import pytest

from core.caches import Cache
from core.errors import NotFound
from tests.support.clock import TestClock


@pytest.fixture
def cache(clock: TestClock) -> Cache[str, int]:
    """Three values, for a minute."""
    return Cache(clock, size=3, ttl=60.0)


class Slow:
    """A database that answers when it is told to."""

    def __init__(self, value: int) -> None:
        self.value = value
        self.asked = 0
        self.begun = asyncio.Event()
        self.go = asyncio.Event()

    async def load(self) -> int:
        """Read first, answer later: what was read may be old by then."""
        self.asked += 1
        read = self.value
        self.begun.set()
        await self.go.wait()
        return read


def test_a_value_is_known_until_its_time_is_over(cache: Cache[str, int], clock: TestClock) -> None:
    cache.put("a", 1)
    clock.advance(seconds=60)
    assert cache.get("a") == 1
    clock.advance(seconds=0.1)
    assert cache.get("a") is None
    assert len(cache) == 0


def test_a_change_of_the_wall_clock_makes_nothing_older(cache: Cache[str, int], clock: TestClock) -> None:
    cache.put("a", 1)
    clock.jump(clock.now().replace(year=2099))
    assert cache.get("a") == 1


def test_the_least_used_value_goes_first(cache: Cache[str, int]) -> None:
    for key in "abc":
        cache.put(key, 1)
    cache.get("a")
    cache.put("d", 1)
    assert [key for key in "abcd" if cache.get(key)] == ["a", "c", "d"]


async def test_a_known_value_is_not_loaded_again(cache: Cache[str, int]) -> None:
    slow = Slow(1)
    slow.go.set()
    assert [await cache.get_or("a", slow.load) for _ in range(3)] == [1, 1, 1]
    assert slow.asked == 1


async def test_what_could_not_be_loaded_is_not_remembered(cache: Cache[str, int]) -> None:
    async def missing() -> int:
        raise NotFound("no")

    for _ in range(2):
        with pytest.raises(NotFound):
            await cache.get_or("a", missing)
    assert len(cache) == 0


@pytest.mark.parametrize("everything", [False, True], ids=["its key", "everything"])
async def test_a_value_that_was_forgotten_while_it_was_loaded_is_not_kept(
    cache: Cache[str, int], everything: bool
) -> None:
    slow = Slow(1)
    loading = asyncio.create_task(cache.get_or("a", slow.load))
    await slow.begun.wait()
    slow.value = 2
    if everything:
        cache.clear()
    else:
        cache.forget("a")
    slow.go.set()
    assert await loading == 1
    assert cache.get("a") is None
    assert await cache.get_or("a", slow.load) == 2


def test_a_value_is_not_put_when_anything_was_forgotten_since(cache: Cache[str, int]) -> None:
    before = cache.generation
    cache.put("a", 1, since=before)
    cache.forget("b")
    cache.put("c", 3, since=before)
    assert (cache.get("a"), cache.get("c")) == (1, None)
    cache.put("c", 3, since=cache.generation)
    assert cache.get("c") == 3


def test_forgetting_everything_leaves_nothing(cache: Cache[str, int]) -> None:
    cache.put("a", 1)
    cache.clear()
    assert cache.get("a") is None
