"""What a store of assignments to brokers promises. Subclasses give `assignments` and `devices`."""

import pytest

from core.devices import DeviceStore
from core.errors import NotFound
from core.mqtt import AssignmentStore, BrokerId
from core.transactions import Transactions
from tests.support.clock import NOON
from tests.support.enrolment import a_device, new_uuid

ONE, TWO = BrokerId(1), BrokerId(2)


class AssignmentStoreContract:
    """The tests."""

    async def test_a_device_has_the_broker_it_was_assigned_to_last(
        self, assignments: AssignmentStore, devices: DeviceStore, transactions: Transactions
    ) -> None:
        async with transactions.begin() as tx:
            device = await devices.add(tx, a_device())
            assert await assignments.of(tx, device.uuid) is None
            for broker in (ONE, TWO, TWO, None, None):
                await assignments.put(tx, device.uuid, broker, NOON)
                assert await assignments.of(tx, device.uuid) == broker

    async def test_devices_are_counted_and_forgotten_by_broker(
        self, assignments: AssignmentStore, devices: DeviceStore, transactions: Transactions
    ) -> None:
        async with transactions.begin() as tx:
            assert await assignments.counts(tx) == {}
            for broker in (ONE, TWO, TWO):
                device = await devices.add(tx, a_device())
                await assignments.put(tx, device.uuid, broker, NOON)
            assert await assignments.counts(tx) == {ONE: 1, TWO: 2}
            await devices.remove(tx, device.uuid)
            assert await assignments.counts(tx) == {ONE: 1, TWO: 1}
            await assignments.forget(tx, TWO)
            await assignments.forget(tx, BrokerId(3))
            assert await assignments.counts(tx) == {ONE: 1}

    async def test_who_is_not_there_is_not_found(
        self, assignments: AssignmentStore, transactions: Transactions
    ) -> None:
        with pytest.raises(NotFound):
            async with transactions.begin() as tx:
                await assignments.put(tx, new_uuid(), ONE, NOON)
