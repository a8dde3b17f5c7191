"""The one way in which people change what a device shall run: a draft, and its deployment."""

from collections.abc import Callable
from typing import Any

from attrs import evolve, frozen

from core.actor import Actor, ActorKind
from core.checks import require
from core.clock import Clock
from core.device_state.documents import names_etag
from core.device_state.events import TargetStateDeployed, TargetStateDrafted
from core.device_state.findings import Caution
from core.device_state.model import Content, Deployed, Draft, Target
from core.device_state.ports import DesiredStateStore
from core.device_state.settings import VERSIONS_KEPT
from core.device_state.validation import checked
from core.devices import DEVICE_CONTROL, DEVICE_WRITE
from core.errors import Conflict, NotFound
from core.ids import DeviceUuid, Ids
from core.settings import Settings
from core.transactions import Transaction, Transactions

DEVICE_STATES = "device_states"

CHANGED_MEANWHILE = "someone else changed the target state meanwhile: read it again and repeat your change"

# From what people see to apps and config as they want them, unchecked.
Change = Callable[[Content], tuple[Any, Any]]


@frozen(kw_only=True)
class Expected:
    """What somebody had seen when they decided: nothing is done if that has changed meanwhile.

    `if_match` is the raw header with the tag (Conflict, stale); `revision` is what they sent in the body (Conflict).
    """

    if_match: str | None = None
    revision: str | None = None

    def check(self, target: Target) -> None:
        """Raises Conflict if the target is another than they had seen."""
        if self.if_match is not None and not names_etag(self.if_match, target.etag):
            raise Conflict(CHANGED_MEANWHILE, stale=True)
        if self.revision is not None and not names_etag(self.revision, target.etag):
            raise Conflict(CHANGED_MEANWHILE)


ANYTHING = Expected()


class Drafts:
    """Edits and deploys for the use cases of apps, sensors, history and whole documents."""

    def __init__(
        self, *, transactions: Transactions, store: DesiredStateStore, settings: Settings, clock: Clock, ids: Ids
    ) -> None:
        self._transactions = transactions
        self._store = store
        self._kept = settings[VERSIONS_KEPT]
        self._clock = clock
        self._ids = ids

    async def edit(self, actor: Actor, uuid: DeviceUuid, change: Change, expected: Expected = ANYTHING) -> Target:
        """Make the draft what `change` makes of what people see. Invalid, NotFound, Conflict."""
        require(actor, DEVICE_WRITE)
        async with self._transactions.begin() as tx:
            target = await self.target(tx, uuid, to_change=True)
            expected.check(target)
            return await self.save(tx, actor, target, *change(target.content))

    async def save(self, tx: Transaction, actor: Actor, target: Target, apps: Any, config: Any) -> Target:
        """Let this be the draft, checked, in an open transaction."""
        content, cautions = checked(
            Content.of(apps, config),
            deployed=target.deployed.content,
            drafted=target.content,
            new_id=self._ids.uuid,
        )
        draft = Draft(
            uuid=target.deployed.uuid,
            content=content,
            revision=target.draft.revision + 1 if target.draft else 1,
            updated_at=self._clock.now(),
            updated_by=actor.reference,
        )
        await self._store.save_draft(tx, draft)
        tx.announce(
            TargetStateDrafted(at=draft.updated_at, by=actor.reference, uuid=draft.uuid, revision=draft.revision)
        )
        cautions += _of_no_change(target.deployed.content, content)
        return Target(deployed=target.deployed, draft=draft, cautions=cautions)

    async def deploy(self, tx: Transaction, actor: Actor, current: Deployed, content: Content) -> Deployed:
        """Let this be the next version, in an open transaction. The draft is left alone."""
        require(actor, DEVICE_CONTROL)
        deployed = evolve(
            current,
            version=current.version + 1,
            content=content,
            deployed_at=self._clock.now(),
            deployed_by=actor.reference,
        )
        await self._store.deploy(tx, deployed)
        await self._store.prune(tx, deployed.uuid, deployed.version - self._kept + 1)
        tx.announce(
            TargetStateDeployed(
                at=deployed.deployed_at, by=actor.reference, uuid=deployed.uuid, version=deployed.version
            )
        )
        tx.signal(DEVICE_STATES, deployed.uuid)
        return deployed

    async def target(self, tx: Transaction, uuid: DeviceUuid, *, to_change: bool = False) -> Target:
        """What people see. `to_change`, within `begin()`, holds it until the end. NotFound."""
        if to_change:
            await self._store.hold(tx, uuid)
        deployed = await self._store.deployed(tx, uuid)
        if deployed is None:
            raise NotFound("there is no such device")
        return Target(deployed=deployed, draft=await self._store.draft(tx, uuid))


def may_edit(actor: Actor) -> bool:
    """Whether passwords of services are something to them."""
    return actor.kind is ActorKind.SYSTEM or DEVICE_WRITE in actor.permissions


def _of_no_change(deployed: Content, drafted: Content) -> tuple[Caution, ...]:
    """Agents begin to wait anew for their next scheduled restart whenever they are told anything (G-05)."""
    if deployed != drafted:
        return ()
    return (Caution("apps", "nothing differs from what is deployed: to deploy it only puts scheduled restarts off"),)
