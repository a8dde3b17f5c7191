"""What a device shall run, what people are about to change of it, and what it says it runs."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from attrs import field, frozen

from core.actor import SYSTEM
from core.device_state.apps import normalised_apps, normalised_config
from core.device_state.documents import LARGEST_DOCUMENT, canonical, check_document, etag_of
from core.device_state.findings import Caution
from core.device_state.redaction import redacted
from core.errors import Invalid
from core.ids import DeviceUuid

Document = Mapping[str, Any]


@frozen(kw_only=True)
class Content:
    """Apps and configuration, checked and in the form that agents read. Raises Invalid that names the field."""

    apps: Document
    config: Document

    @classmethod
    def of(cls, apps: Any, config: Any) -> "Content":
        """The content as somebody sent it: apps as an object or a list."""
        check_document(apps, "apps")
        check_document(config, "config")
        content = cls(apps=normalised_apps(apps), config=normalised_config(config))
        size = len(canonical({"apps": content.apps, "config": content.config}))
        if size > LARGEST_DOCUMENT:
            raise Invalid(f"apps and config may have {LARGEST_DOCUMENT} bytes together, not {size}", field="apps")
        return content

    def redacted(self) -> "Content":
        """The same without what looks like a secret."""
        return Content(apps=redacted(self.apps), config=redacted(self.config))


@frozen(kw_only=True)
class Deployed:
    """One version of what a device shall run. Never changed; the highest version is the one that is served."""

    uuid: DeviceUuid
    version: int
    content: Content
    deployed_at: datetime
    deployed_by: str

    @property
    def last_deployed_at(self) -> datetime | None:
        """When somebody deployed it; None for the state every device begins with."""
        return None if self.deployed_by == SYSTEM.reference else self.deployed_at

    def body(self) -> bytes:
        """The answer to the device that polls (contract §2.6): one key, the device's uuid, at the very beginning."""
        document = {
            "apps": self.content.apps,
            "config": self.content.config,
            "version": self.version,
            "needs_deployment": False,
            "last_deployed_at": _iso(self.last_deployed_at),
        }
        return canonical({self.uuid: document})


@frozen(kw_only=True)
class Draft:
    """What people are about to deploy. `revision` counts the edits."""

    uuid: DeviceUuid
    content: Content
    revision: int
    updated_at: datetime
    updated_by: str


@frozen(kw_only=True)
class Target:
    """What people see: the draft if there is one, else what is deployed.

    `with_secrets` is false for those who may look and not edit: passwords of services are nothing to them. `cautions`
    are what the one who has just edited it shall know.
    """

    deployed: Deployed
    draft: Draft | None = None
    with_secrets: bool = True
    cautions: tuple[Caution, ...] = field(default=(), eq=False)

    @property
    def content(self) -> Content:
        """What an edit replaces."""
        return self.draft.content if self.draft else self.deployed.content

    @property
    def shown(self) -> Content:
        """What may be shown of it."""
        return self.content if self.with_secrets else self.content.redacted()

    @property
    def needs_deployment(self) -> bool:
        """Whether there is something to deploy."""
        return self.draft is not None

    @property
    def updated_at(self) -> datetime:
        """When it was last edited or deployed."""
        return self.draft.updated_at if self.draft else self.deployed.deployed_at

    @property
    def etag(self) -> str:
        """Changes with everything that people may see of it, for If-Match."""
        seen = [self.deployed.version, self.needs_deployment, self.content.apps, self.content.config]
        return etag_of(canonical(seen))

    @property
    def revision(self) -> str:
        """The same as the tag, without quotes: for those who send back in the body what they had edited."""
        return self.etag.strip('"')


@frozen(kw_only=True)
class DeployedVersion:
    """Who deployed which version when."""

    version: int
    deployed_at: datetime
    deployed_by: str
    apps_count: int


@frozen(kw_only=True)
class Reported:
    """What a device last said of itself. None is what it has never told; an empty object is what it has."""

    uuid: DeviceUuid
    reported_at: datetime
    apps: Document | None = None
    config: Document | None = None
    version: int | None = None
    is_online: bool | None = None
    endpoints_health: Document | None = None
    sensor_health: Document | None = None
    system_info: Document = field(factory=dict)

    def differs_from(self, before: "Reported | None") -> bool:
        """Whether the device runs something else or has seen another version; container ids do not count."""
        if before is None or before.version != self.version:
            return True
        return before.apps != self.apps and _running(before.apps) != _running(self.apps)


_FLEETING = frozenset({"containerId", "status", "error"})


def _running(apps: Document | None) -> Any:
    return {key: _app_running(app) for key, app in (apps or {}).items()}


def _app_running(app: Any) -> Any:
    if not isinstance(app, Mapping) or not isinstance(app.get("services"), list):
        return app
    return {**app, "services": [_service_running(service) for service in app["services"]]}


def _service_running(service: Any) -> Any:
    """The service without what changes by itself; of an error only its type, since it carries times and counts."""
    if not isinstance(service, Mapping):
        return service
    error = service.get("error")
    kept = {name: value for name, value in service.items() if name not in _FLEETING}
    return {**kept, "error": error.get("type") if isinstance(error, Mapping) else error}


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat().replace("+00:00", "Z") if moment else None
