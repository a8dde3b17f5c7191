"""Bytes on the HTTP port that are not HTTP."""

import asyncio
import logging
from urllib.parse import urlsplit

import pytest

from tests.support.application import Api

SECRET = "hunter2hunter2"
CLOSING = f'GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n{{"password":"{SECRET}"}}'


@pytest.mark.parametrize(
    "text",
    [
        f"{SECRET}\r\n\r\n",
        f"GET / HTTP/1.1\r\nHost: x\r\nAuthorization Bearer {SECRET}\r\n\r\n",
        f"GET / HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {SECRET}\0\r\n\r\n",
        f"POST /{SECRET}\x01 HTTP/1.1\r\nHost: x\r\n\r\n",
        CLOSING,
    ],
)
async def test_a_stranger_fills_the_log_with_neither_tracebacks_nor_secrets(
    api: Api, caplog: pytest.LogCaptureFixture, text: str
) -> None:
    """§12.4 item 59: what is malformed is refused with 400 and counts one line that quotes nothing of it."""
    address = urlsplit(api.running.url)
    with caplog.at_level(logging.DEBUG):
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        writer.write(text.encode())
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()
    assert b" 400 " in answer.splitlines()[0]
    assert "is not HTTP" in caplog.text
    assert SECRET not in caplog.text
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]
