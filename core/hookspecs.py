"""The questions we ask every plugin, our own parts first. Asked once, while the application is put together."""

from collections.abc import Iterable

import pluggy

from core.actor import PermissionGrant
from core.events import AnySubscription
from core.health import Ping
from core.migrations import MigrationFolder
from core.periodic import PeriodicTask
from core.provisioning import Issuer
from core.services import Services
from core.settings import AnySetting

hookspec = pluggy.HookspecMarker("iotistic")
hookimpl = pluggy.HookimplMarker("iotistic")


@hookspec
def permissions() -> Iterable[PermissionGrant]:  # type: ignore[empty-body]
    """Which permissions do you add, and from which role on are they held?

    Names read `thing:verb`. A name given twice stops the start, by name.
    """


@hookspec
def settings() -> Iterable[AnySetting]:  # type: ignore[empty-body]
    """Which settings do you read from the environment?

    A setting that is not answered here cannot be read. Bad values stop the start with all of them named at once.
    """


@hookspec
def subscribe(services: Services) -> Iterable[AnySubscription]:  # type: ignore[empty-body]
    """Which events do you react to?

    A reaction runs after the announcing transaction has committed, at least once, perhaps twice, perhaps in another
    process: make it idempotent. It hears of the events of one device in their order, of different devices perhaps at
    the same time. If it raises it is tried again with back-off and given up after the last try to the list of dead
    letters; other reactions are not affected.
    """


@hookspec
def periodic(services: Services) -> Iterable[PeriodicTask]:  # type: ignore[empty-body]
    """What do you want done again and again?

    A task takes no input, is idempotent, and runs in one process at a time. If it raises, the log says so and it runs
    again when its time comes.
    """


@hookspec
def migrations() -> Iterable[MigrationFolder]:  # type: ignore[empty-body]
    """Which tables do you need, and how did they come to be?

    Applied at start, in the order of their numbers, each once and whole, ours before those of plugins. A file that was
    changed after it had been applied stops the start, by name.
    """


@hookspec
def issuers(services: Services) -> Iterable[Issuer]:  # type: ignore[empty-body]
    """What do you give a new device?

    Each issuer is asked inside the transaction that registers the device; if it raises, the device is not registered.
    """


@hookspec
def pings(services: Services) -> Iterable[Ping]:  # type: ignore[empty-body]
    """How do we know that what you need works?

    Asked by GET /ready and `iotistic doctor`, in parallel, each with a few seconds' time. A ping that raises makes us
    unready, under its name.
    """
