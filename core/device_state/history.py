"""What a device was to run before: who deployed it and when, what differed, and how to go back."""

from collections.abc import Sequence
from datetime import datetime

from attrs import evolve, frozen

from core.actor import Actor
from core.checks import require
from core.device_state.differences import Difference, differences, shown
from core.device_state.drafts import ANYTHING, Drafts, Expected, may_edit
from core.device_state.model import Content, Deployed, DeployedVersion, Target
from core.device_state.ports import DesiredStateStore
from core.device_state.validation import checked
from core.devices import DEVICE_CONTROL, DEVICE_READ, DEVICE_WRITE
from core.errors import NotFound
from core.ids import DeviceUuid, Ids
from core.transactions import Transaction, Transactions

MOST_VERSIONS = 500
# What may be compared instead of a version by its number.
DRAFT = "draft"
DEPLOYED = "deployed"


@frozen(kw_only=True)
class Comparison:
    """What two states differ in. A state is called by its version, or `draft`; `at` and `by` say whose it is."""

    before: str
    after: str
    before_at: datetime
    after_at: datetime
    before_by: str
    after_by: str
    differences: Sequence[Difference]


@frozen(kw_only=True)
class _State:
    name: str
    content: Content
    at: datetime
    by: str


class StateHistory:
    """Shows, compares and brings back what was deployed. Versions are kept for a while, see VERSIONS_KEPT."""

    def __init__(self, *, transactions: Transactions, store: DesiredStateStore, drafts: Drafts, ids: Ids) -> None:
        self._transactions = transactions
        self._store = store
        self._drafts = drafts
        self._ids = ids

    async def versions(self, actor: Actor, uuid: DeviceUuid) -> Sequence[DeployedVersion]:
        """Who deployed which version when, the newest first. NotFound."""
        require(actor, DEVICE_READ)
        async with self._transactions.read() as tx:
            await self._drafts.target(tx, uuid)
            return await self._store.versions(tx, uuid, MOST_VERSIONS)

    async def version(self, actor: Actor, uuid: DeviceUuid, version: int) -> Deployed:
        """One version, with its secrets only for who may edit. NotFound, also when it is kept no more."""
        require(actor, DEVICE_READ)
        async with self._transactions.read() as tx:
            deployed = await self._version(tx, uuid, version)
        return deployed if may_edit(actor) else evolve(deployed, content=deployed.content.redacted())

    async def compare(self, actor: Actor, uuid: DeviceUuid, before: str | int, after: str | int) -> Comparison:
        """What two versions differ in; each is a number, `draft` or `deployed`. Without a draft, `draft` is deployed.

        Who may not edit hears that a secret has changed, and not what it was or is. NotFound.
        """
        require(actor, DEVICE_READ)
        async with self._transactions.read() as tx:
            first, second = await self._state(tx, uuid, before), await self._state(tx, uuid, after)
        documents = _document(first.content), _document(second.content)
        found = differences(*documents)
        if not may_edit(actor):
            found = shown(found, _document(first.content.redacted()), _document(second.content.redacted()))
        return Comparison(
            before=first.name,
            after=second.name,
            before_at=first.at,
            after_at=second.at,
            before_by=first.by,
            after_by=second.by,
            differences=found,
        )

    async def restore(self, actor: Actor, uuid: DeviceUuid, version: int, expected: Expected = ANYTHING) -> Target:
        """Make the draft what that version was. Conflict if the target is not as expected; Invalid, NotFound."""
        require(actor, DEVICE_WRITE)
        async with self._transactions.begin() as tx:
            target = await self._drafts.target(tx, uuid, to_change=True)
            expected.check(target)
            content = (await self._version(tx, uuid, version)).content
            return await self._drafts.save(tx, actor, target, content.apps, content.config)

    async def deploy_again(
        self, actor: Actor, uuid: DeviceUuid, version: int, expected: Expected = ANYTHING
    ) -> Deployed:
        """Make the next version what that one was; a draft stays as it is. Conflict, Invalid, NotFound.

        For those who may deploy and not edit, too: what they go back to was deployed before.
        """
        require(actor, DEVICE_CONTROL)
        async with self._transactions.begin() as tx:
            target = await self._drafts.target(tx, uuid, to_change=True)
            expected.check(target)
            content = (await self._version(tx, uuid, version)).content
            content, _ = checked(content, deployed=target.deployed.content, new_id=self._ids.uuid)
            return await self._drafts.deploy(tx, actor, target.deployed, content)

    async def _state(self, tx: Transaction, uuid: DeviceUuid, which: str | int) -> _State:
        if which == DRAFT:
            target = await self._drafts.target(tx, uuid)
            if target.draft:
                return _State(
                    name=DRAFT, content=target.content, at=target.draft.updated_at, by=target.draft.updated_by
                )
        deployed = (
            await self._version(tx, uuid, which)
            if isinstance(which, int)
            else (await self._drafts.target(tx, uuid)).deployed
        )
        return _State(
            name=str(deployed.version), content=deployed.content, at=deployed.deployed_at, by=deployed.deployed_by
        )

    async def _version(self, tx: Transaction, uuid: DeviceUuid, version: int) -> Deployed:
        deployed = await self._store.version(tx, uuid, version)
        if deployed is None:
            await self._drafts.target(tx, uuid)
            raise NotFound(f"there is no version {version}, or it is kept no more")
        return deployed


def _document(content: Content) -> dict[str, object]:
    return {"apps": content.apps, "config": content.config}
