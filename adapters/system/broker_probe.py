"""Connects to a broker as a client would, to see whether it can be used. Implements `core.mqtt.BrokerProbe`.

Written by hand rather than with a client library, for those resolve the name once more when they connect, follow
redirects, and obey proxies: each a way around the check of the address.
"""

import asyncio
import base64
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from core.ids import Ids
from core.mqtt import BrokerDefinition, ProbeOutcome, is_refused

SECONDS = 5.0
CONNACK = b"\x20\x02"
ACCEPTED = 0
KEEP_ALIVE = 10
READ_AHEAD = 8 * 1024
BINARY_FRAME = b"\x82"
SHORT_FRAME = 125
WITH_16_BITS = 126

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class _Refused(Exception):
    """We may not connect there."""


# The first that fits: most of these are kinds of OSError.
_OUTCOMES: tuple[tuple[type[Exception], ProbeOutcome], ...] = (
    (_Refused, ProbeOutcome.REFUSED_ADDRESS),
    (TimeoutError, ProbeOutcome.TIMEOUT),
    (socket.gaierror, ProbeOutcome.UNKNOWN_HOST),
    (ssl.SSLError, ProbeOutcome.TLS_FAILED),
    (ConnectionRefusedError, ProbeOutcome.UNREACHABLE),
    (ConnectionError, ProbeOutcome.NO_BROKER),
    (OSError, ProbeOutcome.UNREACHABLE),
    (Exception, ProbeOutcome.NO_BROKER),
)


class NetworkBrokerProbe:
    """Resolves the name once, looks at the addresses, and connects to one of exactly these.

    `anywhere` lets it connect to refused addresses as well.
    """

    def __init__(self, ids: Ids, *, anywhere: bool = False, seconds: float = SECONDS) -> None:
        self._ids = ids
        self._anywhere = anywhere
        self._seconds = seconds

    async def probe(self, broker: BrokerDefinition) -> ProbeOutcome:
        """See the port."""
        try:
            async with asyncio.timeout(self._seconds):
                return await self._tried(broker)
        except (OSError, EOFError, ValueError, asyncio.LimitOverrunError, _Refused) as error:
            return next(outcome for kind, outcome in _OUTCOMES if isinstance(error, kind))

    async def _tried(self, broker: BrokerDefinition) -> ProbeOutcome:
        addresses = await self._addresses(broker)
        client_id = f"{broker.options.client_id_prefix}-test-{self._ids.secret(4)}"
        packet = _connect_packet(client_id, broker.username, broker.password)
        async with _connected(addresses, broker) as (reader, writer):
            if broker.protocol in {"ws", "wss"}:
                answer = await _over_websocket(reader, writer, broker, packet, self._ids.secret(16))
            else:
                writer.write(packet)
                answer = await reader.readexactly(4)
            if answer[:2] != CONNACK:
                return ProbeOutcome.NO_BROKER
            return ProbeOutcome.ACCEPTED if answer[3] == ACCEPTED else ProbeOutcome.REFUSED_CREDENTIALS

    async def _addresses(self, broker: BrokerDefinition) -> list[str]:
        found = await asyncio.get_running_loop().getaddrinfo(broker.host, broker.port, type=socket.SOCK_STREAM)
        addresses = list(dict.fromkeys(str(where[0]) for *_, where in found))
        if not self._anywhere and any(is_refused(address) for address in addresses):
            raise _Refused
        return addresses


@asynccontextmanager
async def _connected(addresses: list[str], broker: BrokerDefinition) -> AsyncIterator[Streams]:
    context = _tls(broker) if broker.uses_tls else None
    reader, writer = await _first_of(addresses, broker, context)
    try:
        yield reader, writer
    finally:
        writer.close()
        with suppress(OSError, ssl.SSLError):
            await writer.wait_closed()


async def _first_of(addresses: list[str], broker: BrokerDefinition, context: ssl.SSLContext | None) -> Streams:
    """Addresses are numbers here: nothing is resolved again."""
    *others, last = addresses
    name = broker.host if context else None
    for address in others:
        with suppress(ConnectionRefusedError):
            return await asyncio.open_connection(
                address, broker.port, ssl=context, server_hostname=name, limit=READ_AHEAD
            )
    return await asyncio.open_connection(last, broker.port, ssl=context, server_hostname=name, limit=READ_AHEAD)


def _tls(broker: BrokerDefinition) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=broker.options.ca_cert)
    if not broker.options.verify_certificate:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _connect_packet(client_id: str, username: str | None, password: str | None) -> bytes:
    """CONNECT with a clean session (MQTT 3.1.1 §3.1)."""
    flags = 0x02 | (0x80 if username is not None else 0) | (0x40 if username is not None and password else 0)
    body = _text("MQTT") + bytes((4, flags)) + KEEP_ALIVE.to_bytes(2) + _text(client_id)
    if username is not None:
        body += _text(username) + (_text(password) if password else b"")
    return b"\x10" + _length(len(body)) + body


def _text(text: str) -> bytes:
    raw = text.encode()
    return len(raw).to_bytes(2) + raw


def _length(size: int) -> bytes:
    """The remaining length (§2.2.3)."""
    digits = bytearray()
    while True:
        size, digit = divmod(size, 128)
        digits.append(digit | (0x80 if size else 0))
        if not size:
            return bytes(digits)


async def _over_websocket(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, broker: BrokerDefinition, packet: bytes, nonce: str
) -> bytes:
    """The answer to the packet over a WebSocket (RFC 6455 §4.1, §5.2). Redirects are no WebSocket."""
    authority = broker.url.partition("://")[2].partition("/")[0]
    head = (
        f"GET {broker.path or '/'} HTTP/1.1\r\nHost: {authority}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {base64.b64encode(bytes.fromhex(nonce)).decode()}\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n"
    )
    writer.write(head.encode())
    status = (await reader.readuntil(b"\r\n\r\n")).split(b"\r\n", 1)[0]
    if status.split(b" ")[1:2] != [b"101"]:
        return b"\0\0\0\0"
    # A mask there must be; nobody between us and the broker is to be protected from a packet of our own.
    size = len(packet)
    length = bytes((0x80 | size,)) if size <= SHORT_FRAME else bytes((0x80 | WITH_16_BITS,)) + size.to_bytes(2)
    writer.write(BINARY_FRAME + length + bytes(4) + packet)
    frame = await reader.readexactly(6)
    return frame[2:] if frame[:1] == BINARY_FRAME else b"\0\0\0\0"
