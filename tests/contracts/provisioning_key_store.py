"""What a store of provisioning keys promises."""

import asyncio
from datetime import timedelta

import pytest
from attrs import evolve

from core.errors import NotFound
from core.ids import ProvisioningKeyId
from core.provisioning import ProvisioningKeyStore
from core.transactions import Transactions
from tests.support.clock import NOON
from tests.support.enrolment import a_key, new_uuid

LATER = NOON + timedelta(seconds=1)


class ProvisioningKeyStoreContract:
    """The tests."""

    async def test_a_key_comes_back_as_it_was_added(
        self, store: ProvisioningKeyStore, transactions: Transactions
    ) -> None:
        key = a_key(description="for the plant", uses=3, last_used_at=LATER)
        async with transactions.begin() as tx:
            await store.add(tx, key)
            assert await store.get(tx, key.id) == key
            assert await store.by_digest(tx, key.digest) == key

    async def test_an_unknown_key_is_not_found(self, store: ProvisioningKeyStore, transactions: Transactions) -> None:
        async with transactions.begin() as tx:
            assert await store.by_digest(tx, "unknown") is None
            with pytest.raises(NotFound):
                await store.get(tx, ProvisioningKeyId("unknown"))

    async def test_keys_are_listed_by_fleet_newest_first(
        self, store: ProvisioningKeyStore, transactions: Transactions
    ) -> None:
        old, new, foreign = a_key(), a_key(created_at=LATER), a_key(fleet_id="other")
        async with transactions.begin() as tx:
            for key in (old, new, foreign):
                await store.add(tx, key)
            assert await store.of_fleet(tx, "tests") == [new, old]
            assert len(await store.of_fleet(tx, None)) == 3
            assert await store.of_fleet(tx, "nobody's") == []

    async def test_saving_changes_whether_it_is_active_and_never_how_often_it_was_used(
        self, store: ProvisioningKeyStore, transactions: Transactions
    ) -> None:
        key = a_key()
        async with transactions.begin() as tx:
            await store.add(tx, key)
            await store.charge(tx, key.id, LATER)
            await store.save(tx, key.revoked("lost"))
            saved = await store.get(tx, key.id)
        assert (saved.is_active, saved.revoked_reason, saved.uses) == (False, "lost", 1)

    async def test_a_key_is_never_charged_past_its_maximum(
        self, store: ProvisioningKeyStore, transactions: Transactions
    ) -> None:
        key = a_key(max_uses=3)
        async with transactions.begin() as tx:
            await store.add(tx, key)

        async def charge() -> bool:
            async with transactions.begin() as tx:
                return await store.charge(tx, key.id, LATER)

        charged = await asyncio.gather(*(charge() for _ in range(20)))
        assert charged.count(True) == 3
        async with transactions.begin() as tx:
            saved = await store.get(tx, key.id)
        assert (saved.uses, saved.last_used_at) == (3, LATER)

    async def test_an_unknown_or_revoked_key_cannot_be_charged(
        self, store: ProvisioningKeyStore, transactions: Transactions
    ) -> None:
        key = a_key().revoked(None)
        async with transactions.begin() as tx:
            await store.add(tx, key)
            assert not await store.charge(tx, key.id, LATER)
            assert not await store.charge(tx, ProvisioningKeyId("unknown"), LATER)

    async def test_touching_a_key_counts_no_use(self, store: ProvisioningKeyStore, transactions: Transactions) -> None:
        key = a_key(max_uses=1, uses=1)
        async with transactions.begin() as tx:
            await store.add(tx, key)
            await store.touch(tx, key.id, LATER)
            saved = await store.get(tx, key.id)
        assert (saved.uses, saved.last_used_at) == (1, LATER)

    async def test_a_key_for_one_device_is_found_by_it_and_follows_it(
        self, store: ProvisioningKeyStore, transactions: Transactions
    ) -> None:
        before, after = new_uuid(), new_uuid()
        key = a_key(device_uuid=before)
        async with transactions.begin() as tx:
            await store.add(tx, key)
            await store.add(tx, a_key())
            assert await store.made_for(tx, before) == [key]
            await store.bind(tx, key.id, after)
            assert await store.made_for(tx, before) == []
            assert await store.made_for(tx, after) == [evolve(key, device_uuid=after)]
