"""What every `PastStateStore` promises. The database must hold the device `UUID` and no other."""

from datetime import datetime, timedelta
from typing import Any

from attrs import evolve

from core.device_state import Content, Deployed, DesiredStateStore, PastStateStore, ReportedVersion
from core.transactions import Transactions
from tests.support.clock import NOON
from tests.support.states import APPS, OTHER, UUID


def after(minutes: int) -> datetime:
    """So long after noon."""
    return NOON + timedelta(minutes=minutes)


def a_version(minutes: int, **fields: Any) -> ReportedVersion:
    """What a device ran from so long after noon."""
    return evolve(ReportedVersion(uuid=UUID, reported_at=after(minutes), version=minutes, apps=APPS), **fields)


class PastStateStoreContract:
    """Inherit, with the fixtures `store`, `desired` (of the same database) and `units`."""

    async def test_what_a_device_ran_is_what_it_reported_last(self, store: PastStateStore, units: Transactions) -> None:
        async with units.begin() as tx:
            for minutes in (10, 20):
                await store.remember(tx, a_version(minutes), 5)
            assert await store.reported(tx, UUID, after(9)) is None
            assert await store.reported(tx, UUID, after(10)) == a_version(10)
            assert await store.reported(tx, UUID, after(19)) == a_version(10)
            assert await store.reported(tx, UUID, after(99)) == a_version(20)
            assert await store.reported(tx, OTHER, after(99)) is None

    async def test_apps_that_are_not_remembered_are_none(self, store: PastStateStore, units: Transactions) -> None:
        async with units.begin() as tx:
            await store.remember(tx, a_version(1, apps=None, version=None), 5)
            assert await store.reported(tx, UUID, after(1)) == a_version(1, apps=None, version=None)

    async def test_only_so_many_are_remembered(self, store: PastStateStore, units: Transactions) -> None:
        async with units.begin() as tx:
            for minutes in range(1, 6):
                await store.remember(tx, a_version(minutes), 3)
            assert await store.reported(tx, UUID, after(2)) is None
            assert await store.reported(tx, UUID, after(3)) == a_version(3)

    async def test_what_was_deployed_is_the_version_that_was_served(
        self, store: PastStateStore, desired: DesiredStateStore, units: Transactions
    ) -> None:
        content = Content(apps=APPS, config={})
        async with units.begin() as tx:
            for version, minutes in ((1, 10), (2, 20)):
                deployed = Deployed(
                    uuid=UUID, version=version, content=content, deployed_at=after(minutes), deployed_by="system"
                )
                await desired.deploy(tx, deployed)
            found = [await store.deployed(tx, UUID, after(minutes)) for minutes in (9, 10, 19, 20)]
        assert [each and each.version for each in found] == [None, 1, 1, 2]
        assert found[1] is not None
        assert found[1].content == content

    async def test_what_was_not_true_any_more_is_forgotten(self, store: PastStateStore, units: Transactions) -> None:
        async with units.begin() as tx:
            for minutes in (10, 20, 30, 40):
                await store.remember(tx, a_version(minutes), 9)
            assert [await store.forget_before(tx, after(35), 1) for _ in range(3)] == [1, 1, 0]
            assert await store.reported(tx, UUID, after(35)) == a_version(30)
            assert await store.reported(tx, UUID, after(29)) is None
