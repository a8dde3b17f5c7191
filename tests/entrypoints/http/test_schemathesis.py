"""schemathesis makes requests up from the document; the application must answer each as the document says."""

import asyncio
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import contextmanager
from ipaddress import IPv4Network
from pathlib import Path
from threading import Thread
from typing import Any, TypeVar
from uuid import uuid4

import pytest
import requests
import schemathesis
from attrs import frozen
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode, SerializationContext
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from core.actor import Role
from tests.support.application import OWNER_PASSWORD, Api, running_api

T = TypeVar("T")
Operation = APIOperation[Any, Any, Any, Any]

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
EXAMPLES = 4
LONGEST_LINE = 8190  # of a request; aiohttp refuses longer ones in its own way, before we see them
SECONDS = 60.0
# Many guesses are made here; how one address is slowed down is tested elsewhere.
ADDRESSES = IPv4Network("10.0.0.0/8").hosts()
# What cannot be asked by one request with one answer.
LEFT_OUT: Mapping[str, str] = {
    "/mqtt": "speaks MQTT over WebSocket",
    "/ws": "is a WebSocket",
    "/api/v1/live": "streams until one leaves",
    "/api/v1/devices/{uuid}/live": "streams until one leaves",
}


@schemathesis.serializer("application/x-ndjson")
def lines(_context: SerializationContext, value: Any) -> bytes:
    """A body of lines, as it is."""
    return str(value).encode("utf-8", "surrogatepass")


@frozen
class Plane:
    """The application on a loop of its own, since schemathesis waits for its answers."""

    api: Api
    loop: asyncio.AbstractEventLoop

    def wait(self, doing: Coroutine[Any, Any, T]) -> T:
        """What comes of it."""
        return asyncio.run_coroutine_threadsafe(doing, self.loop).result(SECONDS)


@contextmanager
def loop_in_a_thread() -> Iterator[asyncio.AbstractEventLoop]:
    """A loop that runs until it is left."""
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever)
    thread.start()
    try:
        yield loop
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plane]:
    """One application for all that is made up here."""
    data: Path = tmp_path_factory.mktemp("schemathesis") / "data"
    with loop_in_a_thread() as loop:
        context = running_api(data, TRUSTED_PROXIES="127.0.0.1")
        plane = Plane(asyncio.run_coroutine_threadsafe(context.__aenter__(), loop).result(SECONDS), loop)
        try:
            yield plane
        finally:
            plane.wait(context.__aexit__(None, None, None))


@frozen(kw_only=True)
class Asking:
    """Somebody who asks, with things of theirs that paths can name."""

    headers: Mapping[str, str]
    known: Mapping[str, Any]
    session: requests.Session

    def ask(self, case: Case[Any]) -> None:
        """Send it, each time from elsewhere, and look at the answer."""
        headers = dict(self.headers) | ({"X-Forwarded-For": str(next(ADDRESSES))} if "/api/" in case.path else {})
        response = case.call(headers=headers, session=self.session, timeout=SECONDS)
        if len(str(response.request.url)) > LONGEST_LINE:
            return
        case.validate_response(response, checks=CHECKS)


async def _owner(api: Api, session: requests.Session) -> Asking:
    owner = await api.person(Role.OWNER)
    name = f"u{uuid4().hex[:12]}"
    account = {"username": name, "email": f"{name}@example.com", "role": "viewer", "password": OWNER_PASSWORD}
    made = await owner.post("/users", account)
    token = await api.log_in("admin", OWNER_PASSWORD)
    known = {"uuid": (await api.device()).uuid, "id": made.body["id"]}
    return Asking(headers={"Authorization": f"Bearer {token}"}, known=known, session=session)


async def _device(api: Api, session: requests.Session) -> Asking:
    device = await api.device()
    return Asking(headers=device.caller.headers, known={"uuid": device.uuid}, session=session)


CALLERS = {"owner": (_owner, "person", "/auth/me"), "device": (_device, "deviceKey", "/device/{uuid}/state")}


def _operations(plane: Plane) -> Iterator[Operation]:
    document = plane.wait(plane.api.stranger.get("/api/openapi.json", root=True)).body
    schema = schemathesis.openapi.from_dict(document)
    schema.config.update(base_url=plane.api.running.url)
    # Whoever asks has their own credentials; made-up ones beside them would only be refused.
    schema.config.generation.update(modes=list(GenerationMode), with_security_parameters=False)
    for found in schema.get_all_operations():
        assert isinstance(found, Ok), found.err()
        operation = found.ok()
        if operation.path not in LEFT_OUT:
            yield operation


def _lets_pass(operation: Operation, scheme: str) -> bool:
    """Whether those who have these credentials get further than the guard."""
    security = operation.definition.raw["security"]
    return not security or any(not one or scheme in one for one in security)


def _takes_something_away(operation: Operation) -> bool:
    """Whether the caller, or what the path names, may be gone or locked out afterwards."""
    return operation.method.upper() == "DELETE" or "/auth/" in operation.path


def _wrong(operation: Operation, mode: GenerationMode, asking: Asking) -> str | None:
    """What is wrong with the answers to the requests that were made up, or None."""

    # Always the same requests, and not the ones that failed on this machine some time ago.
    @seed(1)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.explicit, Phase.generate],
    )
    @given(case=operation.as_strategy(mode))
    def answers_as_declared(case: Case[Any]) -> None:
        if mode is GenerationMode.POSITIVE:
            known = {name: asking.known[name] for name in case.path_parameters if name in asking.known}
            case.path_parameters.update(known)
        asking.ask(case)

    try:
        answers_as_declared()
    except Unsatisfiable:
        return None  # nothing about such a request can be wrong
    except FailureGroup as group:
        return f"{operation.label}: " + "\n".join(f"{failure.title}: {failure}" for failure in group.exceptions)
    return None


@pytest.mark.parametrize("mode", list(GenerationMode), ids=str)
@pytest.mark.parametrize("caller", CALLERS)
def test_no_answer_is_a_bug_or_another_one_than_the_document_says(
    plane: Plane, caller: str, mode: GenerationMode
) -> None:
    introduce, scheme, own = CALLERS[caller]
    with requests.Session() as session:
        asking = plane.wait(introduce(plane.api, session))
        wrong = []
        for operation in _operations(plane):
            if mode is GenerationMode.NEGATIVE and not _lets_pass(operation, scheme):
                continue  # refused before anything is looked at, which the other mode has seen
            one = plane.wait(introduce(plane.api, session)) if _takes_something_away(operation) else asking
            wrong.append(_wrong(operation, mode, one))
        still = session.get(f"{plane.api.running.url}/api/v1{own.format_map(asking.known)}", headers=asking.headers)
    assert not list(filter(None, wrong)), "\n\n".join(filter(None, wrong))
    assert still.status_code == 200, "whoever asked is nobody any more: most answers were 401"
