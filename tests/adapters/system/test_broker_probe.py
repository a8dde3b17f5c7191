"""What a test of a broker finds out, and where it does not go (abuse case 37)."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from adapters.amqtt import EmbeddedBroker
from adapters.system import SystemIds
from adapters.system.broker_probe import NetworkBrokerProbe
from core.mqtt import Access, BrokerDefinition, ClientOptions, Message, ProbeOutcome
from tests.support.certificates import Made, a_certificate
from tests.support.clock import NOON

Server = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
LOOPBACK = "127.0.0.1"
ANYWHERE = "0.0.0.0"  # noqa: S104 - connected to, not bound: it leads to this machine


class Keeper:
    """Implements `Gatekeeper` and `Inbox`: lets in whoever knows the password."""

    def __init__(self) -> None:
        self.clients: list[str] = []

    async def authenticate(self, *, username: str, password: str, client_id: str) -> bool:
        """Only this one."""
        self.clients.append(client_id)
        return (username, password) == ("control", "secret")

    async def permits(self, *, username: str, client_id: str, topic: str, access: Access) -> bool:
        """Nobody does anything."""
        return False

    def listens_to(self, username: str) -> Sequence[str]:
        """Nothing of its own accord."""
        return ()

    def seen(self, username: str) -> None:
        """Good."""

    def wants(self, topic: str) -> bool:
        """Nothing."""
        return False

    async def receive(self, message: Message) -> None:
        """Nothing comes."""


@pytest.fixture
def probe() -> NetworkBrokerProbe:
    """A probe that is in no mood to wait."""
    return NetworkBrokerProbe(SystemIds(), seconds=2.0)


@pytest.fixture
def keeper() -> Keeper:
    """Who is let in."""
    return Keeper()


@asynccontextmanager
async def started(keeper: Keeper, tls: ssl.SSLContext | None = None) -> AsyncIterator[EmbeddedBroker]:
    """A real broker on a free port."""
    broker = EmbeddedBroker(keeper, keeper, port=0, tls=tls)
    await broker.start()
    try:
        yield broker
    finally:
        await broker.stop()


def defined(port: int, host: str = LOOPBACK, **fields: Any) -> BrokerDefinition:
    """A broker as somebody defined it."""
    plain: dict[str, Any] = {"username": "control", "password": "secret", "created_at": NOON, "updated_at": NOON}
    return BrokerDefinition(name="first", host=host, port=port, **(plain | fields))


@asynccontextmanager
async def serving(handle: Server) -> AsyncIterator[int]:
    """Something on a free port; the port."""
    server = await asyncio.start_server(handle, LOOPBACK, 0)
    async with server:
        yield int(server.sockets[0].getsockname()[1])


def saying(text: bytes) -> Server:
    """Something that says this to everybody and hangs up."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(text)
        writer.close()

    return handle


@pytest.mark.parametrize("host", [LOOPBACK, "localhost"])
async def test_a_broker_that_can_be_used_accepts(probe: NetworkBrokerProbe, keeper: Keeper, host: str) -> None:
    async with started(keeper) as broker:
        assert await probe.probe(defined(broker.port, host)) is ProbeOutcome.ACCEPTED
    assert keeper.clients[0].startswith("device-test-")


@pytest.mark.parametrize("wrong", [{"password": "wrong"}, {"password": None}, {"username": None, "password": None}])
async def test_wrong_credentials_are_told_from_no_broker(
    probe: NetworkBrokerProbe, keeper: Keeper, wrong: dict[str, Any]
) -> None:
    async with started(keeper) as broker:
        assert await probe.probe(defined(broker.port, **wrong)) is ProbeOutcome.REFUSED_CREDENTIALS


@pytest.mark.parametrize(
    "answer", [b"", b"\x20", b"HTTP/1.1 200 OK\r\n\r\n", b"\x20\x02\x00", b"SSH-2.0-x\r\n", b"\x00" * 100_000]
)
@pytest.mark.parametrize("protocol", ["mqtt", "ws"])
async def test_what_is_no_broker_is_told_so_and_nothing_of_what_it_said(
    probe: NetworkBrokerProbe, answer: bytes, protocol: str
) -> None:
    async with serving(saying(answer)) as port:
        assert await probe.probe(defined(port, protocol=protocol)) is ProbeOutcome.NO_BROKER


