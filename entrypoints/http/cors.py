"""Which other sites' pages may call the API (the Fetch standard's CORS protocol). None by default."""

from aiohttp import web
from aiohttp.typedefs import Middleware

from entrypoints.http.routing import Handler

METHODS = "GET, POST, PUT, PATCH, DELETE"
HEADERS = "Authorization, Content-Type, If-Match, If-None-Match, X-Device-API-Key"
EXPOSED = "ETag, Retry-After"
PREFLIGHT_SECONDS = "600"


class Cors:
    """Answers preflights and marks answers, for the origins that were named."""

    def __init__(self, origins: tuple[str, ...]) -> None:
        self._origins = frozenset(origin.rstrip("/") for origin in origins)

    @property
    def middlewares(self) -> list[Middleware]:
        """What aiohttp has to call around every handler: nothing, where no origin was named."""
        return [self.middleware] if self._origins else []

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """An aiohttp middleware."""
        origin = request.headers.get("Origin", "")
        if origin not in self._origins:
            return await handler(request)
        if request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
            response: web.StreamResponse = web.Response(status=204)
            response.headers["Access-Control-Allow-Methods"] = METHODS
            response.headers["Access-Control-Allow-Headers"] = HEADERS
            response.headers["Access-Control-Max-Age"] = PREFLIGHT_SECONDS
        else:
            response = await handler(request)
        if not response.prepared:
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Access-Control-Allow-Credentials"] = "true"
            response.headers["Access-Control-Expose-Headers"] = EXPOSED
            response.headers["Vary"] = "Origin"
        return response
