"""What devices shall run: served to devices, drafted and deployed by people."""

from collections.abc import Sequence
from typing import Any

from attrs import evolve, frozen

from core.actor import Actor, ActorKind
from core.caches import Cache
from core.checks import require, require_device
from core.clock import Clock
from core.device_state.documents import etag_of, names_etag
from core.device_state.events import DraftCancelled, TargetStateDeployed, TargetStateDrafted
from core.device_state.model import Content, Deployed, DeployedVersion, Draft, Target
from core.device_state.ports import DesiredStateStore
from core.devices import DEVICE_CONTROL, DEVICE_READ, DEVICE_WRITE, DEVICES
from core.errors import Conflict, Invalid, NotFound
from core.ids import DeviceUuid
from core.transactions import Signals, Transaction, Transactions

DEVICE_STATES = "device_states"

REMEMBERED = 200_000
REMEMBERED_FOR = 3600.0
# Longer bodies are read anew when a device needs one; their tags are remembered like all others.
LONGEST_REMEMBERED_BODY = 4096
MOST_VERSIONS = 500


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

    def __init__(self, *, transactions: Transactions, store: DesiredStateStore, clock: Clock, signals: Signals) -> None:
        self._transactions = transactions
        self._store = store
        self._clock = clock
        self._remembered: Cache[str, _Remembered] = Cache(clock, size=REMEMBERED, ttl=REMEMBERED_FOR)
        signals.on(DEVICE_STATES, self._remembered.forget)
        signals.on(DEVICES, self._remembered.forget)

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
            return evolve(await self._target(tx, uuid), with_secrets=_may_edit(actor))

    async def replace_draft(
        self, actor: Actor, uuid: DeviceUuid, *, apps: Any = None, config: Any = None, if_match: str | None = None
    ) -> Target:
        """Let this be the draft; None leaves that half as people see it now.

        `if_match` is the raw header with the tag of what was edited: Conflict if that has changed meanwhile.
        """
        require(actor, DEVICE_WRITE)
        if apps is None and config is None:
            raise Invalid("send apps, config or both", field="apps")
        async with self._transactions.begin() as tx:
            target = await self._target(tx, uuid)
            _check_match(target, if_match)
            before = target.content
            draft = Draft(
                uuid=uuid,
                content=Content.of(before.apps if apps is None else apps, before.config if config is None else config),
                revision=target.draft.revision + 1 if target.draft else 1,
                updated_at=self._clock.now(),
                updated_by=actor.reference,
            )
            await self._store.save_draft(tx, draft)
            tx.announce(TargetStateDrafted(at=draft.updated_at, by=actor.reference, uuid=uuid, revision=draft.revision))
        return Target(deployed=target.deployed, draft=draft)

    async def deploy(self, actor: Actor, uuid: DeviceUuid, *, if_match: str | None = None) -> Deployed:
        """Make the draft the next version. Invalid when there is none."""
        require(actor, DEVICE_CONTROL)
        async with self._transactions.begin() as tx:
            target = await self._target(tx, uuid)
            if target.draft is None:
                raise Invalid("Nothing to deploy")
            _check_match(target, if_match)
            deployed = Deployed(
                uuid=uuid,
                version=target.deployed.version + 1,
                content=target.draft.content,
                deployed_at=self._clock.now(),
                deployed_by=actor.reference,
            )
            await self._store.deploy(tx, deployed)
            await self._store.drop_draft(tx, uuid)
            tx.announce(
                TargetStateDeployed(at=deployed.deployed_at, by=actor.reference, uuid=uuid, version=deployed.version)
            )
            tx.signal(DEVICE_STATES, uuid)
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

    async def versions(self, actor: Actor, uuid: DeviceUuid) -> Sequence[DeployedVersion]:
        """Who deployed which version when, the newest first. NotFound."""
        require(actor, DEVICE_READ)
        async with self._transactions.read() as tx:
            await self._deployed(tx, uuid)
            return await self._store.versions(tx, uuid, MOST_VERSIONS)

    async def _discard(self, actor: Actor, uuid: DeviceUuid) -> tuple[Deployed, bool]:
        require(actor, DEVICE_CONTROL)
        async with self._transactions.begin() as tx:
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

    async def _target(self, tx: Transaction, uuid: DeviceUuid) -> Target:
        return Target(deployed=await self._deployed(tx, uuid), draft=await self._store.draft(tx, uuid))

    async def _deployed(self, tx: Transaction, uuid: DeviceUuid) -> Deployed:
        deployed = await self._store.deployed(tx, uuid)
        if deployed is None:
            raise NotFound("there is no such device")
        return deployed


def _may_edit(actor: Actor) -> bool:
    return actor.kind is ActorKind.SYSTEM or DEVICE_WRITE in actor.permissions


def _check_match(target: Target, if_match: str | None) -> None:
    if if_match is not None and not names_etag(if_match, target.etag):
        raise Conflict("someone else changed the target state meanwhile: read it again and repeat your change")
