"""A route and whom it lets pass."""

from collections.abc import Awaitable, Callable, Mapping
from enum import Enum
from typing import Any

from aiohttp import web
from attrs import field, frozen

from core.actor import Permission
from entrypoints.http.declarations import UNDECLARED, Answer, Body, QueryParameter, Secret, Undeclared

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

MIB = 1024 * 1024
BODY_LIMIT = 10 * MIB


class Caller(Enum):
    """Which sorts of callers a route knows."""

    ANYONE = "anyone"
    SECRET = "secret"  # noqa: S105 - a word for the table of routes: the handler checks a secret of its own
    USER = "user"
    DEVICE = "device"
    DEVICE_OR_USER = "device or user"


@frozen
class Allow:
    """Whom a route lets pass before its handler runs. The use case behind it asks again.

    `token_in_query`: the access token of a person may stand in `?token=`, where browsers can send no header.
    `session_cookie`: the cookie of a login counts too. Only for routes that change nothing and check the Origin.
    """

    caller: Caller
    permission: Permission | None = None
    token_in_query: bool = field(default=False, kw_only=True)
    session_cookie: bool = field(default=False, kw_only=True)

    def __str__(self) -> str:
        return f"{self.caller.value} with {self.permission}" if self.permission else self.caller.value


ANYONE = Allow(Caller.ANYONE)
SECRET = Allow(Caller.SECRET)
SIGNED_IN = Allow(Caller.USER)
DEVICE = Allow(Caller.DEVICE)


def user_with(permission: Permission) -> Allow:
    """Only people who hold the permission."""
    return Allow(Caller.USER, permission)


def device_or_user_with(permission: Permission) -> Allow:
    """The device that the path names, or people who hold the permission."""
    return Allow(Caller.DEVICE_OR_USER, permission)


@frozen(kw_only=True)
class Route:
    """One method on one path. Paths are relative to /api/v1, or absolute when `root`.

    A `{uuid}` in the path is the device's: a device passes only where it is its own. `body_limit` is in bytes, after
    inflation. What follows is for the document of the API: `body` is a type (an msgspec.Struct), a Body, or None for a
    method that could have a body and has none; `answers` are the statuses beside those that the rest of the route
    implies (`openapi_answers.py`); `secrets` are those that the handler of a route for SECRET looks at.
    `lasting` ones stay open for as long as somebody watches, and bound by themselves how many do.
    """

    method: str
    path: str
    handler: Handler
    allow: Allow
    summary: str
    root: bool = False
    lasting: bool = False
    body_limit: int = BODY_LIMIT
    body: Body | type[Any] | Undeclared | None = UNDECLARED
    query: tuple[QueryParameter, ...] = ()
    answers: Mapping[int, Answer | str] = {}
    secrets: tuple[Secret, ...] = ()
