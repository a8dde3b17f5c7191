"""The two ways in which bytes come to us: TCP streams, and messages of a WebSocket."""

import asyncio
from typing import Protocol

from adapters.amqtt.gauge import Counters

CHUNK = 16 * 1024
CONGESTED = 64 * 1024
CLOSE_SECONDS = 1.0


class Wire(Protocol):
    """A connection to a client, before any MQTT."""

    address: str

    async def receive(self) -> bytes:
        """What has come; empty when nothing will come any more."""

    def send(self, packet: bytes) -> None:
        """Send soon, in order. Never waits: look at `congested` before sending a lot."""

    @property
    def congested(self) -> bool:
        """Has the client not taken what was sent before?"""

    async def drain(self) -> None:
        """Wait until no longer congested. Raises ConnectionError when that cannot happen any more."""

    def abort(self) -> None:
        """Cut now; what was not sent is lost."""

    async def close(self) -> None:
        """Send what waits, then close; cut after a second."""


class WebSocketLike(Protocol):
    """What we need of a WebSocket that was accepted with the subprotocol `mqtt` (MQTT 3.1.1 §6)."""

    address: str

    async def receive(self) -> bytes | None:
        """The next binary message; None when there will be none, or when a text message came (§6.0)."""

    async def send(self, message: bytes) -> None:
        """Send one binary message; waits while the client does not read. Raises ConnectionError."""

    def abort(self) -> None:
        """Cut the connection below."""

    async def close(self) -> None:
        """Close with the closing handshake."""


class TcpWire:
    """Implements `Wire` on asyncio's streams; what is sent in one turn of the loop leaves in one system call."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, counters: Counters) -> None:
        peer = writer.get_extra_info("peername")
        self.address = str(peer[0]) if peer else ""
        self._counters = counters
        self._reader = reader
        self._writer = writer
        self._unsent: list[bytes] = []
        self._size = 0
        writer.transport.set_write_buffer_limits(high=CONGESTED)

    async def receive(self) -> bytes:
        """What has come; a connection that broke has ended, too."""
        try:
            return await self._reader.read(CHUNK)
        except OSError:
            return b""

    def send(self, packet: bytes) -> None:
        """Send at the end of this turn of the loop, with all else that was sent in it."""
        if not self._unsent:
            asyncio.get_running_loop().call_soon(self._flush)
        self._counters.bytes_out += len(packet)
        self._unsent.append(packet)
        self._size += len(packet)

    @property
    def congested(self) -> bool:
        """Counts what the transport has not taken yet."""
        return self._size + self._writer.transport.get_write_buffer_size() > CONGESTED

    async def drain(self) -> None:
        """Wait until the transport has room."""
        self._flush()
        await self._writer.drain()

    def abort(self) -> None:
        """Reset the connection."""
        self._unsent.clear()
        self._writer.transport.abort()

    async def close(self) -> None:
        """Send what waits, then close."""
        self._flush()
        self._writer.close()
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._writer.wait_closed()
        except (TimeoutError, OSError):
            self.abort()

    def _flush(self) -> None:
        if self._unsent:
            unsent, self._unsent, self._size = b"".join(self._unsent), [], 0
            if not self._writer.transport.is_closing():
                self._writer.write(unsent)


class WebSocketWire:
    """Implements `Wire` on a WebSocket. MQTT packets and WebSocket messages need not end at the same places (§6.0)."""

    def __init__(self, socket: WebSocketLike, counters: Counters) -> None:
        self.address = socket.address
        self._counters = counters
        self._socket = socket
        self._unsent = bytearray()
        self._sending: asyncio.Task[None] | None = None
        self._broken = False

    async def receive(self) -> bytes:
        """The next message that is not empty."""
        while (message := await self._socket.receive()) is not None:
            if message:
                return message
        return b""

    def send(self, packet: bytes) -> None:
        """Send soon; packets that wait meanwhile share a message."""
        if self._broken:
            return
        self._counters.bytes_out += len(packet)
        self._unsent += packet
        if self._sending is None:
            self._sending = asyncio.create_task(self._send_all())

    @property
    def congested(self) -> bool:
        """Counts what no message has taken yet."""
        return len(self._unsent) > CONGESTED

    async def drain(self) -> None:
        """Wait until all has been handed to the WebSocket."""
        if self._sending is not None:
            await asyncio.shield(self._sending)
        if self._broken:
            raise ConnectionResetError

    def abort(self) -> None:
        """Cut the connection below; nothing is sent any more."""
        self._broken = True
        self._unsent.clear()
        self._socket.abort()

    async def close(self) -> None:
        """Send what waits, then close with the closing handshake."""
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await self.drain()
                await self._socket.close()
        except (TimeoutError, OSError):
            self.abort()

    async def _send_all(self) -> None:
        try:
            while self._unsent:
                message = bytes(self._unsent)
                self._unsent.clear()
                await self._socket.send(message)
        except OSError:
            self._broken = True
            self._unsent.clear()
        finally:
            self._sending = None
