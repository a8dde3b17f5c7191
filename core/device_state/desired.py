"""What devices shall run: served to devices, drafted and deployed by people."""

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import evolve, frozen

from core.actor import Actor
from core.caches import Cache
from core.checks import require, require_device
from core.clock import Clock
from core.device_state.documents import etag_of, names_etag
from core.device_state.drafts import ANYTHING, DEVICE_STATES, Drafts, Expected, may_edit
from core.device_state.events import DraftCancelled
from core.device_state.model import Content, Deployed, Target
from core.device_state.ports import DesiredStateStore
from core.devices import DEVICE_CONTROL, DEVICE_READ, DEVICE_WRITE, DEVICES
from core.errors import Invalid, NotFound
from core.ids import DeviceUuid
from core.transactions import ELSEWHERE, Signals, Transaction, Transactions

REMEMBERED = 200_000
REMEMBERED_FOR = 3600.0
# Longer bodies are read anew when a device needs one; their tags are remembered like all others.
LONGEST_REMEMBERED_BODY = 4096


@frozen(kw_only=True)
class Served:
    """What a device that polls gets: the bytes and their tag, of one moment."""

    etag: str
    body: bytes


@frozen(kw_only=True)
class Unmodified:
    """The device has what it shall run already."""

    etag: str


@frozen(kw_only=True)
class _Remembered:
    etag: str
    body: bytes | None


class DesiredStates:
    """Serves what is deployed to devices; people edit a draft beside it, deploy it or drop it."""

    def __init__(
        self,
        *,
        transactions: Transactions,
        store: DesiredStateStore,
        drafts: Drafts,
        clock: Clock,
        signals: Signals,
    ) -> None:
        self._transactions = transactions
        self._store = store
        self._drafts = drafts
        self._clock = clock
        self._remembered: Cache[str, _Remembered] = Cache(clock, size=REMEMBERED, ttl=REMEMBERED_FOR)
        signals.on(DEVICE_STATES, self._remembered.forget)
        signals.on(DEVICES, self._remembered.forget)
        signals.on(ELSEWHERE, lambda _key: self._remembered.clear())

    async def for_device(
        self, actor: Actor, uuid: DeviceUuid, if_none_match: str | None, *, spelled: str | None = None
    ) -> Unmodified | Served:
        """What the device shall run, unless the raw If-None-Match header says that it knows.

        Asked by every device once a minute: answered from memory. `spelled` is the uuid as the device writes it,
        which is the key it looks for in the body. NotFound when there is no state for it.
        """
        require_device(actor, uuid)
        known = self._remembered.get(uuid)
        fresh: Served | None = None
        if known is None:
            known, fresh = await self._load(uuid)
        if if_none_match is not None and names_etag(if_none_match, known.etag):
            return Unmodified(etag=known.etag)
        if fresh is None:
            fresh = Served(etag=known.etag, body=known.body) if known.body is not None else await self._read(uuid)
        if spelled is None or spelled == uuid:
            return fresh
        return Served(etag=fresh.etag, body=fresh.body.replace(uuid.encode(), spelled.encode(), 1))

    async def view(self, actor: Actor, uuid: DeviceUuid) -> Target:
        """What people see and edit; secrets only if they may edit. A device sees its own without a draft. NotFound."""
        own = actor.device_uuid == uuid
        if not own:
            require(actor, DEVICE_READ)
        async with self._transactions.read() as tx:
            if own:
                return Target(deployed=await self._deployed(tx, uuid))
            return evolve(await self._drafts.target(tx, uuid), with_secrets=may_edit(actor))

    async def replace_draft(
        self,
        actor: Actor,
        uuid: DeviceUuid,
        *,
        apps: Any = None,
        config: Any = None,
        expected: Expected = ANYTHING,
    ) -> Target:
        """Let this be the draft; None leaves that half as people see it now. Conflict if it is not as expected."""
        require(actor, DEVICE_WRITE)
        if apps is None and config is None:
            raise Invalid("send apps, config or both", field="apps")

        def change(seen: Content) -> tuple[Any, Any]:
            return seen.apps if apps is None else apps, seen.config if config is None else config

        return await self._drafts.edit(actor, uuid, change, expected)

    async def deploy(self, actor: Actor, uuid: DeviceUuid, *, expected: Expected = ANYTHING) -> Deployed:
        """Make the draft the next version. Invalid when there is none."""
        require(actor, DEVICE_CONTROL)
        async with self._transactions.begin() as tx:
            target = await self._drafts.target(tx, uuid, to_change=True)
            if target.draft is None:
                raise Invalid("Nothing to deploy")
            expected.check(target)
            deployed = await self._drafts.deploy(tx, actor, target.deployed, target.draft.content)
            await self._store.drop_draft(tx, uuid)
        return deployed

    async def cancel(self, actor: Actor, uuid: DeviceUuid) -> Deployed:
        """Drop the draft; what is deployed then stays. Invalid when there is none."""
        deployed, dropped = await self._discard(actor, uuid)
        if not dropped:
            raise Invalid("Nothing to cancel")
        return deployed

    async def discard(self, actor: Actor, uuid: DeviceUuid) -> Deployed:
        """Drop the draft if there is one."""
        deployed, _ = await self._discard(actor, uuid)
        return deployed

    async def devices_with_app(self, tx: Transaction, app_id: int, limit: int) -> Sequence[DeviceUuid]:
        """Some of the devices that run the app, or would if their draft were deployed, in an open transaction."""
        return await self._store.devices_with_app(tx, app_id, limit)

    def caches(self) -> Mapping[str, Cache[Any, Any]]:
        """What is remembered, to be counted."""
        return {"desired_states": self._remembered}

    async def _discard(self, actor: Actor, uuid: DeviceUuid) -> tuple[Deployed, bool]:
        require(actor, DEVICE_CONTROL)
        async with self._transactions.begin() as tx:
            await self._store.hold(tx, uuid)
            deployed = await self._deployed(tx, uuid)
            dropped = await self._store.drop_draft(tx, uuid)
            if dropped:
                tx.announce(
                    DraftCancelled(at=self._clock.now(), by=actor.reference, uuid=uuid, version=deployed.version)
                )
        return deployed, dropped

    async def _load(self, uuid: DeviceUuid) -> tuple[_Remembered, Served]:
        served: list[Served] = []

        async def load() -> _Remembered:
            fresh = await self._read(uuid)
            served.append(fresh)
            return _Remembered(etag=fresh.etag, body=fresh.body if len(fresh.body) <= LONGEST_REMEMBERED_BODY else None)

        remembered = await self._remembered.get_or(uuid, load)
        return remembered, served[0]

    async def _read(self, uuid: DeviceUuid) -> Served:
        async with self._transactions.read() as tx:
            body = (await self._deployed(tx, uuid)).body()
        return Served(etag=etag_of(body), body=body)

    async def _deployed(self, tx: Transaction, uuid: DeviceUuid) -> Deployed:
        deployed = await self._store.deployed(tx, uuid)
        if deployed is None:
            raise NotFound("there is no such device")
        return deployed
