"""The catalogue: what people may put on devices, under which number."""

from collections.abc import Mapping, Sequence
from typing import Any

from core.actor import Actor
from core.applications.events import ApplicationAdded, ApplicationChanged, ApplicationRemoved
from core.applications.model import LARGEST_ID, Application, ApplicationChange, IdKind, IssuedId, NewApplication
from core.applications.ports import ApplicationStore, IssuedIdStore
from core.checks import require
from core.clock import Clock
from core.device_state import DesiredStates
from core.devices import DEVICE_READ, DEVICE_WRITE
from core.errors import Conflict, NotFound
from core.transactions import Transaction, Transactions

MOST_SHOWN = 1000
DEVICES_NAMED = 5


class Applications:
    """Keeps the catalogue and gives out numbers. Implements `core.device_state.AppNames`."""

    def __init__(
        self,
        *,
        transactions: Transactions,
        store: ApplicationStore,
        numbers: IssuedIdStore,
        desired: DesiredStates,
        clock: Clock,
    ) -> None:
        self._transactions = transactions
        self._store = store
        self._numbers = numbers
        self._desired = desired
        self._clock = clock

    async def add(self, actor: Actor, wanted: NewApplication) -> Application:
        """One more in the catalogue, with a number of its own. Conflict if its slug is taken."""
        require(actor, DEVICE_WRITE)
        now = self._clock.now()
        async with self._transactions.begin() as tx:
            number = await self._give_out(tx, actor, IdKind.APP, wanted.app_name)
            application = Application(
                app_id=number.id,
                app_name=wanted.app_name.strip(),
                slug=wanted.slug,
                description=wanted.description,
                default_config=wanted.default_config,
                created_at=now,
                modified_at=now,
            )
            await self._store.add(tx, application)
            tx.announce(
                ApplicationAdded(at=now, by=actor.reference, app_id=application.app_id, name=application.app_name)
            )
        return application

    async def all(self, actor: Actor) -> Sequence[Application]:
        """The catalogue."""
        require(actor, DEVICE_READ)
        async with self._transactions.read() as tx:
            return await self._store.all(tx)

    async def get(self, actor: Actor, app_id: int) -> Application:
        """One application. NotFound."""
        require(actor, DEVICE_READ)
        async with self._transactions.read() as tx:
            return await self._get(tx, app_id)

    async def change(self, actor: Actor, app_id: int, change: ApplicationChange) -> Application:
        """Change what the catalogue says of it; devices keep what they have. Conflict, Invalid, NotFound."""
        require(actor, DEVICE_WRITE)
        now = self._clock.now()
        async with self._transactions.begin() as tx:
            before = await self._get(tx, app_id, to_change=True)
            after = change.applied_to(before, now)
            await self._store.save(tx, after)
            names = ("app_name", "slug", "description", "default_config")
            changes = tuple(name for name in names if getattr(before, name) != getattr(after, name))
            tx.announce(ApplicationChanged(at=now, by=actor.reference, app_id=app_id, changes=changes))
        return after

    async def remove(self, actor: Actor, app_id: int) -> Application:
        """Take it out of the catalogue. Conflict while a device runs it, or has it in its draft (T-16); NotFound."""
        require(actor, DEVICE_WRITE)
        async with self._transactions.begin() as tx:
            application = await self._get(tx, app_id)
            users = await self._desired.devices_with_app(tx, app_id, DEVICES_NAMED)
            if users:
                raise Conflict(f"the application is deployed or drafted, on {', '.join(users)}: remove it there first")
            await self._store.remove(tx, app_id)
            now = self._clock.now()
            tx.announce(ApplicationRemoved(at=now, by=actor.reference, app_id=app_id, name=application.app_name))
        return application

    async def next_id(
        self,
        actor: Actor,
        kind: IdKind,
        name: str,
        *,
        app_id: int | None = None,
        image_name: str | None = None,
        metadata: Mapping[str, Any],
    ) -> IssuedId:
        """A number for an app, or for a service of one, that is nobody else's. Invalid."""
        require(actor, DEVICE_WRITE)
        async with self._transactions.begin() as tx:
            return await self._give_out(tx, actor, kind, name, app_id=app_id, image_name=image_name, metadata=metadata)

    async def issued(self, actor: Actor, kind: IdKind | None) -> Sequence[IssuedId]:
        """What numbers were given out for, the newest first."""
        require(actor, DEVICE_READ)
        async with self._transactions.read() as tx:
            return await self._numbers.all(tx, kind, MOST_SHOWN)

    async def issued_for(self, actor: Actor, kind: IdKind, number: int) -> IssuedId:
        """What a number was given out for. NotFound."""
        require(actor, DEVICE_READ)
        async with self._transactions.read() as tx:
            found = await self._numbers.find(tx, kind, number)
        if found is None:
            raise NotFound(f"no {kind.value} has the number {number}")
        return found

    async def container_name(self, tx: Transaction, app_id: int) -> str | None:
        """What Docker takes as part of a container's name, or None if the catalogue has no such application."""
        application = await self._store.find(tx, app_id) if app_id <= LARGEST_ID else None
        return application.container_name if application else None

    async def _give_out(
        self,
        tx: Transaction,
        actor: Actor,
        kind: IdKind,
        name: str,
        *,
        app_id: int | None = None,
        image_name: str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> IssuedId:
        issued = IssuedId(
            kind=kind,
            id=await self._numbers.next(tx, kind),
            name=name,
            app_id=app_id,
            image_name=image_name,
            metadata=metadata or {},
            created_at=self._clock.now(),
            created_by=actor.reference,
        )
        await self._numbers.add(tx, issued)
        return issued

    async def _get(self, tx: Transaction, app_id: int, *, to_change: bool = False) -> Application:
        application = await self._store.find(tx, app_id, to_change=to_change)
        if application is None:
            raise NotFound(f"the catalogue has no application {app_id}")
        return application
