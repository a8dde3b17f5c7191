"""Accounts of the MQTT broker and their rights (contract §4.1: mqtt-users, mqtt-acls)."""

from typing import Any

import msgspec
from aiohttp import web

from core.mqtt import (
    MQTT_ACL_MANAGE,
    MQTT_USER_READ,
    MQTT_USER_WRITE,
    AclChange,
    AclRow,
    MqttAclId,
    MqttUser,
    MqttUserChange,
    MqttUserId,
    NewMqttUser,
)
from core.services import Services
from entrypoints.http.declarations import integer
from entrypoints.http.requests import Query, actor_of, body_as, number_of
from entrypoints.http.responses import json
from entrypoints.http.routing import MIB, Route, user_with

MOST_ACCOUNTS = 500
MOST_PAGES = 1_000_000
USERS = "/auth/mqtt-users"
USER = USERS + "/{id}"
ACL = "/auth/mqtt-acls/{id}"
OF_A_DEVICE = "The account is a device's: it comes and goes with the device"


class NewMqttUserBody(msgspec.Struct):
    """POST /auth/mqtt-users."""

    username: str
    password: str
    is_superuser: bool = False
    is_active: bool = True


class MqttUserChangeBody(msgspec.Struct):
    """PUT /auth/mqtt-users/{id}; what is absent stays."""

    password: str | None = None
    is_superuser: bool | None = None
    is_active: bool | None = None


class MqttAclBody(msgspec.Struct):
    """POST /auth/mqtt-users/{id}/acls, with `topic` and `access`, and PUT /auth/mqtt-acls/{id}; what is absent stays.

    `access` is the sum of 1 read, 2 write, 4 subscribe; who may read may subscribe.
    """

    topic: str | None = None
    access: int | None = None
    priority: int | None = None
    deny: bool | None = None


class MqttAccountRoutes:
    """Handlers."""

    def __init__(self, services: Services) -> None:
        self._users = services.mqtt_users
        self._acls = services.mqtt_acls

    async def index(self, request: web.Request) -> web.Response:
        """List accounts with their rights: those of people, then those of devices, up to 500."""
        query = Query(request)
        limit = query.integer("limit", default=MOST_ACCOUNTS, lowest=1, highest=MOST_ACCOUNTS)
        number = query.integer("page", default=1, lowest=1, highest=MOST_PAGES)
        page = await self._users.page(actor_of(request), limit=limit, offset=(number - 1) * limit)
        users = [{**user_as_json(user), "acls": [acl_as_json(row) for row in user.acls]} for user in page.items]
        return json({"success": True, "users": users, "count": len(users), "total": page.total})

    async def create(self, request: web.Request) -> web.Response:
        """Make an account. It may do nothing until it is given rights."""
        body = await body_as(request, NewMqttUserBody)
        wanted = NewMqttUser(
            username=body.username,
            password=body.password,
            is_superuser=body.is_superuser,
            is_active=body.is_active,
        )
        user = await self._users.create(actor_of(request), wanted)
        return json({"success": True, "message": "The MQTT user is made", "user": user_as_json(user)}, status=201)

    async def change(self, request: web.Request) -> web.Response:
        """Change an account; its connections are cut. Accounts of devices are changed by nobody."""
        body = await body_as(request, MqttUserChangeBody)
        change = MqttUserChange(password=body.password, is_superuser=body.is_superuser, is_active=body.is_active)
        user = await self._users.change(actor_of(request), _user_in(request), change)
        return json({"success": True, "message": "The MQTT user is changed", "user": user_as_json(user)})

    async def delete(self, request: web.Request) -> web.Response:
        """Delete an account with its rights; its connections are cut."""
        user = await self._users.delete(actor_of(request), _user_in(request))
        return json({"success": True, "message": f"The MQTT user {user.username} is deleted"})

    async def add_acl(self, request: web.Request) -> web.Response:
        """Give an account a right. `%u` and `%c` in the topic stand for its username and its client id."""
        wanted = acl_in(await body_as(request, MqttAclBody))
        row = await self._acls.add(actor_of(request), _user_in(request), wanted)
        return json({"success": True, "message": "The ACL is added", "acl": acl_as_json(row)}, status=201)

    async def change_acl(self, request: web.Request) -> web.Response:
        """Change a right."""
        change = acl_in(await body_as(request, MqttAclBody))
        row = await self._acls.change(actor_of(request), _acl_in_path(request), change)
        return json({"success": True, "message": "The ACL is changed", "acl": acl_as_json(row)})

    async def remove_acl(self, request: web.Request) -> web.Response:
        """Take a right away."""
        row = await self._acls.remove(actor_of(request), _acl_in_path(request))
        return json({"success": True, "message": f"The ACL of {row.username} is removed"})


