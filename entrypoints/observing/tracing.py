"""Whether traces are wanted, without the libraries that make them: they are imported only where the answer is yes."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

from aiohttp import web

from core.errors import Invalid
from core.events import AnySubscription
from core.transactions import Transactions
from entrypoints.observing.reacting import Handler

# https://opentelemetry.io/docs/specs/otel/protocol/exporter/
ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
DISABLED = "OTEL_SDK_DISABLED"

Serve = Callable[[web.Request], Awaitable[web.StreamResponse]]
Deliver = Callable[[int], Awaitable[bool]]


class Traces(Protocol):
    """Makes spans of what a process does. Each method gives back what it was given, with a span around each use."""

    def name_of(self, request: web.Request) -> str | None:
        """A name for the request by which those who react to it find its trace; None when it is not traced."""

    def serving(self, method: str, route: str, serve: Serve) -> Serve:
        """HTTP: continues the trace of whoever asks (W3C `traceparent`)."""

    def transactions(self, transactions: Transactions, system: str) -> Transactions:
        """One span for each unit; none outside of a span, where nobody asked. `system` names the database."""

    def reacting(self, subscription: AnySubscription) -> AnySubscription:
        """A reaction belongs to the trace of the request that it comes of."""

    def handling(self, kind: str, handle: Handler) -> Handler:
        """A message of a device begins a trace."""

    def delivering(self, deliver: Deliver) -> Deliver:
        """The delivery of a lane begins a trace that the reactions in it are linked to."""

    async def close(self) -> None:
        """Send what waits to be sent, for some seconds at most."""


def traces_of(environment: Mapping[str, str], role: str) -> Traces | None:
    """Traces if there is a collector to send them to. Invalid when the libraries are missing then."""
    wanted = any(environment.get(name) for name in ENDPOINTS)
    if not wanted or environment.get(DISABLED, "").lower() == "true":
        return None
    try:
        from entrypoints.observing.traces import OtlpTraces
    except ImportError as error:
        raise Invalid(
            f"{ENDPOINTS[0]} is set, but the libraries for traces are not installed: pip install 'iotistic[traces]'",
            field=ENDPOINTS[0],
        ) from error
    return OtlpTraces(environment, role)
