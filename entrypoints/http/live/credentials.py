"""Who wants to watch, and from which site's page."""

from urllib.parse import urlsplit

from aiohttp import web

from core.access import Sessions
from core.actor import Actor
from core.errors import Forbidden, Unauthenticated
from entrypoints.http.addresses import TrustedProxies
from entrypoints.http.authentication import bearer_of
from entrypoints.http.cookies import COOKIE

BEARER = "bearer"
PROTOCOLS = "Sec-WebSocket-Protocol"
_USUAL_PORTS = {"http": ":80", "https": ":443"}


class Credentials:
    """Finds out who connects."""

    def __init__(self, sessions: Sessions, proxies: TrustedProxies) -> None:
        self._sessions = sessions
        self._proxies = proxies

    async def actor_of(self, request: web.Request) -> Actor | None:
        """Who connects, or None when the request does not say.

        An access token may stand in the Authorization header, the query or the subprotocol; Unauthenticated when it is
        not good. Else the cookie of a login counts. A cookie that is not good any more counts as none.
        """
        token = bearer_of(request) or request.query.get("token") or token_offered(request)
        if token is not None:
            return await self.introduced(request, token)
        cookie = request.cookies.get(COOKIE)
        if not cookie:
            return None
        try:
            return await self._sessions.watcher(cookie, self._proxies.address_of(request))
        except Unauthenticated:
            return None

    async def introduced(self, request: web.Request, token: str) -> Actor:
        """Who has this access token. Unauthenticated."""
        return await self._sessions.actor(token, self._proxies.address_of(request))


def token_offered(request: web.Request) -> str | None:
    """The token after `bearer` among the subprotocols: browsers cannot send headers, but name protocols.

    Refuses other protocols: we speak none, and what is offered must not end up in a log as one we do not know.
    """
    offered = [name.strip() for value in request.headers.getall(PROTOCOLS, []) for name in value.split(",")]
    if not offered:
        return None
    if offered[0] != BEARER or len(offered) != len([BEARER, "token"]):
        raise web.HTTPBadRequest
    return offered[1]


def check_origin(request: web.Request, allowed: frozenset[str]) -> None:
    """Let pass pages of our own and of sites that were named, and programs, which say nothing. Raises Forbidden.

    Browsers let any page open a WebSocket anywhere, with the cookies of whom it is opened to (RFC 6455 §10.2).
    """
    origins = request.headers.getall("Origin", [])
    if not origins:
        return
    if len(origins) > 1 or not (origins[0].rstrip("/") in allowed or _same_host(origins[0], request.host)):
        raise Forbidden("pages of this site may not watch: name it in CORS_ORIGINS")


def _same_host(origin: str, host: str) -> bool:
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    usual = _USUAL_PORTS.get(parts.scheme)
    if usual is None or not parts.netloc:
        return False
    return parts.netloc.lower().removesuffix(usual) == host.lower().removesuffix(usual)
