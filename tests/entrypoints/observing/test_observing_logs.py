"""What a line of the log says, and that one name goes through all that comes of a request."""

import json
from typing import Any

import aiohttp

from tests.support.application import registration
from tests.support.server import Server

REQUEST = "from-the-agent.1"
# What is shorter, such as a name or a port, is no secret.
SHORT = 30
LOGGED = {"LOG_LEVEL": "debug", "LOG_FORMAT": "json"}


def lines_of(server: Server) -> list[dict[str, Any]]:
    """What it has logged so far."""
    log = server.data.with_suffix(".log").read_text()
    return [json.loads(line) for line in log.splitlines() if line.startswith("{")]


async def test_one_registration_is_found_by_its_name_in_http_and_in_the_reactions_to_it(server: Server) -> None:
    server.environment |= LOGGED
    await server.start()
    known = server.credentials()
    body = registration()
    headers = {"Authorization": f"Bearer {known['provisioningKey']}", "X-Request-ID": REQUEST}
    async with (
        aiohttp.ClientSession() as http,
        http.post(f"{server.url}/api/v1/device/register", json=body, headers=headers) as answer,
    ):
        assert (answer.status, answer.headers["X-Request-ID"]) == (200, REQUEST)
    # It drains before it leaves: what was announced is told.
    assert await server.terminate() == 0

    lines = lines_of(server)
    of_request = [line for line in lines if line.get("request_id") == REQUEST]
    assert {"entrypoints.http.app", "entrypoints.observing.reacting"} <= {line["logger"] for line in of_request}
    assert any("audit.log" in line["event"] for line in of_request)
    assert all({"time", "level", "event", "logger"} <= set(line) and line["role"] == "up" for line in lines)
    written = json.dumps(lines)
    secrets = [secret for secret in (*known.values(), body["deviceApiKey"]) if len(secret) > SHORT]
    assert secrets
    assert not [secret for secret in secrets if secret in written]


async def test_a_name_that_is_none_is_not_taken_over(server: Server) -> None:
    await server.start()
    for name in ("a b", "x" * 65, "a;b", '"'):
        async with (
            aiohttp.ClientSession() as http,
            http.get(f"{server.url}/health", headers={"X-Request-ID": name}) as answer,
        ):
            assert answer.headers["X-Request-ID"] not in {name, ""}
