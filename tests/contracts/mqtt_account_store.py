"""What a store of the broker's accounts promises."""

import pytest

from core.devices import DeviceStatus, DeviceStore
from core.errors import NotFound
from core.mqtt import MqttAccount, MqttAccountStore
from core.transactions import Transactions
from tests.support.clock import NOON
from tests.support.enrolment import a_device


class MqttAccountStoreContract:
    """The tests."""

    async def test_an_account_comes_back_as_it_was_put_and_is_replaced_by_name(
        self, store: MqttAccountStore, transactions: Transactions
    ) -> None:
        first = MqttAccount(username="anna", digest="one", is_active=True, is_superuser=True)
        second = MqttAccount(username="anna", digest="two", is_active=False)
        async with transactions.begin() as tx:
            await store.put(tx, first, NOON)
            assert await store.get(tx, "anna") == first
            await store.put(tx, second, NOON)
            assert await store.get(tx, "anna") == second

    async def test_an_unknown_account_is_not_found_and_names_are_exact(
        self, store: MqttAccountStore, transactions: Transactions
    ) -> None:
        async with transactions.begin() as tx:
            await store.put(tx, MqttAccount(username="anna", digest="one", is_active=True), NOON)
            for name in ("Anna", "anna ", "ann", "", "anna\0", "%"):
                with pytest.raises(NotFound):
                    await store.get(tx, name)

    async def test_the_account_of_a_device_is_active_only_while_the_device_is(
        self, store: MqttAccountStore, devices: DeviceStore, transactions: Transactions
    ) -> None:
        async with transactions.begin() as tx:
            device = await devices.add(tx, a_device())
            account = MqttAccount(username="its", digest="one", is_active=True, device_uuid=device.uuid)
            await store.put(tx, account, NOON)
            assert (await store.get(tx, "its")).is_active
            await devices.save(tx, device.changed(NOON, status=DeviceStatus.INACTIVE))
            assert not (await store.get(tx, "its")).is_active

    async def test_an_account_remembers_that_its_device_registered_by_v2(
        self, store: MqttAccountStore, devices: DeviceStore, transactions: Transactions
    ) -> None:
        async with transactions.begin() as tx:
            device = await devices.add(tx, a_device())
            for v2 in (True, False):
                account = MqttAccount(username="its", digest="one", is_active=True, device_uuid=device.uuid, v2=v2)
                await store.put(tx, account, NOON)
                assert await store.get(tx, "its") == account

    async def test_the_account_goes_with_its_device(
        self, store: MqttAccountStore, devices: DeviceStore, transactions: Transactions
    ) -> None:
        async with transactions.begin() as tx:
            device = await devices.add(tx, a_device())
            account = MqttAccount(username="its", digest="one", is_active=True, device_uuid=device.uuid)
            await store.put(tx, account, NOON)
            await devices.remove(tx, device.uuid)
            with pytest.raises(NotFound):
                await store.get(tx, "its")
