"""What is promised of a memory of who listens. Subclasses give `hearing` and `devices`."""

from datetime import timedelta

from core.devices import DeviceStore, LivenessStore
from core.ids import DeviceUuid
from core.mqtt import Heard, HearingStore, Note
from core.transactions import Transaction, Transactions
from tests.support.clock import NOON
from tests.support.enrolment import a_device, new_uuid

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)


class HearingStoreContract:
    """The tests."""

    async def online(self, tx: Transaction, devices: DeviceStore, liveness: LivenessStore) -> DeviceUuid:
        """A device that speaks to us."""
        device = await devices.add(tx, a_device())
        await liveness.heard(tx, {device.uuid: NOON})
        return device.uuid

    async def test_the_latest_moments_are_remembered(
        self, hearing: HearingStore, devices: DeviceStore, transactions: Transactions
    ) -> None:
        async with transactions.begin() as tx:
            uuid = (await devices.add(tx, a_device())).uuid
            assert await hearing.of(tx, uuid) is None
            await hearing.note(tx, {uuid: Note(connected_at=NOON, listened_at=NOON + SECOND)})
            assert await hearing.of(tx, uuid) == Heard(connected_at=NOON, listened_at=NOON + SECOND)
            await hearing.note(tx, {uuid: Note(connected_at=NOON + MINUTE)})
            assert await hearing.of(tx, uuid) == Heard(connected_at=NOON + MINUTE, listened_at=NOON + SECOND)
            await hearing.note(tx, {uuid: Note(listened_at=NOON + MINUTE)})
            assert await hearing.of(tx, uuid) == Heard(connected_at=NOON + MINUTE, listened_at=NOON + MINUTE)

    async def test_devices_that_there_are_not_leave_nothing_behind(
        self, hearing: HearingStore, devices: DeviceStore, transactions: Transactions
    ) -> None:
        gone = new_uuid()
        async with transactions.begin() as tx:
            uuid = (await devices.add(tx, a_device())).uuid
            await hearing.note(tx, {gone: Note(connected_at=NOON), uuid: Note(connected_at=NOON)})
            assert await hearing.of(tx, gone) is None
            assert await hearing.of(tx, uuid) is not None

    async def test_who_connected_and_has_not_subscribed_since_is_silent(
        self, hearing: HearingStore, devices: DeviceStore, liveness: LivenessStore, transactions: Transactions
    ) -> None:
        async with transactions.begin() as tx:
            silent, listening, again, offline = [await self.online(tx, devices, liveness) for _ in range(4)]
            await liveness.silent(tx, [offline], NOON)
            early = Note(connected_at=NOON, listened_at=NOON + SECOND)
            await hearing.note(tx, {listening: early, again: early})
            late = Note(connected_at=NOON + MINUTE)
            await hearing.note(tx, {silent: Note(connected_at=NOON), again: late, offline: Note(connected_at=NOON)})
            found = await hearing.silent(tx, since=NOON - SECOND, before=NOON + MINUTE, limit=10)
            assert list(found) == [silent, again]
            assert found[again] == Heard(connected_at=NOON + MINUTE, listened_at=NOON + SECOND)
            assert list(await hearing.silent(tx, since=NOON, before=NOON + MINUTE, limit=10)) == [again]
            assert list(await hearing.silent(tx, since=NOON - SECOND, before=NOON, limit=10)) == [silent]
            assert list(await hearing.silent(tx, since=NOON - SECOND, before=NOON + MINUTE, limit=1)) == [silent]

    async def test_who_was_found_deaf_is_not_found_again_until_it_comes_anew(
        self, hearing: HearingStore, devices: DeviceStore, liveness: LivenessStore, transactions: Transactions
    ) -> None:
        async with transactions.begin() as tx:
            uuid = await self.online(tx, devices, liveness)
            for heals in (Note(connected_at=NOON + SECOND), Note(listened_at=NOON + MINUTE)):
                await hearing.note(tx, {uuid: Note(connected_at=NOON)})
                await hearing.found_deaf(tx, uuid, NOON + SECOND)
                assert await hearing.silent(tx, since=NOON - SECOND, before=NOON + MINUTE, limit=10) == {}
                assert (await hearing.of(tx, uuid) or Heard(connected_at=NOON)).deaf_since == NOON + SECOND
                await hearing.note(tx, {uuid: heals})
                assert (await hearing.of(tx, uuid) or Heard(connected_at=NOON)).deaf_since is None