def acl_in(body: MqttAclBody) -> AclChange:
    """What the body says of a right."""
    return AclChange(topic=body.topic, access=body.access, priority=body.priority, deny=body.deny)


def user_as_json(user: MqttUser) -> dict[str, Any]:
    """An account; no password, no verifier."""
    return {
        "id": user.id,
        "username": user.username,
        "is_superuser": user.is_superuser,
        "is_active": user.is_active,
        "device_uuid": user.device_uuid,
        "created_at": user.created_at,
        "updated_at": user.updated_at,
    }


def acl_as_json(row: AclRow) -> dict[str, Any]:
    """A right."""
    return {
        "id": row.id,
        "username": row.username,
        "topic": row.topic,
        "access": int(row.access),
        "priority": row.priority,
        "deny": row.deny,
        "created_at": row.created_at,
    }


def _user_in(request: web.Request) -> MqttUserId:
    return MqttUserId(number_of(request))


def _acl_in_path(request: web.Request) -> MqttAclId:
    return MqttAclId(number_of(request))


def mqtt_account_routes(services: Services) -> list[Route]:
    """The routes of accounts of the broker."""
    own = MqttAccountRoutes(services)
    return [*_user_routes(own), *_acl_routes(own)]


def _user_routes(own: MqttAccountRoutes) -> list[Route]:
    write = user_with(MQTT_USER_WRITE)
    return [
        Route(
            method="GET",
            path=USERS,
            handler=own.index,
            allow=user_with(MQTT_USER_READ),
            summary="List accounts of the MQTT broker",
            query=(
                integer("limit", "Accounts of a page", default=MOST_ACCOUNTS, lowest=1, highest=MOST_ACCOUNTS),
                integer("page", "Number of the page", default=1, lowest=1, highest=MOST_PAGES),
            ),
        ),
        Route(
            method="POST",
            path=USERS,
            handler=own.create,
            allow=write,
            summary="Make an account of the MQTT broker",
            body=NewMqttUserBody,
            answers={201: "The account"},
            body_limit=MIB,
        ),
        Route(
            method="PUT",
            path=USER,
            handler=own.change,
            allow=write,
            summary="Change an account of the MQTT broker",
            body=MqttUserChangeBody,
            answers={409: OF_A_DEVICE},
            body_limit=MIB,
        ),
        Route(
            method="DELETE",
            path=USER,
            handler=own.delete,
            allow=write,
            summary="Delete an account of the MQTT broker",
            answers={409: OF_A_DEVICE},
        ),
    ]


def _acl_routes(own: MqttAccountRoutes) -> list[Route]:
    manage = user_with(MQTT_ACL_MANAGE)
    return [
        Route(
            method="POST",
            path=USER + "/acls",
            handler=own.add_acl,
            allow=manage,
            summary="Give an account of the MQTT broker a right",
            body=MqttAclBody,
            answers={201: "The right", 409: "The account is a device's, or has too many rights"},
            body_limit=MIB,
        ),
        Route(
            method="PUT",
            path=ACL,
            handler=own.change_acl,
            allow=manage,
            summary="Change a right on the MQTT broker",
            body=MqttAclBody,
            body_limit=MIB,
        ),
        Route(
            method="DELETE",
            path=ACL,
            handler=own.remove_acl,
            allow=manage,
            summary="Take a right on the MQTT broker away",
        ),
    ]
