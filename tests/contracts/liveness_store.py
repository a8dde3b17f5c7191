"""What a store of signs of life promises."""

from datetime import UTC, datetime, timedelta

from core.devices import DeviceStore, LivenessStore
from core.transactions import Transactions
from tests.support.clock import NOON
from tests.support.enrolment import a_device, new_uuid

LATER = NOON + timedelta(seconds=10)


class LivenessStoreContract:
    """The tests."""

    async def test_only_those_who_were_offline_come_online(
        self, store: LivenessStore, devices: DeviceStore, transactions: Transactions
    ) -> None:
        async with transactions.begin() as tx:
            first, second = [(await devices.add(tx, a_device())).uuid for _ in range(2)]
            assert await store.online(tx) == []
            assert await store.heard(tx, {first: NOON}) == [first]
            assert await store.heard(tx, {first: LATER, second: LATER}) == [second]
            assert set(await store.online(tx)) == {first, second}
            device = await devices.get(tx, first)
        assert (device.is_online, device.connectivity_at, device.last_seen) == (True, NOON, LATER)

    async def test_only_those_who_were_online_go_offline(
        self, store: LivenessStore, devices: DeviceStore, transactions: Transactions
    ) -> None:
        async with transactions.begin() as tx:
            first, second = [(await devices.add(tx, a_device())).uuid for _ in range(2)]
            await store.heard(tx, {first: NOON})
            assert await store.silent(tx, [first, second], LATER) == [first]
            assert await store.silent(tx, [first, second], LATER) == []
            device = await devices.get(tx, first)
        assert (device.is_online, device.connectivity_at, device.last_seen) == (False, LATER, NOON)

    async def test_only_those_who_were_not_heard_of_since_the_moment_fall_silent(
        self, store: LivenessStore, devices: DeviceStore, transactions: Transactions
    ) -> None:
        async with transactions.begin() as tx:
            early, late, never = [(await devices.add(tx, a_device())).uuid for _ in range(3)]
            await store.heard(tx, {early: NOON, late: LATER})
            assert await store.fall_silent(tx, LATER, LATER, 10) == [early]
            assert await store.fall_silent(tx, LATER, LATER, 10) == []
            assert set(await store.online(tx)) == {late}
            assert (await devices.get(tx, never)).connectivity_at is None

    async def test_no_more_fall_silent_at_once_than_are_wanted(
        self, store: LivenessStore, devices: DeviceStore, transactions: Transactions
    ) -> None:
        async with transactions.begin() as tx:
            three = [(await devices.add(tx, a_device())).uuid for _ in range(3)]
            await store.heard(tx, dict.fromkeys(three, NOON))
            first = await store.fall_silent(tx, LATER, LATER, 2)
            second = await store.fall_silent(tx, LATER, LATER, 2)
        assert (len(first), len(second)) == (2, 1)
        assert {*first, *second} == set(three)

    async def test_what_another_process_has_written_down_is_not_made_older_unless_its_clock_was_wrong(
        self, store: LivenessStore, devices: DeviceStore, transactions: Transactions
    ) -> None:
        async with transactions.begin() as tx:
            device = (await devices.add(tx, a_device())).uuid
            await store.heard(tx, {device: LATER})
            await store.heard(tx, {device: NOON})
            assert (await devices.get(tx, device)).last_seen == LATER
            await store.heard(tx, {device: NOON - timedelta(days=1)})
            assert (await devices.get(tx, device)).last_seen == NOON - timedelta(days=1)

    async def test_the_time_is_that_of_the_database(self, store: LivenessStore, transactions: Transactions) -> None:
        async with transactions.read() as tx:
            assert abs(await store.now(tx) - datetime.now(UTC)) < timedelta(minutes=1)

    async def test_devices_that_are_gone_are_passed_over(
        self, store: LivenessStore, transactions: Transactions
    ) -> None:
        async with transactions.begin() as tx:
            assert await store.heard(tx, {new_uuid(): NOON}) == []
            assert await store.silent(tx, [new_uuid()], NOON) == []
            assert await store.heard(tx, {}) == []

    async def test_a_sign_of_life_is_no_revision(
        self, store: LivenessStore, devices: DeviceStore, transactions: Transactions
    ) -> None:
        """Else people could not save what they edit while the device lives."""
        async with transactions.begin() as tx:
            device = await devices.add(tx, a_device())
            await store.heard(tx, {device.uuid: LATER})
            await devices.save(tx, device.changed(LATER, name="edited"))
            assert (await devices.get(tx, device.uuid)).name == "edited"