async def test_who_does_not_answer_is_not_waited_for(keeper: Keeper) -> None:
    done = asyncio.Event()

    async def silent(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await done.wait()
        writer.close()

    async with serving(silent) as port:
        outcome = await NetworkBrokerProbe(SystemIds(), seconds=0.05).probe(defined(port))
        done.set()
    assert outcome is ProbeOutcome.TIMEOUT


async def test_where_nobody_listens_is_unreachable(probe: NetworkBrokerProbe) -> None:
    with socket.socket() as reserved:
        reserved.bind((LOOPBACK, 0))
        assert await probe.probe(defined(reserved.getsockname()[1])) is ProbeOutcome.UNREACHABLE


async def test_a_name_that_nobody_knows_is_told_so(probe: NetworkBrokerProbe) -> None:
    assert await probe.probe(defined(1883, "nowhere.invalid")) is ProbeOutcome.UNKNOWN_HOST


@pytest.mark.parametrize(
    "host",
    [
        "169.254.169.254",
        "fe80::1",
        "::ffff:169.254.169.254",
        ANYWHERE,
        "2852039166",
        "0xa9fea9fe",
        "0251.0376.0251.0376",
    ],
)
async def test_addresses_of_the_network_itself_are_not_connected_to_however_they_are_written(
    probe: NetworkBrokerProbe, host: str
) -> None:
    """Abuse cases 36 and 37: the address counts that the name resolves to."""
    assert await probe.probe(defined(1883, host)) is ProbeOutcome.REFUSED_ADDRESS


async def test_a_setting_lets_it_connect_anywhere(keeper: Keeper) -> None:
    async with started(keeper) as broker:
        anywhere = NetworkBrokerProbe(SystemIds(), anywhere=True, seconds=2.0)
        assert await anywhere.probe(defined(broker.port, ANYWHERE)) is ProbeOutcome.ACCEPTED


async def test_the_name_is_resolved_once(
    probe: NetworkBrokerProbe, keeper: Keeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Abuse case 37: a name that leads elsewhere the second time it is asked for (DNS rebinding)."""
    asked: list[str] = []
    resolve = socket.getaddrinfo

    def rebinding(host: Any, *arguments: Any, **options: Any) -> Any:
        if host == "rebinding.example":
            asked.append(host)
            host = LOOPBACK if len(asked) == 1 else "169.254.169.254"
        return resolve(host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    async with started(keeper) as broker:
        assert await probe.probe(defined(broker.port, "rebinding.example")) is ProbeOutcome.ACCEPTED
    assert asked == ["rebinding.example"]


async def test_a_name_with_one_address_too_many_is_refused(
    probe: NetworkBrokerProbe, monkeypatch: pytest.MonkeyPatch
) -> None:
    def two(_host: Any, port: int, *_arguments: Any, **_options: Any) -> Any:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, port)) for host in (LOOPBACK, "169.254.169.254")]

    monkeypatch.setattr(socket, "getaddrinfo", two)
    assert await probe.probe(defined(1883, "two.example")) is ProbeOutcome.REFUSED_ADDRESS


def tls_of(made: Made, folder: Path) -> ssl.SSLContext:
    """A server's side of TLS."""
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    certificate.write_text(made.certificate)
    key.write_text(made.key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


async def test_certificates_are_verified_as_the_definition_says(
    probe: NetworkBrokerProbe, keeper: Keeper, tmp_path: Path
) -> None:
    made, stranger = a_certificate("localhost"), a_certificate("localhost")
    async with started(keeper, tls_of(made, tmp_path)) as broker:
        for host, options, outcome in (
            ("localhost", ClientOptions(ca_cert=made.certificate), ProbeOutcome.ACCEPTED),
            ("localhost", ClientOptions(), ProbeOutcome.TLS_FAILED),
            ("localhost", ClientOptions(ca_cert=stranger.certificate), ProbeOutcome.TLS_FAILED),
            (LOOPBACK, ClientOptions(ca_cert=made.certificate), ProbeOutcome.TLS_FAILED),
            (LOOPBACK, ClientOptions(verify_certificate=False), ProbeOutcome.ACCEPTED),
        ):
            broker_there = defined(broker.port, host, protocol="mqtts", options=options)
            assert await probe.probe(broker_there) is outcome, (host, options)


async def test_no_password_is_sent_before_the_certificate_is_believed(
    probe: NetworkBrokerProbe, keeper: Keeper, tmp_path: Path
) -> None:
    async with started(keeper, tls_of(a_certificate("localhost"), tmp_path)) as broker:
        await probe.probe(defined(broker.port, "localhost", protocol="mqtts"))
    assert keeper.clients == []


@asynccontextmanager
async def website(handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> AsyncIterator[int]:
    """A web server on a free port; the port."""
    app = web.Application()
    app.router.add_get("/mqtt", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, LOOPBACK, 0)
        await site.start()
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()


async def test_a_broker_behind_a_websocket_is_spoken_to(probe: NetworkBrokerProbe) -> None:
    heard: list[bytes] = []

    async def broker(request: web.Request) -> web.StreamResponse:
        connection = web.WebSocketResponse(protocols=("mqtt",))
        await connection.prepare(request)
        heard.append(await connection.receive_bytes())
        await connection.send_bytes(b"\x20\x02\x00\x00")
        await connection.close()
        return connection

    async with website(broker) as port:
        long_name = "x" * 200
        there = defined(port, protocol="ws", path="/mqtt", username=long_name)
        assert await probe.probe(there) is ProbeOutcome.ACCEPTED
        assert await probe.probe(defined(port, protocol="ws", path="/elsewhere")) is ProbeOutcome.NO_BROKER
    assert heard[0][:1] == b"\x10"
    assert long_name.encode() in heard[0]


async def test_redirects_are_not_followed(probe: NetworkBrokerProbe) -> None:
    """Abuse case 37."""
    followed: list[str] = []

    async def elsewhere(request: web.Request) -> web.StreamResponse:
        followed.append(request.path_qs)
        raise web.HTTPFound("/mqtt?again")

    async with website(elsewhere) as port:
        assert await probe.probe(defined(port, protocol="ws", path="/mqtt")) is ProbeOutcome.NO_BROKER
    assert followed == ["/mqtt"]
