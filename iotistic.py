"""The public API: what a plugin may use. Everything else is private and may change any day.

A plugin is a package with an entry point of the group `iotistic` that names a module (or an object) with functions
marked `@hookimpl`, each an answer to one of the questions `permissions`, `settings`, `migrations`, `subscribe`,
`periodic`, `issuers`, `pings`, `routes` and `commands`. `contrib/example_plugin` is a whole one; `iotistic plugins`
shows every question and who answers it. What stands here changes with a new major version only.
"""

from adapters.sql.transactions import SqlTransaction, sql
from adapters.sql.types import Instant, Json, metadata
from core.actor import STRANGER, SYSTEM, Actor, ActorKind, Permission, PermissionGrant, Role
from core.checks import PlainText, plain_text, require, require_device
from core.clock import Clock
from core.devices import (
    Device,
    DeviceActivated,
    DeviceDeactivated,
    DeviceEdited,
    DeviceOffline,
    DeviceOnline,
    DeviceReleased,
    DeviceRemoved,
)
from core.errors import (
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    QuotaExceeded,
    Refusal,
    Unauthenticated,
    Unavailable,
)
from core.events import Announced, AnySubscription, Event, Subscription
from core.health import Ping
from core.hookspecs import hookimpl
from core.ids import DeviceUuid, Ids, UserId, device_uuid
from core.migrations import MigrationFolder
from core.pages import Page
from core.periodic import PeriodicTask
from core.provisioning import DevicePreregistered, DeviceRegistered, Issuer, PendingDeviceClaimed
from core.services import Services
from core.settings import AnySetting, Setting, Settings, boolean, integer, list_of_text, seconds, text
from core.tags import DeviceTagged
from core.transactions import Signals, Transaction, Transactions
from entrypoints.http.declarations import Answer, Body, QueryParameter
from entrypoints.http.requests import Query, actor_of, body_as, device_of
from entrypoints.http.responses import json
from entrypoints.http.routing import (
    ANYONE,
    DEVICE,
    SECRET,
    SIGNED_IN,
    Route,
    device_or_user_with,
    user_with,
)

__all__ = [
    "ANYONE",
    "DEVICE",
    "SECRET",
    "SIGNED_IN",
    "STRANGER",
    "SYSTEM",
    "Actor",
    "ActorKind",
    "Announced",
    "Answer",
    "AnySetting",
    "AnySubscription",
    "Body",
    "Clock",
    "Conflict",
    "Device",
    "DeviceActivated",
    "DeviceDeactivated",
    "DeviceEdited",
    "DeviceOffline",
    "DeviceOnline",
    "DevicePreregistered",
    "DeviceRegistered",
    "DeviceReleased",
    "DeviceRemoved",
    "DeviceTagged",
    "DeviceUuid",
    "Event",
    "Forbidden",
    "Ids",
    "Instant",
    "Invalid",
    "Issuer",
    "Json",
    "MigrationFolder",
    "NotFound",
    "Page",
    "PendingDeviceClaimed",
    "PeriodicTask",
    "Permission",
    "PermissionGrant",
    "Ping",
    "PlainText",
    "Query",
    "QueryParameter",
    "QuotaExceeded",
    "Refusal",
    "Role",
    "Route",
    "Services",
    "Setting",
    "Settings",
    "Signals",
    "SqlTransaction",
    "Subscription",
    "Transaction",
    "Transactions",
    "Unauthenticated",
    "Unavailable",
    "UserId",
    "actor_of",
    "body_as",
    "boolean",
    "device_of",
    "device_or_user_with",
    "device_uuid",
    "hookimpl",
    "integer",
    "json",
    "list_of_text",
    "metadata",
    "plain_text",
    "require",
    "require_device",
    "seconds",
    "sql",
    "text",
    "user_with",
]
