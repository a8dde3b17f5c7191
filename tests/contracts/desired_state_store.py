"""What every `DesiredStateStore` promises. The database must hold the device `UUID` and no other."""

from datetime import timedelta
from typing import Any

import pytest

from core.device_state import Content, Deployed, DesiredStateStore, Draft
from core.errors import Conflict, NotFound
from core.ids import DeviceUuid
from core.transactions import Transactions
from tests.support.clock import NOON
from tests.support.states import APPS, OTHER, UUID


def a_version(number: int, *, uuid: DeviceUuid = UUID, apps: Any = None) -> Deployed:
    """A version that anna deployed, some seconds after noon."""
    return Deployed(
        uuid=uuid,
        version=number,
        content=Content(apps=APPS if apps is None else apps, config={"b": [1, 2.5, None], "a": {"é": True}}),
        deployed_at=NOON + timedelta(seconds=number),
        deployed_by="user:7:anna",
    )


def a_draft(revision: int, *, uuid: DeviceUuid = UUID, apps: Any = None) -> Draft:
    """The so-and-so-manieth edit."""
    content = Content(apps=apps or {}, config={"revision": revision})
    return Draft(uuid=uuid, content=content, revision=revision, updated_at=NOON, updated_by="user:7:anna")


class DesiredStateStoreContract:
    """Inherit, with the fixtures `store` and `units`."""

    async def test_there_is_nothing_at_first(self, store: DesiredStateStore, units: Transactions) -> None:
        async with units.read() as tx:
            assert await store.deployed(tx, UUID) is None
            assert await store.draft(tx, UUID) is None
            assert await store.versions(tx, UUID, 10) == []

    async def test_the_highest_version_is_the_one(self, store: DesiredStateStore, units: Transactions) -> None:
        async with units.begin() as tx:
            for number in (1, 2, 10):
                await store.deploy(tx, a_version(number))
        async with units.read() as tx:
            assert await store.deployed(tx, UUID) == a_version(10)
            versions = await store.versions(tx, UUID, 2)
        assert [(entry.version, entry.apps_count) for entry in versions] == [(10, 1), (2, 1)]
        assert versions[0].deployed_at == a_version(10).deployed_at

    async def test_a_version_is_found_by_its_number(self, store: DesiredStateStore, units: Transactions) -> None:
        async with units.begin() as tx:
            await store.deploy(tx, a_version(1))
            await store.deploy(tx, a_version(2, apps={}))
        async with units.read() as tx:
            assert await store.version(tx, UUID, 1) == a_version(1)
            assert await store.version(tx, UUID, 3) is None
            assert await store.version(tx, OTHER, 1) is None

    async def test_old_versions_are_forgotten_and_the_highest_never(
        self, store: DesiredStateStore, units: Transactions
    ) -> None:
        async with units.begin() as tx:
            for number in range(1, 6):
                await store.deploy(tx, a_version(number))
            assert await store.prune(tx, UUID, 0) == 0
            assert await store.prune(tx, UUID, 3) == 2
            assert [entry.version for entry in await store.versions(tx, UUID, 9)] == [5, 4, 3]
            assert await store.prune(tx, UUID, 99) == 2
            assert await store.deployed(tx, UUID) == a_version(5)
            assert await store.prune(tx, OTHER, 99) == 0

    async def test_an_app_is_found_where_it_is_served_or_drafted(
        self, store: DesiredStateStore, units: Transactions
    ) -> None:
        """T-16: asked of the document, not of its text."""
        async with units.begin() as tx:
            await store.deploy(tx, a_version(1))
            assert await store.devices_with_app(tx, 1001, 5) == [UUID]
            assert await store.devices_with_app(tx, 1, 5) == []
            assert await store.devices_with_app(tx, 100, 5) == []
            await store.deploy(tx, a_version(2, apps={"7": {"appId": 7, "note": "1001"}}))
            assert await store.devices_with_app(tx, 1001, 5) == []
            await store.save_draft(tx, a_draft(1, apps=APPS))
            assert await store.devices_with_app(tx, 1001, 5) == [UUID]
            assert await store.devices_with_app(tx, 7, 5) == [UUID]

    async def test_a_version_is_written_once(self, store: DesiredStateStore, units: Transactions) -> None:
        async with units.begin() as tx:
            await store.deploy(tx, a_version(1))
        with pytest.raises(Conflict):
            async with units.begin() as tx:
                await store.deploy(tx, a_version(1, apps={}))
        async with units.read() as tx:
            assert await store.deployed(tx, UUID) == a_version(1)

    async def test_an_unknown_device_gets_no_state(self, store: DesiredStateStore, units: Transactions) -> None:
        with pytest.raises(NotFound):
            async with units.begin() as tx:
                await store.deploy(tx, a_version(1, uuid=OTHER))
        with pytest.raises(NotFound):
            async with units.begin() as tx:
                await store.save_draft(tx, a_draft(1, uuid=OTHER))

    async def test_a_draft_is_kept_as_it_was_saved(self, store: DesiredStateStore, units: Transactions) -> None:
        async with units.begin() as tx:
            await store.save_draft(tx, a_draft(1))
            await store.save_draft(tx, a_draft(2))
        async with units.read() as tx:
            assert await store.draft(tx, UUID) == a_draft(2)

    @pytest.mark.parametrize("revision", [1, 2, 4])
    async def test_an_edit_of_another_revision_is_refused(
        self, store: DesiredStateStore, units: Transactions, revision: int
    ) -> None:
        async with units.begin() as tx:
            await store.save_draft(tx, a_draft(1))
            await store.save_draft(tx, a_draft(2))
        with pytest.raises(Conflict):
            async with units.begin() as tx:
                await store.save_draft(tx, a_draft(revision))

    async def test_a_dropped_draft_is_gone(self, store: DesiredStateStore, units: Transactions) -> None:
        async with units.begin() as tx:
            assert not await store.drop_draft(tx, UUID)
            await store.save_draft(tx, a_draft(1))
            assert await store.drop_draft(tx, UUID)
            assert await store.draft(tx, UUID) is None
            await store.save_draft(tx, a_draft(1))
