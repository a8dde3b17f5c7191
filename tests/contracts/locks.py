"""What `core.locks.Locks` promises."""

import asyncio

import pytest

from core.locks import Locks


class LocksContract:
    """Whoever implements it has a fixture `locks`."""

    async def test_only_one_holds_a_lock(self, locks: Locks) -> None:
        async with locks.try_hold("leader") as first, locks.try_hold("leader") as second:
            assert first is not None
            assert second is None

    async def test_locks_of_other_names_are_free(self, locks: Locks) -> None:
        async with locks.try_hold("leader") as first, locks.try_hold("seat") as second:
            assert first is not None
            assert second is not None

    async def test_a_lock_that_was_given_back_is_free(self, locks: Locks) -> None:
        async with locks.try_hold("leader") as hold:
            assert hold is not None
        async with locks.try_hold("leader") as again:
            assert again is not None

    async def test_a_lock_is_given_back_when_the_holder_fails(self, locks: Locks) -> None:
        with pytest.raises(ValueError, match="a bug"):
            async with locks.try_hold("leader"):
                raise ValueError("a bug")
        async with locks.try_hold("leader") as again:
            assert again is not None

    async def test_who_holds_a_lock_has_not_lost_it(self, locks: Locks) -> None:
        async with locks.try_hold("leader") as hold:
            assert hold is not None
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await hold.lost()
