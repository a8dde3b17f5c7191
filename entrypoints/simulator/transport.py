"""The two ways to the server: HTTP calls over one shared session, and an MQTT connection for each device."""

import asyncio
import logging
import ssl
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import aiohttp
import aiomqtt
from attrs import field, frozen

from entrypoints.simulator.identity import Account
from entrypoints.simulator.tally import Tally
from entrypoints.simulator.wire import Publication, Request, api_base

HTTP_TIMEOUT = 30.0
MOST_CONNECTIONS = 1000
DEFAULT_HEADERS = {"Accept": "*/*", "Accept-Encoding": "gzip, deflate", "User-Agent": "node"}
CONNECT_TIMEOUT = 10.0
FIRST_RECONNECT, LAST_RECONNECT = 1.0, 30.0
REASON_SHOWN = 160
SUCCESS = range(200, 300)
REFUSED = 0x80
PORTS = {"mqtt": 1883, "mqtts": 8883, "ws": 80, "wss": 443}

# A fleet counts failures; one log line for each of thousands of devices would say the same thing worse.
SILENT = logging.getLogger("iotistic.simulator.mqtt")
SILENT.setLevel(logging.CRITICAL)


class Failed(Exception):
    """A call or a publication that was not acknowledged. `status` is the HTTP answer, None where there was none."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


@frozen(kw_only=True)
class Answer:
    """What came back. Headers are as received: the ETag keeps its quotes."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


class Api:
    """HTTP calls of the whole fleet."""

    def __init__(self, session: aiohttp.ClientSession, url: str, tally: Tally) -> None:
        self._session = session
        self._base = api_base(url)
        self._tally = tally

    async def call(self, request: Request) -> Answer:
        """Make a call and count it. Raises Failed."""
        started = time.perf_counter()
        try:
            answer = await self._exchange(request)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise self._failure(request, f"{type(error).__name__}: {error}"[:REASON_SHOWN], None) from error
        if not (answer.status in SUCCESS or answer.status in request.also_fine):
            reason = f"HTTP {answer.status}: {answer.body.decode(errors='replace')}"[:REASON_SHOWN]
            raise self._failure(request, reason, answer.status)
        self._tally.succeeded(request.kind, time.perf_counter() - started)
        return answer

    async def _exchange(self, request: Request) -> Answer:
        url = self._base + request.path
        async with self._session.request(
            request.method, url, data=request.body, headers=dict(request.headers)
        ) as response:
            return Answer(status=response.status, headers=response.headers, body=await response.read())

    def _failure(self, request: Request, reason: str, status: int | None) -> Failed:
        self._tally.failed(request.kind, reason)
        return Failed(reason, status)


@asynccontextmanager
async def api_of(url: str, devices: int, tally: Tally) -> AsyncIterator[Api]:
    """A session wide enough for that many devices, closed in the end."""
    connector = aiohttp.TCPConnector(limit=min(devices, MOST_CONNECTIONS))
    timeout = aiohttp.ClientTimeout(total=HTTP_TIMEOUT)
    async with aiohttp.ClientSession(
        connector=connector, timeout=timeout, headers=DEFAULT_HEADERS, cookie_jar=aiohttp.DummyCookieJar()
    ) as session:
        yield Api(session, url, tally)


