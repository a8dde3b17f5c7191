"""The apps that a device shall run: edited in the draft one at a time, and deployed one at a time (contract §4.5)."""

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import evolve, frozen

from core.actor import Actor
from core.checks import require
from core.device_state.apps import whole_id
from core.device_state.containers import in_config
from core.device_state.drafts import ANYTHING, Drafts, Expected
from core.device_state.model import Content, Deployed, Target
from core.device_state.ports import AppNames, DesiredStateStore
from core.device_state.validation import checked
from core.devices import DEVICE_CONTROL, DEVICE_WRITE
from core.errors import Conflict, Invalid, NotFound
from core.ids import DeviceUuid, Ids
from core.transactions import Transactions


@frozen(kw_only=True)
class DeployedApp:
    """What came of deploying one app. `app` is None when that removed it."""

    deployed: Deployed
    app_id: int
    app: Mapping[str, Any] | None


class DeviceApps:
    """Adds, changes, removes and deploys single apps of a device."""

    def __init__(
        self,
        *,
        transactions: Transactions,
        store: DesiredStateStore,
        drafts: Drafts,
        names: AppNames,
        ids: Ids,
    ) -> None:
        self._transactions = transactions
        self._store = store
        self._drafts = drafts
        self._names = names
        self._ids = ids

    async def add(
        self, actor: Actor, uuid: DeviceUuid, app: Mapping[str, Any], expected: Expected = ANYTHING
    ) -> Target:
        """One more in the draft. Without a name it gets that of the catalogue. Conflict if it is there; Invalid."""
        require(actor, DEVICE_WRITE)
        app_id = whole_id(app.get("appId"), "appId")
        async with self._transactions.begin() as tx:
            target = await self._drafts.target(tx, uuid, to_change=True)
            expected.check(target)
            seen = target.content
            if str(app_id) in seen.apps:
                raise Conflict(f"the device has app {app_id} already: PATCH it")
            name = app.get("appName") or await self._names.container_name(tx, app_id) or f"app-{app_id}"
            apps = {**seen.apps, str(app_id): {**app, "appName": name}}
            return await self._drafts.save(tx, actor, target, apps, seen.config)

    async def change(
        self,
        actor: Actor,
        uuid: DeviceUuid,
        app_id: int,
        *,
        name: str | None = None,
        services: Sequence[Any] | None = None,
        expected: Expected = ANYTHING,
    ) -> Target:
        """Another name, or other services: those listed stay, and keep what is not said of them. NotFound, Invalid.

        A service is the one of the same serviceId, or else of the same serviceName; null takes a field away.
        """
        if name is None and services is None:
            raise Invalid("send appName, services or both", field="services")

        def change(seen: Content) -> tuple[Any, Any]:
            before = _app(seen, app_id)
            after = {**before, "appName": before["appName"] if name is None else name}
            if services is not None:
                after["services"] = [_merged(before["services"], service) for service in services]
            return {**seen.apps, str(app_id): after}, seen.config

        return await self._drafts.edit(actor, uuid, change, expected)

    async def remove(self, actor: Actor, uuid: DeviceUuid, app_id: int, expected: Expected = ANYTHING) -> Target:
        """One less in the draft. NotFound."""

        def change(seen: Content) -> tuple[Any, Any]:
            _app(seen, app_id)
            return {key: app for key, app in seen.apps.items() if key != str(app_id)}, seen.config

        return await self._drafts.edit(actor, uuid, change, expected)

    async def deploy(self, actor: Actor, uuid: DeviceUuid, app_id: int, expected: Expected = ANYTHING) -> DeployedApp:
        """Make a version that differs in this app only; the rest of the draft stays a draft. NotFound.

        Invalid when nothing of the app waits to be deployed.
        """
        require(actor, DEVICE_CONTROL)
        key = str(app_id)
        async with self._transactions.begin() as tx:
            target = await self._drafts.target(tx, uuid, to_change=True)
            expected.check(target)
            before, wanted = target.deployed.content, target.content
            if key not in before.apps and key not in wanted.apps:
                raise NotFound(f"the device has no app {app_id}")
            if before.apps.get(key) == wanted.apps.get(key):
                raise Invalid("Nothing to deploy")
            apps = {**before.apps, key: wanted.apps.get(key)}
            content = evolve(before, apps={each: app for each, app in apps.items() if app is not None})
            content, _ = checked(content, deployed=before, new_id=self._ids.uuid)
            deployed = await self._drafts.deploy(tx, actor, target.deployed, content)
            if content == wanted:
                await self._store.drop_draft(tx, uuid)
        return DeployedApp(deployed=deployed, app_id=app_id, app=content.apps.get(key))


def _app(content: Content, app_id: int) -> Mapping[str, Any]:
    app = content.apps.get(str(app_id))
    if app is None:
        raise NotFound(f"the device has no app {app_id}")
    found: Mapping[str, Any] = app
    return found


def _merged(known: Sequence[Mapping[str, Any]], service: Any) -> Any:
    if not isinstance(service, Mapping):
        return service
    said = in_config(service)
    before = next((each for key in ("serviceId", "serviceName") for each in known if _same(each, said, key)), {})
    config = {**_object(before.get("config")), **_object(said.get("config"))}
    if "imageName" in said:
        config.pop("image", None)
    merged = {**before, **said} | ({"config": config} if config else {})
    return {name: value for name, value in merged.items() if value is not None}


def _same(one: Mapping[str, Any], other: Mapping[str, Any], key: str) -> bool:
    return other.get(key) is not None and str(one.get(key)) == str(other[key])


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
