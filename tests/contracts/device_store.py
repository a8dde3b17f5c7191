"""What a store of devices promises."""

from datetime import timedelta

import pytest
from attrs import evolve

from core.devices import Device, DeviceStatus, DeviceStore, ProvisioningState
from core.errors import Conflict, NotFound
from core.transactions import Transactions
from tests.support.clock import NOON
from tests.support.enrolment import a_device, new_uuid

LATER = NOON + timedelta(seconds=1.000001)


def a_full_device() -> Device:
    """One of which everything is known."""
    return a_device(
        name="Gäteway 七",
        status=DeviceStatus.INACTIVE,
        provisioning=ProvisioningState.RELEASED,
        fleet_id="plant",
        provisioned_at=LATER,
        provisioned_by="key",
        mac_address="02:00:00:00:00:01",
        ip_address="192.0.2.7",
        os_version="Debian 12",
        agent_version="1.0.84",
        is_online=True,
        connectivity_at=LATER,
        last_seen=LATER,
        revision=7,
    )


class DeviceStoreContract:
    """The tests."""

    @pytest.mark.parametrize("device", [a_device(), a_full_device()], ids=["bare", "full"])
    async def test_a_device_comes_back_as_it_was_added(
        self, store: DeviceStore, transactions: Transactions, device: Device
    ) -> None:
        async with transactions.begin() as tx:
            added = await store.add(tx, device)
        assert added.id > 0
        async with transactions.read() as tx:
            assert await store.get(tx, device.uuid) == evolve(device, id=added.id)
            assert await store.find(tx, device.uuid) == added

    async def test_a_second_device_with_the_same_uuid_conflicts(
        self, store: DeviceStore, transactions: Transactions
    ) -> None:
        device = a_device()
        async with transactions.begin() as tx:
            await store.add(tx, device)
        with pytest.raises(Conflict):
            async with transactions.begin() as tx:
                await store.add(tx, evolve(device, name="another"))

    async def test_an_unknown_device_is_not_found(self, store: DeviceStore, transactions: Transactions) -> None:
        async with transactions.begin() as tx:
            assert await store.find(tx, new_uuid()) is None
            with pytest.raises(NotFound):
                await store.get(tx, new_uuid())
            with pytest.raises(NotFound):
                await store.remove(tx, new_uuid())
            with pytest.raises(NotFound):
                await store.save(tx, a_device(revision=2))

    async def test_of_two_who_change_the_same_revision_the_second_conflicts(
        self, store: DeviceStore, transactions: Transactions
    ) -> None:
        async with transactions.begin() as tx:
            device = await store.add(tx, a_device())
            await store.save(tx, device.changed(LATER, name="first"))
        with pytest.raises(Conflict):
            async with transactions.begin() as tx:
                await store.save(tx, device.changed(LATER, name="second"))
        async with transactions.read() as tx:
            saved = await store.get(tx, device.uuid)
        assert (saved.name, saved.revision, saved.modified_at) == ("first", 2, LATER)

    async def test_saving_leaves_alone_what_liveness_writes(
        self, store: DeviceStore, transactions: Transactions
    ) -> None:
        async with transactions.begin() as tx:
            device = await store.add(tx, a_device(is_online=True, last_seen=NOON, connectivity_at=NOON))
            await store.save(tx, device.changed(LATER, is_online=False, last_seen=None, connectivity_at=None))
            saved = await store.get(tx, device.uuid)
        assert (saved.is_online, saved.last_seen, saved.connectivity_at) == (True, NOON, NOON)

    async def test_a_removed_device_is_gone_and_its_number_is_not_given_again(
        self, store: DeviceStore, transactions: Transactions
    ) -> None:
        async with transactions.begin() as tx:
            first = await store.add(tx, a_device())
            await store.remove(tx, first.uuid)
            assert await store.find(tx, first.uuid) is None
            again = await store.add(tx, evolve(first, id=0))
        assert again.id > first.id

    async def test_only_devices_in_service_are_counted(self, store: DeviceStore, transactions: Transactions) -> None:
        async with transactions.begin() as tx:
            for status in (DeviceStatus.ACTIVE, DeviceStatus.INACTIVE, DeviceStatus.ACTIVE):
                await store.add(tx, a_device(status=status))
            assert await store.count_active(tx) == 2

    async def test_a_pending_device_is_not_in_service_yet(self, store: DeviceStore, transactions: Transactions) -> None:
        async with transactions.begin() as tx:
            await store.add(tx, a_device(provisioning=ProvisioningState.PENDING))
            await store.add(tx, a_device(provisioning=ProvisioningState.RELEASED))
            assert await store.count_active(tx) == 1

    async def test_those_that_are_known_are_told_from_those_that_are_not(
        self, store: DeviceStore, transactions: Transactions
    ) -> None:
        async with transactions.begin() as tx:
            uuids = [(await store.add(tx, a_device())).uuid for _ in range(3)]
            assert await store.known(tx, [uuids[0], new_uuid(), uuids[2], uuids[0]]) == {uuids[0], uuids[2]}
            assert await store.known(tx, []) == set()
            assert await store.known(tx, [new_uuid() for _ in range(1000)]) == set()

    async def test_a_renamed_device_is_the_same_under_another_uuid(
        self, store: DeviceStore, transactions: Transactions
    ) -> None:
        new = new_uuid()
        async with transactions.begin() as tx:
            device = await store.add(tx, a_full_device())
            other = await store.add(tx, a_device())
            await store.rename(tx, device.uuid, new)
            await store.rename(tx, other.uuid, other.uuid)
            assert await store.get(tx, new) == evolve(device, uuid=new)
            assert await store.find(tx, device.uuid) is None
            assert await store.get(tx, other.uuid) == other
            assert (await store.add(tx, a_device())).id > other.id

    async def test_a_device_cannot_get_the_uuid_of_another_nor_one_that_is_not_there_any(
        self, store: DeviceStore, transactions: Transactions
    ) -> None:
        async with transactions.begin() as tx:
            first, second = [await store.add(tx, a_device()) for _ in range(2)]
            with pytest.raises(NotFound):
                await store.rename(tx, new_uuid(), new_uuid())
        with pytest.raises(Conflict):
            async with transactions.begin() as tx:
                await store.rename(tx, first.uuid, second.uuid)
        async with transactions.read() as tx:
            assert [await store.get(tx, each.uuid) for each in (first, second)] == [first, second]
