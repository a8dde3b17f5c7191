"""What a store of device keys promises."""

import pytest

from core.devices import Device, DeviceKeyStore, DeviceStatus, DeviceStore, KnownDevice
from core.errors import Conflict
from core.transactions import Transactions
from tests.support.clock import NOON
from tests.support.enrolment import a_device, new_secret, new_uuid


class DeviceKeyStoreContract:
    """The tests."""

    @pytest.fixture
    async def device(self, devices: DeviceStore, transactions: Transactions) -> Device:
        """A device without a key."""
        async with transactions.begin() as tx:
            return await devices.add(tx, a_device())

    async def test_a_device_has_one_key_at_a_time(
        self, store: DeviceKeyStore, transactions: Transactions, device: Device
    ) -> None:
        old, new = new_secret(), new_secret()
        async with transactions.begin() as tx:
            assert await store.digest(tx, device.uuid) is None
            await store.put(tx, device.uuid, old, NOON)
            await store.put(tx, device.uuid, new, NOON)
            assert await store.digest(tx, device.uuid) == new
            assert await store.holder(tx, old) is None
            assert await store.holder(tx, new) == KnownDevice(uuid=device.uuid, active=True)

    async def test_a_public_key_belongs_to_the_key_that_it_was_put_with(
        self, store: DeviceKeyStore, devices: DeviceStore, transactions: Transactions, device: Device
    ) -> None:
        async with transactions.begin() as tx:
            other = await devices.add(tx, a_device())
            assert await store.fingerprint(tx, device.uuid) is None
            await store.put(tx, device.uuid, "one", NOON, fingerprint="abc")
            await store.put(tx, other.uuid, "two", NOON, fingerprint="abc")
            assert await store.fingerprint(tx, device.uuid) == "abc"
            await store.put(tx, device.uuid, "three", NOON)
            assert await store.fingerprint(tx, device.uuid) is None

    async def test_the_same_key_again_is_no_conflict_but_that_of_another_device_is(
        self, store: DeviceKeyStore, devices: DeviceStore, transactions: Transactions, device: Device
    ) -> None:
        digest = new_secret()
        async with transactions.begin() as tx:
            await store.put(tx, device.uuid, digest, NOON)
            await store.put(tx, device.uuid, digest, NOON)
            other = await devices.add(tx, a_device())
        with pytest.raises(Conflict):
            async with transactions.begin() as tx:
                await store.put(tx, other.uuid, digest, NOON)

    async def test_the_holder_may_be_out_of_service(
        self, store: DeviceKeyStore, devices: DeviceStore, transactions: Transactions
    ) -> None:
        async with transactions.begin() as tx:
            device = await devices.add(tx, a_device(status=DeviceStatus.INACTIVE))
            await store.put(tx, device.uuid, "digest", NOON)
            assert await store.holder(tx, "digest") == KnownDevice(uuid=device.uuid, active=False)

    async def test_the_key_goes_with_its_device(
        self, store: DeviceKeyStore, devices: DeviceStore, transactions: Transactions, device: Device
    ) -> None:
        async with transactions.begin() as tx:
            await store.put(tx, device.uuid, "digest", NOON)
            await devices.remove(tx, device.uuid)
            assert await store.holder(tx, "digest") is None
            assert await store.digest(tx, device.uuid) is None

    async def test_a_key_of_no_device_cannot_be_stored(self, store: DeviceKeyStore, transactions: Transactions) -> None:
        with pytest.raises(Conflict):
            async with transactions.begin() as tx:
                await store.put(tx, new_uuid(), "digest", NOON)
