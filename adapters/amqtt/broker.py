"""The embedded broker."""

import asyncio
import logging
import socket
import ssl
from collections.abc import Sequence
from typing import Any

from adapters.amqtt.connection import Connection
from adapters.amqtt.interior import Interior
from adapters.amqtt.limits import Limits
from adapters.amqtt.wires import TcpWire, WebSocketLike, WebSocketWire, Wire
from core.errors import Unavailable
from core.mqtt import BrokerStatistics, Gatekeeper, Inbox, Message, MessageObserver, topic_name
from core.mqtt import topic_filter as valid_filter

log = logging.getLogger(__name__)

_READ_AHEAD = 32 * 1024
_BACKLOG = 1024
_NO_LIMITS = Limits()


class EmbeddedBroker:
    """Implements `core.mqtt.Broker` inside this process, for MQTT 3.1.1 over TCP and WebSocket.

    Sessions and retained messages live as long as the process. Nothing that was acknowledged depends on them: what
    devices report is in the hands of the inbox by then.
    """

    def __init__(
        self,
        gatekeeper: Gatekeeper,
        inbox: Inbox,
        *,
        host: str = "127.0.0.1",
        port: int = 1883,
        tls: ssl.SSLContext | None = None,
        limits: Limits = _NO_LIMITS,
        observers: Sequence[MessageObserver] = (),
    ) -> None:
        self._interior = Interior.of(gatekeeper, inbox, limits, observers)
        self.limits = limits
        self._host = host
        self._port = port
        self._tls = tls
        self._server: asyncio.Server | None = None
        self._connections: set[Connection] = set()

    @property
    def cuts_at_once(self) -> bool:
        """See `core.mqtt.Broker`."""
        return True

    @property
    def port(self) -> int:
        """Where it listens, also when it was told to find a free port."""
        if self._server is None or not self._server.sockets:
            return self._port
        return int(self._server.sockets[0].getsockname()[1])

    async def start(self) -> None:
        """Listen. Raises OSError when the port is taken."""
        self._server = await asyncio.start_server(
            self._accept,
            self._host,
            self._port,
            ssl=self._tls,
            ssl_handshake_timeout=self.limits.connect_seconds if self._tls else None,
            limit=_READ_AHEAD,
            backlog=_BACKLOG,
        )

    async def stop(self) -> None:
        """Take no more, finish what has come, and close; what does not finish in time is cut."""
        server, self._server = self._server, None
        if server is None:
            return
        server.close()
        leaving = [asyncio.create_task(connection.left.wait()) for connection in self._connections]
        for connection in list(self._connections):
            connection.stop()
        if leaving:
            _, late = await asyncio.wait(leaving, timeout=self.limits.drain_seconds)
            for task in late:
                task.cancel()
        for connection in list(self._connections):
            connection.cut()
        await server.wait_closed()

    async def serve_websocket(self, websocket: WebSocketLike) -> None:
        """Serve one client over a WebSocket that was accepted with the subprotocol `mqtt`; returns when it is gone."""
        await self._serve(WebSocketWire(websocket, self._interior.counters), websocket=True)

    async def publish(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> None:
        """See `core.mqtt.Broker`."""
        topic_name(topic)
        await self.ping()
        self._interior.router.route(Message(topic=topic, payload=payload, qos=qos, retain=retain))

    async def disconnect(self, username: str) -> None:
        """See `core.mqtt.Broker`."""
        # A login that was found good a moment ago must not slip through, either.
        for entering in list(self._interior.logging_in.get(username, ())):
            entering.revoke()
        for session in self._interior.sessions.of_user(username):
            if session.holder is not None:
                session.holder.revoke()
            self._interior.sessions.forget(session)

    async def forget_retained(self, topic_filter: str) -> None:
        """See `core.mqtt.Broker`."""
        for message in self._interior.retained.matching(valid_filter(topic_filter)):
            self._interior.retained.forget(message.topic)

    def statistics(self) -> BrokerStatistics:
        """See `core.mqtt.Broker`."""
        interior = self._interior
        return interior.counters.statistics(
            clients=sum(connection.login is not None for connection in self._connections),
            sessions=len(interior.sessions),
            subscriptions=len(interior.sessions.subscriptions),
            retained=len(interior.retained),
            queued_bytes=interior.sessions.queued_bytes,
        )

    async def ping(self) -> None:
        """See `core.mqtt.Broker`."""
        if self._server is None or not self._server.is_serving():
            raise Unavailable("the MQTT broker does not run")

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connected: Any = writer.get_extra_info("socket")
        if connected is not None:
            # Finds peers that vanished although their clients asked for no keep-alive.
            connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        await self._serve(TcpWire(reader, writer, self._interior.counters), websocket=False)

    async def _serve(self, wire: Wire, *, websocket: bool) -> None:
        place = self._interior.door.enter(wire.address, websocket=websocket) if self._server is not None else None
        if place is None:
            log.debug("%s: there is no room for another connection", wire.address)
            wire.abort()
            return
        connection = Connection(self._interior, wire, place)
        self._connections.add(connection)
        try:
            await connection.run()
        finally:
            self._connections.discard(connection)