class Link:
    """A device's MQTT connection. It comes back by itself, each time as a new client that subscribes to nothing.

    The real agent does not subscribe again after a reconnection; whoever tests a server must meet that.
    """

    def __init__(self, account: Account, tally: Tally, *, ack_timeout: float, time_scale: float) -> None:
        self.attempted = asyncio.Event()
        self.handlers: dict[str, Callable[[bytes], None]] = {}
        self.changed: Callable[[], None] = lambda: None
        self._account = account
        self._tally = tally
        self._ack_timeout = ack_timeout
        self._time_scale = time_scale
        self._client: aiomqtt.Client | None = None

    @property
    def connected(self) -> bool:
        """Whether there is a connection as far as the device knows."""
        return self._client is not None

    async def stay_connected(self) -> None:
        """Connect, hand messages to their handlers, and connect again: after 1, 2, 4 … 30 s. Never returns."""
        wait = FIRST_RECONNECT
        while True:
            try:
                async with self._connection() as client:
                    wait = FIRST_RECONNECT
                    async for message in client.messages:
                        self._handle(str(message.topic), message.payload)
            except (aiomqtt.MqttError, OSError, ValueError) as error:
                self._tally.failed("mqtt connection", f"{type(error).__name__}: {error}"[:REASON_SHOWN])
            finally:
                self.attempted.set()
            await asyncio.sleep(wait * self._time_scale)
            wait = min(wait * 2, LAST_RECONNECT)

    async def publish(self, publication: Publication) -> None:
        """Publish and wait for the acknowledgement. Raises Failed, at once where there is no connection."""
        if self._client is None:
            raise Failed("not connected to the broker")
        started = time.perf_counter()
        try:
            await self._client.publish(
                publication.topic, publication.payload, publication.qos, timeout=self._ack_timeout
            )
        except (aiomqtt.MqttError, ValueError) as error:
            self._tally.failed(publication.kind, str(error)[:REASON_SHOWN])
            raise Failed(str(error)) from error
        finally:
            heed_cancellation()
        self._tally.succeeded(publication.kind, time.perf_counter() - started)

    async def subscribe(self, topic: str, qos: int, handler: Callable[[bytes], None]) -> None:
        """Ask for a topic once. Raises Failed when it is refused or there is no connection."""
        self.handlers[topic] = handler
        if self._client is None:
            raise Failed("not connected to the broker")
        started = time.perf_counter()
        try:
            granted = await self._client.subscribe(topic, qos)
        except (aiomqtt.MqttError, ValueError) as error:
            self._tally.failed("subscribe", str(error)[:REASON_SHOWN])
            raise Failed(str(error)) from error
        finally:
            heed_cancellation()
        if any(_is_refusal(code) for code in granted):
            self._tally.failed("subscribe", "refused by the broker")
            raise Failed("refused by the broker")
        self._tally.succeeded("subscribe", time.perf_counter() - started)

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[aiomqtt.Client]:
        started = time.perf_counter()
        async with client_for(self._account) as client:
            heed_cancellation()
            self._tally.succeeded("mqtt connection", time.perf_counter() - started)
            self._set(client)
            try:
                yield client
            finally:
                self._set(None)

    def _set(self, client: aiomqtt.Client | None) -> None:
        self._client = client
        if client is not None:
            self.attempted.set()
        self.changed()

    def _handle(self, topic: str, payload: object) -> None:
        handler = self.handlers.get(topic)
        if handler is not None and isinstance(payload, bytes):
            handler(payload)


def heed_cancellation() -> None:
    """Raise the cancellation of this task that was lost on the way, if there was one.

    `asyncio.wait_for`, which aiomqtt uses, loses a cancellation that comes together with the result
    (python/cpython#86296). It can go with Python 3.11.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def client_for(account: Account) -> aiomqtt.Client:
    """A client as the agent makes it. Raises ValueError for a broker address that it could not use."""
    broker = urlsplit(account.broker)
    if broker.scheme not in PORTS or not broker.hostname:
        raise ValueError(f"not the address of a broker: {account.broker}")
    web = broker.scheme in {"ws", "wss"}
    return aiomqtt.Client(
        broker.hostname,
        broker.port or PORTS[broker.scheme],
        username=account.username,
        password=account.password,
        identifier=account.username,
        clean_session=True,
        keepalive=60,
        timeout=CONNECT_TIMEOUT,
        transport="websockets" if web else "tcp",
        websocket_path=(broker.path or "/") if web else None,
        tls_context=ssl.create_default_context(cadata=account.ca_cert) if broker.scheme in {"mqtts", "wss"} else None,
        logger=SILENT,
    )


def _is_refusal(code: object) -> bool:
    return bool(getattr(code, "is_failure", False)) or (isinstance(code, int) and code >= REFUSED)
