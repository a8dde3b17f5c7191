"""MQTT over WebSocket on the HTTP port (MQTT 3.1.1 §6), for browsers and for networks that only let HTTP through."""

from aiohttp import WSMsgType, web

from adapters.amqtt import EmbeddedBroker
from core.errors import Invalid
from entrypoints.http.errors import response_to
from entrypoints.http.routing import SECRET, Route

PATH = "/mqtt"
SUBPROTOCOL = "mqtt"
_HEADER = 5  # what packs a packet beside its body, at most


class MqttWebSocket:
    """Hands WebSockets to the embedded broker. Clients authenticate in MQTT: cookies and headers give no rights."""

    def __init__(self, broker: EmbeddedBroker) -> None:
        self._broker = broker

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Upgrade the connection and serve MQTT on it until it ends."""
        offered = request.headers.get("Sec-WebSocket-Protocol", "").split(",")
        if SUBPROTOCOL not in (name.strip() for name in offered):
            why = "this is MQTT over WebSocket: offer the subprotocol mqtt"
            return response_to(Invalid(why, field="Sec-WebSocket-Protocol"))
        largest = self._broker.limits.packet_bytes + _HEADER
        response = web.WebSocketResponse(protocols=(SUBPROTOCOL,), max_msg_size=largest, compress=False)
        await response.prepare(request)
        await self._broker.serve_websocket(_AiohttpSocket(request, response))
        return response

    def routes(self) -> list[Route]:
        """The one route; who connects is asked by the broker, in MQTT's own way."""
        return [
            Route(
                method="GET",
                path=PATH,
                handler=self.handle,
                allow=SECRET,
                summary="MQTT over WebSocket",
                root=True,
                answers={101: "The protocol changes to MQTT", 400: "The subprotocol mqtt was not offered"},
            )
        ]


class _AiohttpSocket:
    """Implements `adapters.amqtt.WebSocketLike`."""

    def __init__(self, request: web.Request, response: web.WebSocketResponse) -> None:
        self.address = request.remote or ""
        self._transport = request.transport
        self._response = response

    async def receive(self) -> bytes | None:
        message = await self._response.receive()
        return message.data if message.type is WSMsgType.BINARY else None

    async def send(self, message: bytes) -> None:
        await self._response.send_bytes(message)

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    async def close(self) -> None:
        await self._response.close()
