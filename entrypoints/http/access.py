"""Logging in and out (contract §4.1)."""

from typing import Any

import msgspec
from aiohttp import web

from core.access import NewUser, Tokens, User
from core.errors import Unauthenticated
from core.services import Services
from entrypoints.http import cookies
from entrypoints.http.declarations import Body
from entrypoints.http.requests import actor_of, body_as, body_bytes, decoded
from entrypoints.http.responses import json
from entrypoints.http.routing import ANYONE, SIGNED_IN, Route

SMALL = 16 * 1024


class RegisterBody(msgspec.Struct, rename="camel"):
    """POST /auth/register."""

    username: str
    email: str
    password: str
    full_name: str | None = None


class LoginBody(msgspec.Struct):
    """POST /auth/login; the username may be an e-mail."""

    username: str
    password: str


class RefreshBody(msgspec.Struct, rename="camel"):
    """POST /auth/refresh."""

    refresh_token: str


class LogoutBody(msgspec.Struct, rename="camel"):
    """POST /auth/logout; the body may be absent."""

    refresh_token: str | None = None


class ChangePasswordBody(msgspec.Struct, rename="camel"):
    """POST /auth/change-password."""

    current_password: str
    new_password: str


class AccessRoutes:
    """Handlers."""

    def __init__(self, services: Services, *, https: bool = False) -> None:
        self._accounts = services.accounts
        self._sessions = services.sessions
        self._https = https

    async def register(self, request: web.Request) -> web.Response:
        """Make an account for oneself, where that is allowed, and log in."""
        body = await body_as(request, RegisterBody)
        wanted = NewUser(username=body.username, email=body.email, password=body.password, full_name=body.full_name)
        await self._accounts.sign_up(actor_of(request), wanted)
        tokens = await self._login(request, body.username, body.password)
        response = json({"message": "User registered successfully", "data": with_tokens(tokens)}, status=201)
        return await self._remembered(request, response, tokens.access)

    async def login(self, request: web.Request) -> web.Response:
        """Begin a session."""
        body = await body_as(request, LoginBody)
        tokens = await self._login(request, body.username, body.password)
        response = json({"message": "Login successful", "data": with_tokens(tokens)})
        return await self._remembered(request, response, tokens.access)

    async def refresh(self, request: web.Request) -> web.Response:
        """A new access token; the refresh token stays as it is."""
        body = await body_as(request, RefreshBody)
        access = await self._sessions.refresh(body.refresh_token)
        response = json({"message": "Token refreshed successfully", "data": {"accessToken": access}})
        return await self._remembered(request, response, access)

    async def logout(self, request: web.Request) -> web.Response:
        """End this session."""
        body = decoded(await body_bytes(request) or b"{}", LogoutBody)
        await self._sessions.logout(actor_of(request), body.refresh_token)
        response = json({"message": "Logout successful"})
        cookies.forget(response)
        return response

    async def change_password(self, request: web.Request) -> web.Response:
        """Replace one's own password."""
        body = await body_as(request, ChangePasswordBody)
        await self._accounts.change_password(actor_of(request), body.current_password, body.new_password)
        response = json({"message": "Password changed successfully: log in again"})
        cookies.forget(response)
        return response

    async def me(self, request: web.Request) -> web.Response:
        """Who one is. Carries no credential of any kind."""
        actor = actor_of(request)
        if actor.user_id is None:
            raise Unauthenticated("log in first")
        user = await self._accounts.get(actor, actor.user_id)
        return json({"data": {"user": as_json(user)}})

    async def _remembered(self, request: web.Request, response: web.Response, access: str) -> web.Response:
        """The answer, with the cookie that lets the browser watch."""
        watch = await self._sessions.watch_token(access)
        cookies.remember(request, response, watch.token, watch.lasts, https=self._https)
        return response

    async def _login(self, request: web.Request, username: str, password: str) -> Tokens:
        user_agent = request.headers.get("User-Agent", "")
        return await self._sessions.login(username, password, actor_of(request).address, user_agent)


def as_json(user: User) -> dict[str, Any]:
    """A person as people see them."""
    return {
        "id": user.id,
        "username": user.username,
        "email": user.email,
        "role": user.role.word,
        "isActive": user.is_active,
        "fullName": user.full_name,
        "createdAt": user.created_at,
        "lastLoginAt": user.last_login_at,
    }


def with_tokens(tokens: Tokens) -> dict[str, Any]:
    """What a login answers."""
    return {"accessToken": tokens.access, "refreshToken": tokens.refresh, "user": as_json(tokens.user)}


def access_routes(services: Services, *, https: bool = False) -> list[Route]:
    """The routes of logging in and out. `https`: people reach us over HTTPS, whatever we see of it."""
    own = AccessRoutes(services, https=https)
    return [*_entrances(own), *_for_those_inside(own)]


def _entrances(own: AccessRoutes) -> list[Route]:
    return [
        Route(
            method="POST",
            path="/auth/register",
            handler=own.register,
            allow=ANYONE,
            summary="Make an account for oneself, where that is allowed",
            body=RegisterBody,
            answers={
                201: "The account and its first tokens",
                401: "The account was made, but no session began",
                403: "Nobody may make an account for oneself here",
                409: "The name or the e-mail is taken",
                429: "Too many accounts were made from this address",
            },
            body_limit=SMALL,
        ),
        Route(
            method="POST",
            path="/auth/login",
            handler=own.login,
            allow=ANYONE,
            summary="Log in",
            body=LoginBody,
            answers={200: "Tokens", 401: "Name or password is wrong", 429: "Too many wrong tries"},
            body_limit=SMALL,
        ),
        Route(
            method="POST",
            path="/auth/refresh",
            handler=own.refresh,
            allow=ANYONE,
            summary="Get a new access token",
            body=RefreshBody,
            answers={200: "An access token", 401: "The session has ended, or never was"},
            body_limit=SMALL,
        ),
    ]


def _for_those_inside(own: AccessRoutes) -> list[Route]:
    return [
        Route(
            method="POST",
            path="/auth/logout",
            handler=own.logout,
            allow=SIGNED_IN,
            summary="Log out",
            body=Body(kind=LogoutBody, required=False),
            body_limit=SMALL,
        ),
        Route(
            method="POST",
            path="/auth/change-password",
            handler=own.change_password,
            allow=SIGNED_IN,
            summary="Change one's own password",
            body=ChangePasswordBody,
            answers={200: "All sessions have ended", 429: "Too many wrong tries"},
            body_limit=SMALL,
        ),
        Route(method="GET", path="/auth/me", handler=own.me, allow=SIGNED_IN, summary="Show who one is"),
    ]
