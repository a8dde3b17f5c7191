"""The document of the API, and the page that shows it."""

import ast
import inspect
import re
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import pytest_asyncio
from aiohttp import web
from openapi_spec_validator import OpenAPIV31SpecValidator

from core.actor import Permission
from entrypoints.http.app import path_of
from entrypoints.http.declarations import UNDECLARED, Answer, Body, Secret, integer
from entrypoints.http.openapi import document
from entrypoints.http.openapi_answers import body_of
from entrypoints.http.openapi_operations import operation_id, plain
from entrypoints.http.requests import Query
from entrypoints.http.routing import ANYONE, DEVICE, SECRET, Caller, Route, device_or_user_with, user_with
from tests.support.application import Api, running_api

WITH_BODIES = {"POST", "PUT", "PATCH"}
READERS = {name for name in vars(Query) if not name.startswith("_")}
READ = Permission("note:read")


class NoteBody(msgspec.Struct, rename="camel"):
    """What is written."""

    text_of_it: str
    number: int | None = None


async def write_note(_request: web.Request) -> web.Response:
    """Write a note.

    It is kept until it is removed.
    """
    return web.Response()


def route(**fields: Any) -> Route:
    given: dict[str, Any] = {
        "method": "GET",
        "path": "/notes",
        "handler": write_note,
        "allow": ANYONE,
        "summary": "Notes",
    }
    return Route(**given | fields)


def operation(**fields: Any) -> dict[str, Any]:
    """How this one route stands in the document."""
    one = route(**fields)
    found: dict[str, Any] = document([one], "1")["paths"][plain(path_of(one))][one.method.lower()]
    return found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def everything(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Api]:
    """The application, shared by the tests of this file: none of them changes it."""
    async with running_api(tmp_path_factory.mktemp("openapi") / "data") as api:
        yield api


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served(everything: Api) -> dict[str, Any]:
    """The document as anybody gets it."""
    answer = await everything.stranger.get("/api/openapi.json", root=True)
    assert answer.status == 200
    found: dict[str, Any] = answer.body
    return found


