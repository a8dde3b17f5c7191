"""A load generator for HTTP/1.1: keep-alive connections that ask as fast as they are answered."""

import asyncio
import itertools
import time
from collections import Counter
from collections.abc import Sequence

from attrs import define, field, frozen

_END_OF_HEAD = b"\r\n\r\n"
_LENGTH = b"content-length:"
_NO_BODY = {204, 304}


@frozen(kw_only=True)
class Load:
    """What came of a load."""

    requests: int
    seconds: float
    statuses: Counter[int]
    latencies: tuple[float, ...] = field(repr=False)

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.requests / self.seconds

    def percentile(self, share: float) -> float:
        """The latency in seconds that this share of the requests stayed below."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0


def request(method: str, path: str, headers: dict[str, str], body: bytes = b"") -> bytes:
    """One request, ready to be sent."""
    lines = [f"{method} {path} HTTP/1.1", "Host: bench"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + _END_OF_HEAD + body


@define
class _Asker(asyncio.Protocol):
    """One connection: the next request leaves when the answer to the last one is complete."""

    requests: "itertools.cycle[bytes]"
    until: float
    statuses: Counter[int]
    latencies: list[float]
    done: "asyncio.Future[None]"
    _transport: asyncio.Transport | None = None
    _buffer: bytes = b""
    _missing: int = -1
    _asked: float = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - what create_connection makes
        self._transport = transport
        self._ask()

    def data_received(self, data: bytes) -> None:
        if self._missing > 0:
            self._missing -= len(data)
        else:
            self._buffer += data
            if not self._read_head():
                return
        if self._missing <= 0:
            self._answered()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_result(None)

    def _read_head(self) -> bool:
        end = self._buffer.find(_END_OF_HEAD)
        if end < 0:
            return False
        status = int(self._buffer[9:12])
        self.statuses[status] += 1
        length = 0
        if status not in _NO_BODY:
            head = self._buffer[:end].lower()
            at = head.find(_LENGTH)
            length = int(head[at + len(_LENGTH) :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        self._missing = length - (len(self._buffer) - end - len(_END_OF_HEAD))
        self._buffer = b""
        return True

    def _answered(self) -> None:
        now = time.perf_counter()
        self.latencies.append(now - self._asked)
        if now < self.until:
            self._ask()
        elif self._transport is not None:
            self._transport.close()

    def _ask(self) -> None:
        self._missing = -1
        self._asked = time.perf_counter()
        if self._transport is not None:
            self._transport.write(next(self.requests))


async def drive(port: int, requests: Sequence[bytes], *, seconds: float, connections: int = 16) -> Load:
    """Send the requests over and over to a server on this machine."""
    loop = asyncio.get_running_loop()
    statuses: Counter[int] = Counter()
    latencies: list[float] = []
    began = time.perf_counter()
    endless = itertools.cycle(requests)
    waiting = []
    for _ in range(connections):
        done = loop.create_future()
        asker = _Asker(requests=endless, until=began + seconds, statuses=statuses, latencies=latencies, done=done)
        await loop.create_connection(lambda asker=asker: asker, "127.0.0.1", port)  # type: ignore[misc]
        waiting.append(done)
    await asyncio.wait_for(asyncio.gather(*waiting), timeout=seconds + 30)
    spent = time.perf_counter() - began
    return Load(requests=len(latencies), seconds=spent, statuses=statuses, latencies=tuple(latencies))
