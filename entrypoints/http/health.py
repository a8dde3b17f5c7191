"""Is it alive, is it ready, how is it doing (root paths, for probes and Prometheus)."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from hmac import compare_digest

from aiohttp import web
from prometheus_client import CollectorRegistry, exposition

from core.clock import Clock
from core.errors import Forbidden, Refusal
from core.health import Ping
from entrypoints.http.addresses import from_this_machine
from entrypoints.http.authentication import bearer_of
from entrypoints.http.declarations import Answer, Secret
from entrypoints.http.requests import actor_of
from entrypoints.http.responses import json
from entrypoints.http.routing import ANYONE, SECRET, Route

PING_SECONDS = 3.0
VERSION = "2.0.0"


class HealthRoutes:
    """Handlers."""

    def __init__(
        self,
        *,
        clock: Clock,
        pings: Sequence[Ping],
        registry: CollectorRegistry,
        metrics_token: str,
        before_metrics: Callable[[], Awaitable[object]],
    ) -> None:
        """`before_metrics` is awaited before each answer to Prometheus: it reads what is not counted as it happens."""
        self._clock = clock
        self._pings = pings
        self._registry = registry
        self._metrics_token = metrics_token
        self._before_metrics = before_metrics
        self._began = clock.monotonic()

    async def root(self, _request: web.Request) -> web.Response:
        """Who answers here."""
        return json(
            {
                "status": "ok",
                "service": "Iotistic Unified API",
                "version": VERSION,
                "apiVersion": "v1",
                "apiBase": "/api/v1",
                "documentation": "/api/docs",
            }
        )

    async def health(self, _request: web.Request) -> web.Response:
        """The process is alive; nothing else is looked at."""
        uptime = self._clock.monotonic() - self._began
        return json({"status": "healthy", "timestamp": self._clock.now(), "uptime": round(uptime, 3)})

    async def ready(self, _request: web.Request) -> web.Response:
        """Everything we need works; else 503 with the names of what does not."""
        failures = await asyncio.gather(*(_failure_of(ping) for ping in self._pings))
        checks = {ping.name: failure or "ok" for ping, failure in zip(self._pings, failures, strict=True)}
        failing = [name for name, outcome in checks.items() if outcome != "ok"]
        body = {"status": "unavailable" if failing else "ready", "checks": checks, "failing": failing}
        return json(body, status=503 if failing else 200, headers={"Retry-After": "5"} if failing else None)

    async def metrics(self, request: web.Request) -> web.Response:
        """Numbers for Prometheus: to whoever holds the token or, without one, to this machine."""
        token = bearer_of(request) or ""
        if self._metrics_token:
            allowed = compare_digest(token.encode(), self._metrics_token.encode())
        else:
            allowed = from_this_machine(request, actor_of(request).address)
        if not allowed:
            raise Forbidden("metrics are for this machine, or for the holder of METRICS_TOKEN")
        await self._before_metrics()
        return web.Response(
            body=exposition.generate_latest(self._registry), headers={"Content-Type": exposition.CONTENT_TYPE_LATEST}
        )

    def routes(self) -> list[Route]:
        """The routes for probes."""
        return [
            Route(method="GET", path="/", handler=self.root, allow=ANYONE, summary="Who answers here", root=True),
            Route(method="GET", path="/health", handler=self.health, allow=ANYONE, summary="Is it alive", root=True),
            Route(
                method="GET",
                path="/ready",
                handler=self.ready,
                allow=ANYONE,
                summary="Is it ready",
                root=True,
                answers={200: "Everything works", 503: Answer("`failing` names what does not work")},
            ),
            Route(
                method="GET",
                path="/metrics",
                handler=self.metrics,
                allow=SECRET,
                summary="For Prometheus",
                root=True,
                answers={200: Answer("Numbers", str, "text/plain")},
                secrets=(Secret.METRICS_TOKEN,),
            ),
        ]


async def _failure_of(ping: Ping) -> str | None:
    # Whoever is cancelled may take longer than that to give up, as drivers of databases do: they are not waited for.
    asking = asyncio.ensure_future(ping.check())
    asking.add_done_callback(_passed_over)
    try:
        done, _ = await asyncio.wait([asking], timeout=PING_SECONDS)
    finally:
        asking.cancel()
    if not done:
        return f"no answer within {PING_SECONDS:g} s"
    try:
        asking.result()
    except Refusal as refusal:
        return refusal.message
    except Exception as error:  # noqa: BLE001 - whatever a ping raises is its answer
        return type(error).__name__
    return None


def _passed_over(asked: "asyncio.Future[object]") -> None:
    if not asked.cancelled():
        asked.exception()