def operations(of: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Method, path and operation."""
    for path, methods in of["paths"].items():
        for method, one in methods.items():
            yield method.upper(), path, one


def calls_in(module: str) -> Iterator[ast.Call]:
    """Every call that stands in a module."""
    return (node for node in ast.walk(ast.parse(inspect.getsource(sys.modules[module]))) if isinstance(node, ast.Call))


def reads(module: str) -> set[str]:
    """The parameters of the query that a module reads: `query.text("name")`, `Query(request).integer("name", …)`."""
    return {
        str(call.args[0].value)
        for call in calls_in(module)
        if isinstance(call.func, ast.Attribute)
        and call.func.attr in READERS
        and re.match(r"query\.|Query\(", ast.unparse(call.func))
        and call.args
        and isinstance(call.args[0], ast.Constant)
    }


def parses(module: str) -> set[str]:
    """The types that a module parses bodies as: `body_as(request, Type)`, `decoded(…, Type)`."""
    return {
        ast.unparse(call.args[1])
        for call in calls_in(module)
        if ast.unparse(call.func) in {"body_as", "decoded"} and len(call.args) > 1
    }


@pytest.mark.asyncio(loop_scope="module")
class TestServed:
    """What the running application tells."""

    async def test_the_document_is_valid(self, served: dict[str, Any]) -> None:
        assert served["openapi"].startswith("3.1.")
        assert list(OpenAPIV31SpecValidator(served).iter_errors()) == []

    async def test_every_route_is_in_it_and_nothing_else(self, everything: Api, served: dict[str, Any]) -> None:
        routes = {(one.method, plain(path_of(one))) for one in everything.running.routes}
        assert {(method, path) for method, path, _ in operations(served)} == routes

    async def test_every_operation_has_a_name_of_its_own(self, served: dict[str, Any]) -> None:
        names = [one["operationId"] for _, _, one in operations(served)]
        assert len(set(names)) == len(names)
        assert all(re.fullmatch(r"[a-z]+[A-Za-z0-9]+", name) for name in names)

    async def test_every_route_that_can_take_a_body_says_whether_it_does(self, everything: Api) -> None:
        silent = [
            f"{one.method} {path_of(one)}"
            for one in everything.running.routes
            if one.method in WITH_BODIES and one.body is UNDECLARED
        ]
        assert not silent, f"give the route a body, or body=None: {silent}"

    async def test_every_route_that_checks_a_secret_names_it(self, everything: Api) -> None:
        silent = [
            path_of(one)
            for one in everything.running.routes
            if one.allow.caller is Caller.SECRET and not one.secrets and path_of(one) not in OPEN_BY_PROTOCOL
        ]
        assert not silent, f"give the route its secrets: {silent}"

    async def test_every_parameter_that_is_read_is_declared(self, everything: Api) -> None:
        declared: dict[str, set[str]] = defaultdict(set)
        for one in everything.running.routes:
            declared[one.handler.__module__] |= {parameter.name for parameter in one.query}
        silent = {name: reads(name) - names for name, names in declared.items() if reads(name) - names}
        assert not silent, f"give the routes of these modules their query: {silent}"

    async def test_every_body_that_is_parsed_is_declared(self, everything: Api) -> None:
        declared: dict[str, set[str]] = defaultdict(set)
        for one in everything.running.routes:
            body = body_of(one)
            declared[one.handler.__module__] |= {getattr(body.kind, "__name__", "")} if body else set()
        silent = {name: parses(name) - kinds for name, kinds in declared.items() if parses(name) - kinds}
        assert not silent, f"give the routes of these modules their bodies: {silent}"

    async def test_every_feature_and_every_operation_is_explained(self, served: dict[str, Any]) -> None:
        assert all(tag["description"] for tag in served["tags"])
        assert all(one["summary"] and one["description"] for _, _, one in operations(served))

    async def test_whoever_has_the_document_is_told_so(self, everything: Api) -> None:
        first = await everything.stranger.get("/api/openapi.json", root=True)
        again = await everything.stranger.get(
            "/api/openapi.json", root=True, headers={"If-None-Match": first.headers["ETag"]}
        )
        assert (again.status, again.raw) == (304, b"")

    async def test_the_page_loads_files_of_ours_only_and_they_are_there(self, everything: Api) -> None:
        page = await everything.stranger.get("/api/docs", root=True)
        assert page.status == 200
        html = page.raw.decode()
        assert "//" not in html
        for name in re.findall(r'(?:src|href)="docs/([^"]+)"', html):
            found = await everything.stranger.get(f"/api/docs/{name}", root=True)
            assert found.status == 200, name
            assert "max-age" in found.headers["Cache-Control"]
            assert found.headers["X-Content-Type-Options"] == "nosniff"

    async def test_the_page_lets_no_script_run_but_those_files(self, everything: Api) -> None:
        page = await everything.stranger.get("/api/docs", root=True)
        policy = page.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self';" in policy
        assert "unsafe" not in policy
        assert re.findall(r"<script(?![^>]*\bsrc=)", page.raw.decode()) == []

    async def test_a_file_that_has_not_changed_is_not_sent_again(self, everything: Api) -> None:
        path = "/api/docs/swagger-ui.css"
        first = await everything.stranger.get(path, root=True)
        again = await everything.stranger.get(path, root=True, headers={"If-None-Match": first.headers["ETag"]})
        assert again.status == 304

    @pytest.mark.parametrize("name", ["index.html", "..%2f__init__.py", "%2e%2e%2fLICENSE", "%00", "LICENSE"])
    async def test_no_other_file_of_the_package_is_served(self, everything: Api, name: str) -> None:
        answer = await everything.stranger.get(f"/api/docs/{name}", root=True)
        assert answer.status == 404

    async def test_showing_the_page_does_not_import_the_framework_its_files_are_made_for(self, everything: Api) -> None:
        await everything.stranger.get("/api/docs/swagger-ui.css", root=True)
        assert "flask" not in sys.modules


# MQTT authenticates in its own way, after the connection is made.
OPEN_BY_PROTOCOL = {"/mqtt"}


def test_a_body_is_described_by_its_type() -> None:
    described = document([route(method="POST", body=NoteBody)], "1")
    body = described["paths"]["/api/v1/notes"]["post"]["requestBody"]
    assert body == {
        "required": True,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/NoteBody"}}},
    }
    schema = described["components"]["schemas"]["NoteBody"]
    assert set(schema["properties"]) == {"textOfIt", "number"}
    assert schema["required"] == ["textOfIt"]


def test_two_types_of_one_name_are_told_apart() -> None:
    other = msgspec.defstruct("NoteBody", [("other", int)], module="elsewhere")
    described = document([route(method="POST", body=NoteBody), route(method="PUT", body=other)], "1")
    bodies = [
        described["paths"]["/api/v1/notes"][method]["requestBody"]["content"]["application/json"]["schema"]["$ref"]
        for method in ("post", "put")
    ]
    assert len(set(bodies)) == 2


def test_a_body_may_be_absent_or_of_another_sort() -> None:
    body = operation(method="POST", body=Body(kind=str, media=("text/plain",), required=False))["requestBody"]
    assert body == {"required": False, "content": {"text/plain": {"schema": {"type": "string"}}}}


def test_what_the_path_names_is_a_parameter_without_its_pattern() -> None:
    path = r"/devices/{uuid}/notes/{number:\d{1,3}}"
    assert plain(path) == "/devices/{uuid}/notes/{number}"
    found = operation(path=path)["parameters"]
    assert [(one["name"], one["in"], one["required"]) for one in found] == [
        ("uuid", "path", True),
        ("number", "path", True),
    ]
    assert found[0]["schema"]["format"] == "uuid"


def test_what_the_query_takes_is_a_parameter() -> None:
    [found] = operation(query=(integer("limit", "How many", default=5, lowest=1, highest=9),))["parameters"]
    assert found["in"] == "query"
    assert found["schema"] == {"type": "integer", "minimum": 1, "maximum": 9, "default": 5}


@pytest.mark.parametrize(
    ("allow", "secrets", "schemes"),
    [
        (ANYONE, (), []),
        (user_with(READ), (), [["person"]]),
        (DEVICE, (), [["deviceKey"], ["deviceKeyAsBearer"]]),
        (device_or_user_with(READ), (), [["deviceKey"], ["deviceKeyAsBearer"], ["person"]]),
        (SECRET, (Secret.PROVISIONING_KEY,), [["provisioningKey"]]),
        (SECRET, (Secret.METRICS_TOKEN,), [["metricsToken"], []]),
    ],
)
def test_the_guard_says_which_credentials_are_asked_for(allow: Any, secrets: Any, schemes: list[list[str]]) -> None:
    assert [list(one) for one in operation(allow=allow, secrets=secrets)["security"]] == schemes


def test_refusals_follow_from_the_guard_the_path_and_the_body() -> None:
    assert set(operation(root=True, path="/here")["responses"]) == {"200"}
    assert set(operation()["responses"]) == {"200", "503"}
    assert set(operation(allow=user_with(READ))["responses"]) == {"200", "401", "403", "503"}
    assert set(operation(path="/notes/{id}")["responses"]) == {"200", "400", "404", "503"}
    assert set(operation(method="POST", body=NoteBody)["responses"]) == {"200", "400", "413", "503"}


def test_a_route_says_the_rest_itself() -> None:
    answers = {204: "It is gone", 409: "It is not there yet", 202: Answer("Later", NoteBody)}
    told = operation(answers=answers)["responses"]
    assert "200" not in told
    assert "content" not in told["204"]
    assert told["409"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Refused"}
    assert told["202"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/NoteBody"}


def test_the_handler_explains_itself_and_names_who_may() -> None:
    told = operation(allow=user_with(READ))
    assert told["description"] == "Write a note.\n\nIt is kept until it is removed.\n\nFor: user with note:read."
    assert told["tags"] == [Path(__file__).stem]


@pytest.mark.parametrize(
    ("method", "path", "name"),
    [
        ("GET", "/", "getRoot"),
        ("GET", "/api/v1/devices/{uuid}/target-state", "getDevicesByUuidTargetState"),
        ("POST", "/mosquitto-auth/acl", "postMosquittoAuthAcl"),
        ("GET", "/api/openapi.json", "getApiOpenapiJson"),
    ],
)
def test_an_operation_is_named_after_its_method_and_path(method: str, path: str, name: str) -> None:
    assert operation_id(method, path) == name
