"""Traces arrive at a collector that speaks OTLP over HTTP; without one nothing of it is loaded."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from attrs import define, field
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from entrypoints.observing.tracing import ENDPOINTS, traces_of
from tests.support.application import Api, registration, running_api
from tests.support.mqtt import connected

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
ENDPOINT = ENDPOINTS[0]
SENSED = json.dumps({"sensor": "modbus", "messages": [json.dumps({"value": 1, "deviceName": "boiler"})]})


@define
class Collector:
    """Receives spans as an OpenTelemetry collector does."""

    spans: list[Span] = field(factory=list)
    services: set[str] = field(factory=set)

    async def receive(self, request: web.Request) -> web.Response:
        """POST /v1/traces."""
        sent = ExportTraceServiceRequest.FromString(await request.read())
        for resource in sent.resource_spans:
            self.services |= {each.value.string_value for each in resource.resource.attributes if "name" in each.key}
            self.spans += [span for scope in resource.scope_spans for span in scope.spans]
        return web.Response(content_type="application/x-protobuf")

    def named(self, name: str) -> list[Span]:
        """Spans of this name."""
        return [span for span in self.spans if span.name == name]


@asynccontextmanager
async def collected(folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Api, Collector]]:
    """The application, and the collector that has all its spans when the block has been left."""
    collector = Collector()
    app = web.Application()
    app.router.add_post("/v1/traces", collector.receive)
    async with TestServer(app) as server:
        url = str(server.make_url("")).rstrip("/")
        # The libraries read the environment of the process.
        monkeypatch.setenv(ENDPOINT, url)
        async with running_api(folder / "data", OTEL_EXPORTER_OTLP_ENDPOINT=url) as api:
            yield api, collector


def attributes_of(span: Span) -> dict[str, str | int]:
    """By their names."""
    return {each.key: each.value.string_value or each.value.int_value for each in span.attributes}


async def test_a_request_its_units_and_its_reactions_are_one_trace_that_continues_the_callers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with collected(tmp_path, monkeypatch) as (api, collector):
        key = await api.provisioning_key()
        headers = {"Authorization": f"Bearer {key}", "traceparent": f"00-{TRACE}-{PARENT}-01"}
        body = registration()
        answer = await api.stranger.post("/device/register?token=hidden", body, headers=headers)
        assert answer.status == 200
        assert answer.headers["X-Request-ID"].startswith(TRACE)
        await api.settle()
    [request] = collector.named("POST /api/v1/device/register")
    assert (request.trace_id.hex(), request.parent_span_id.hex()) == (TRACE, PARENT)
    told = attributes_of(request)
    assert told["http.route"] == "/api/v1/device/register"
    assert told["http.response.status_code"] == 200
    units = [span for span in collector.named("database write") if span.parent_span_id == request.span_id]
    assert [attributes_of(span)["db.system.name"] for span in units] == ["sqlite"]
    [reaction] = collector.named("react audit.log")[-1:]
    assert (reaction.trace_id, reaction.parent_span_id) == (request.trace_id, request.span_id)
    assert any(span.parent_span_id == reaction.span_id for span in collector.named("database write"))
    sent = b"".join(span.SerializeToString() for span in collector.spans).decode(errors="replace")
    assert not [secret for secret in (key, body["deviceApiKey"], "hidden") if secret in sent]
    assert "iotistic" in collector.services


async def test_a_message_of_a_device_is_a_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with collected(tmp_path, monkeypatch) as (api, collector):
        device = await api.device()
        async with connected(device.mqtt) as client:
            # Acknowledged once it is stored.
            await client.publish(f"iot/device/{device.uuid}/sensor/modbus", SENSED, qos=1)
    [message] = collector.named("process sensor")
    assert attributes_of(message)["messaging.destination.template"] == "iot/device/{uuid}/sensor"
    assert any(span.parent_span_id == message.span_id for span in collector.named("database write"))


async def test_a_collector_that_is_away_holds_nobody_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nowhere = "http://127.0.0.1:1"
    monkeypatch.setenv(ENDPOINT, nowhere)
    async with (
        asyncio.timeout(20),
        running_api(tmp_path / "data", OTEL_EXPORTER_OTLP_ENDPOINT=nowhere) as api,
    ):
        assert (await api.stranger.get("/health", root=True)).status == 200


def test_without_a_collector_nothing_of_it_is_loaded_nor_made() -> None:
    assert traces_of({}, "up") is None
    assert traces_of({ENDPOINT: "http://127.0.0.1:1", "OTEL_SDK_DISABLED": "true"}, "up") is None
    code = "import sys, entrypoints.wiring.lifespan; print([name for name in sys.modules if 'opentelemetry' in name])"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "[]"
