"""How many requests are worked on at a time. Whoever comes beyond that is told at once to come again later.

Without it everybody would be let in, wait for everybody else, and have hung up before his turn.
"""

from aiohttp import web
from attrs import define

from core.errors import Unavailable
from entrypoints.http.errors import response_to
from entrypoints.http.routing import Handler

RETRY_AFTER = 2.0


@define
class Crowd:
    """Those who are inside. `refused` counts those for whom there was no room."""

    most: int
    inside: int = 0
    refused: int = 0

    def bounded(self, serve: Handler) -> Handler:
        """The same handler, for no more than there is room for."""

        async def bounded(request: web.Request) -> web.StreamResponse:
            if self.inside >= self.most:
                self.refused += 1
                return response_to(Unavailable("too many requests are under way", retry_after=RETRY_AFTER))
            self.inside += 1
            try:
                return await serve(request)
            finally:
                self.inside -= 1

        return bounded
