"""Traces for OpenTelemetry, sent by OTLP over HTTP. Imported only where they are wanted."""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from aiohttp import web
from attrs import define, evolve
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Link, NonRecordingSpan, Span, SpanContext, SpanKind, StatusCode, TraceFlags, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from core.events import CORRELATION, Announced, AnySubscription
from core.ids import DeviceUuid
from core.transactions import Transaction, Transactions
from entrypoints.observing.reacting import Handler
from entrypoints.observing.tracing import Deliver, Serve

SERVICE_NAME = "OTEL_SERVICE_NAME"
CLOSE_SECONDS = 2.0
REQUEST_ID = "iotistic.request_id"
_OWN_NAME = re.compile(r"([0-9a-f]{32})-([0-9a-f]{16})")
_continued = TraceContextTextMapPropagator()


class OtlpTraces:
    """Implements `Traces` on the SDK of OpenTelemetry; its other standard variables count as well."""

    def __init__(self, environment: Mapping[str, str], role: str) -> None:
        name = environment.get(SERVICE_NAME) or "iotistic"
        resource = Resource.create({"service.name": name, "service.namespace": "iotistic", "iotistic.role": role})
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._exporter = OTLPSpanExporter()
        self._provider.add_span_processor(BatchSpanProcessor(self._exporter))
        self._tracer = self._provider.get_tracer("iotistic")

    def name_of(self, _request: web.Request) -> str | None:
        """See `Traces`."""
        return _name_of(trace.get_current_span())

    def serving(self, method: str, route: str, serve: Serve) -> Serve:
        """See `Traces`. Attributes by https://opentelemetry.io/docs/specs/semconv/http/http-spans/."""
        name, fixed = f"{method} {route}", {"http.request.method": method, "http.route": route}

        async def traced(request: web.Request) -> web.StreamResponse:
            # Never the query: tokens may stand in it.
            attributes = {**fixed, "url.scheme": request.scheme, "url.path": request.path}
            outside = _continued.extract(request.headers, Context())
            with self._tracer.start_as_current_span(
                name, outside, SpanKind.SERVER, attributes, record_exception=False
            ) as span:
                response = await serve(request)
                span.set_attribute("http.response.status_code", response.status)
                span.set_attribute(REQUEST_ID, CORRELATION.get() or "")
                if response.status >= 500:  # noqa: PLR2004 - ours to blame, from here on
                    span.set_status(StatusCode.ERROR)
                return response

        return traced

    def transactions(self, transactions: Transactions, system: str) -> Transactions:
        """See `Traces`."""
        return _TracedTransactions(transactions, self._tracer, {"db.system.name": system})

    def reacting(self, subscription: AnySubscription) -> AnySubscription:
        """See `Traces`."""
        react, name = subscription.reaction, subscription.name

        async def traced(announced: Announced[Any]) -> None:
            attributes = {
                "iotistic.reaction": name,
                "iotistic.event": announced.event.NAME,
                REQUEST_ID: announced.correlation_id or "",
            }
            delivery = trace.get_current_span().get_span_context()
            links = [Link(delivery)] if delivery.is_valid else []
            with self._tracer.start_as_current_span(
                f"react {name}",
                _cause_of(announced.correlation_id),
                SpanKind.CONSUMER,
                attributes,
                links,
                record_exception=False,
            ):
                await react(announced)

        return evolve(subscription, reaction=traced)

    def handling(self, kind: str, handle: Handler) -> Handler:
        """See `Traces`. Attributes by https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/."""
        attributes = {
            "messaging.system": "mqtt",
            "messaging.operation.type": "process",
            "messaging.destination.template": f"iot/device/{{uuid}}/{kind}",
        }

        async def traced(uuid: DeviceUuid, rest: str, payload: bytes) -> None:
            with self._tracer.start_as_current_span(
                f"process {kind}", Context(), SpanKind.CONSUMER, attributes, record_exception=False
            ) as span:
                # So that reactions find the trace. Whoever counts the message puts the name of before back.
                CORRELATION.set(_name_of(span) or CORRELATION.get())
                span.set_attribute("messaging.message.body.size", len(payload))
                span.set_attribute(REQUEST_ID, CORRELATION.get() or "")
                await handle(uuid, rest, payload)

        return traced

    def delivering(self, deliver: Deliver) -> Deliver:
        """See `Traces`."""

        async def traced(lane: int) -> bool:
            attributes: dict[str, str | int] = {"messaging.operation.type": "process", "iotistic.lane": lane}
            with self._tracer.start_as_current_span("deliver lane", Context(), SpanKind.CONSUMER, attributes):
                return await deliver(lane)

        return traced

    async def close(self) -> None:
        """See `Traces`."""
        flushing = asyncio.create_task(asyncio.to_thread(self._provider.force_flush))
        await asyncio.wait({flushing}, timeout=CLOSE_SECONDS)
        # It ends what tries again and again to reach a collector that is away.
        self._exporter.shutdown()  # type: ignore[no-untyped-call]
        await flushing
        await asyncio.to_thread(self._provider.shutdown)


@define
class _TracedTransactions:
    """Implements `Transactions`: the same units, with a span around each that somebody asked for."""

    _units: Transactions
    _tracer: Tracer
    _attributes: Mapping[str, str]

    def begin(self) -> AbstractAsyncContextManager[Transaction]:
        return self._spanned("database write", self._units.begin)

    def read(self) -> AbstractAsyncContextManager[Transaction]:
        return self._spanned("database read", self._units.read)

    def _spanned(self, name: str, unit: Any) -> AbstractAsyncContextManager[Transaction]:
        opened: AbstractAsyncContextManager[Transaction] = unit()
        return self._around(name, opened) if trace.get_current_span().is_recording() else opened

    @asynccontextmanager
    async def _around(self, name: str, opened: AbstractAsyncContextManager[Transaction]) -> AsyncIterator[Transaction]:
        span = self._tracer.start_span(name, kind=SpanKind.CLIENT, attributes=self._attributes)
        try:
            async with opened as unit:
                yield unit
        except Exception as error:
            # Its kind alone: in its words may stand what was to be written.
            span.set_status(StatusCode.ERROR, type(error).__name__)
            raise
        finally:
            span.end()


def _name_of(span: Span) -> str | None:
    """The name by which the trace is found again, also in another process; None for what is not sent anyway."""
    context = span.get_span_context()
    return f"{context.trace_id:032x}-{context.span_id:016x}" if context.trace_flags.sampled else None


def _cause_of(correlation_id: str | None) -> Context:
    """Where the request is, if its name tells."""
    found = _OWN_NAME.fullmatch(correlation_id or "")
    if found is None:
        return Context()
    trace_id, span_id = (int(part, 16) for part in found.groups())
    cause = SpanContext(trace_id, span_id, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))
    return trace.set_span_in_context(NonRecordingSpan(cause), Context())
