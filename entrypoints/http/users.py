"""Accounts (contract §4.2)."""

import msgspec
from aiohttp import web

from core.access import USER_DELETE, USER_READ, USER_WRITE, NewUser, UserChange, role_of
from core.ids import UserId
from core.services import Services
from entrypoints.http.access import as_json
from entrypoints.http.requests import actor_of, body_as, number_of
from entrypoints.http.responses import json
from entrypoints.http.routing import SIGNED_IN, Route, user_with


class NewUserBody(msgspec.Struct, rename="camel"):
    """POST /users."""

    username: str
    email: str
    password: str
    role: str
    full_name: str | None = None


class UserChangeBody(msgspec.Struct, rename="camel"):
    """PUT /users/{id}; what is absent stays."""

    email: str | None = None
    role: str | None = None
    is_active: bool | None = None
    full_name: str | None = None


class UserRoutes:
    """Handlers."""

    def __init__(self, services: Services) -> None:
        self._accounts = services.accounts

    async def index(self, request: web.Request) -> web.Response:
        """Everybody."""
        users = await self._accounts.all(actor_of(request))
        return json([as_json(user) for user in users])

    async def show(self, request: web.Request) -> web.Response:
        """One account."""
        return json(as_json(await self._accounts.get(actor_of(request), _user_of(request))))

    async def create(self, request: web.Request) -> web.Response:
        """Make an account."""
        body = await body_as(request, NewUserBody)
        wanted = NewUser(
            username=body.username,
            email=body.email,
            password=body.password,
            role=role_of(body.role),
            full_name=body.full_name,
        )
        return json(as_json(await self._accounts.create(actor_of(request), wanted)), status=201)

    async def change(self, request: web.Request) -> web.Response:
        """Change an account."""
        body = await body_as(request, UserChangeBody)
        change = UserChange(
            email=body.email,
            role=None if body.role is None else role_of(body.role),
            is_active=body.is_active,
            full_name=body.full_name,
        )
        return json(as_json(await self._accounts.change(actor_of(request), _user_of(request), change)))

    async def delete(self, request: web.Request) -> web.Response:
        """Delete an account."""
        await self._accounts.delete(actor_of(request), _user_of(request))
        return web.Response(status=204)

    async def permissions(self, request: web.Request) -> web.Response:
        """What one may do."""
        actor = actor_of(request)
        role = actor.role.word if actor.role else None
        user = {"id": actor.user_id, "username": actor.username, "role": role}
        return json({"user": user, "role": role, "permissions": sorted(actor.permissions)})


def _user_of(request: web.Request) -> UserId:
    return UserId(number_of(request))


def user_routes(services: Services) -> list[Route]:
    """The routes of accounts."""
    own = UserRoutes(services)
    one = "/users/{id}"
    return [
        Route(
            method="GET",
            path="/users/me/permissions",
            handler=own.permissions,
            allow=SIGNED_IN,
            summary="List what one may do",
        ),
        Route(method="GET", path="/users", handler=own.index, allow=user_with(USER_READ), summary="List accounts"),
        Route(
            method="POST",
            path="/users",
            handler=own.create,
            allow=user_with(USER_WRITE),
            summary="Make an account",
            body=NewUserBody,
            answers={201: "The account", 409: "The name or the e-mail is taken"},
        ),
        Route(method="GET", path=one, handler=own.show, allow=user_with(USER_READ), summary="Show an account"),
        # Everybody may change their own e-mail; the use case asks for user:write for anything else.
        Route(
            method="PUT",
            path=one,
            handler=own.change,
            allow=SIGNED_IN,
            summary="Change an account",
            body=UserChangeBody,
            answers={
                200: "The account",
                403: "Only the own e-mail, or with user:write",
                409: "The e-mail is taken, or nobody would be left to administer",
            },
        ),
        Route(
            method="DELETE",
            path=one,
            handler=own.delete,
            allow=user_with(USER_DELETE),
            summary="Delete an account",
            answers={204: "It is deleted", 409: "Nobody would be left to administer"},
        ),
    ]
