"""The cookie of a login. It lets a browser watch (`/ws`, `/live`), where pages cannot send a token; no more."""

from datetime import timedelta

from aiohttp import web

COOKIE = "iotistic_session"


def remember(request: web.Request, response: web.Response, token: str, lasts: timedelta, *, https: bool) -> None:
    """Set it: out of reach of scripts, and not sent along with what other sites do (RFC 6265bis §5.6.7)."""
    response.set_cookie(
        COOKIE,
        token,
        path="/",
        max_age=int(lasts.total_seconds()),
        httponly=True,
        samesite="Lax",
        secure=https or request.secure,
    )


def forget(response: web.Response) -> None:
    """Have the browser drop it."""
    response.del_cookie(COOKIE, path="/", httponly=True, samesite="Lax")
