"""What every `ApplicationStore` and every `IssuedIdStore` promises."""

import pytest
from attrs import evolve

from core.applications import Application, ApplicationStore, IdKind, IssuedId, IssuedIdStore
from core.errors import Conflict, NotFound
from core.transactions import Transactions
from tests.support.clock import NOON


def an_application(app_id: int, slug: str) -> Application:
    """One of the catalogue."""
    return Application(
        app_id=app_id,
        app_name=f"App {app_id}",
        slug=slug,
        description=None,
        default_config={"a": [1, None]},
        created_at=NOON,
        modified_at=NOON,
    )


class ApplicationStoreContract:
    """Inherit, with the fixtures `store` and `units`."""

    async def test_the_catalogue_comes_back_as_it_was_kept(self, store: ApplicationStore, units: Transactions) -> None:
        first, second = an_application(1000, "a"), an_application(1001, "b")
        async with units.begin() as tx:
            await store.add(tx, second)
            await store.add(tx, first)
            await store.save(tx, changed := evolve(second, app_name="other", default_config={}))
        async with units.read() as tx:
            assert await store.all(tx) == [first, changed]
            assert await store.find(tx, 1001) == changed
            assert await store.find(tx, 7) is None

    async def test_a_slug_is_taken_once(self, store: ApplicationStore, units: Transactions) -> None:
        async with units.begin() as tx:
            await store.add(tx, an_application(1000, "a"))
            await store.add(tx, an_application(1001, "b"))
        with pytest.raises(Conflict, match="slug a"):
            async with units.begin() as tx:
                await store.add(tx, an_application(1002, "a"))
        with pytest.raises(Conflict):
            async with units.begin() as tx:
                await store.save(tx, an_application(1001, "a"))

    async def test_what_is_removed_is_gone(self, store: ApplicationStore, units: Transactions) -> None:
        async with units.begin() as tx:
            await store.add(tx, an_application(1000, "a"))
            await store.remove(tx, 1000)
            assert await store.all(tx) == []
        with pytest.raises(NotFound):
            async with units.begin() as tx:
                await store.remove(tx, 1000)
        with pytest.raises(NotFound):
            async with units.begin() as tx:
                await store.save(tx, an_application(1000, "a"))


class IssuedIdStoreContract:
    """Inherit, with the fixtures `numbers` and `units`."""

    async def test_each_kind_is_counted_from_its_own_beginning(
        self, numbers: IssuedIdStore, units: Transactions
    ) -> None:
        async with units.begin() as tx:
            apps = [await numbers.next(tx, IdKind.APP) for _ in range(3)]
            services = [await numbers.next(tx, IdKind.SERVICE) for _ in range(2)]
        assert (apps, services) == ([1000, 1001, 1002], [1, 2])

    async def test_what_a_number_is_for_is_remembered(self, numbers: IssuedIdStore, units: Transactions) -> None:
        service = IssuedId(
            kind=IdKind.SERVICE,
            id=1,
            name="nginx",
            app_id=1000,
            image_name="nginx:1",
            metadata={"a": 1},
            created_at=NOON,
            created_by="user:7:anna",
        )
        app = evolve(service, kind=IdKind.APP, app_id=None, image_name=None)
        async with units.begin() as tx:
            await numbers.add(tx, service)
            await numbers.add(tx, app)
        async with units.read() as tx:
            assert await numbers.find(tx, IdKind.SERVICE, 1) == service
            assert await numbers.find(tx, IdKind.APP, 2) is None
            assert await numbers.all(tx, IdKind.APP, 9) == [app]
            assert len(await numbers.all(tx, None, 9)) == 2
