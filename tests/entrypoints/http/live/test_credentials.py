"""Which sites' pages may watch (contract §11.3 A-15, A-22)."""

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict

from core.errors import Forbidden
from entrypoints.http.live.credentials import PROTOCOLS, check_origin, token_offered

ALLOWED = frozenset({"https://console.example"})


def from_page(*origins: str, host: str = "gateway.local:3002") -> web.Request:
    """A request as a browser sends it for a page."""
    headers = CIMultiDict({"Host": host})
    for origin in origins:
        headers.add("Origin", origin)
    return make_mocked_request("GET", "/ws", headers=headers)


@pytest.mark.parametrize(
    "request_",
    [
        from_page(),
        from_page("http://gateway.local:3002"),
        from_page("https://GATEWAY.local:3002"),
        from_page("https://gateway.local", host="gateway.local"),
        from_page("https://gateway.local", host="gateway.local:443"),
        from_page("http://[::1]:3002", host="[::1]:3002"),
        from_page("https://console.example"),
    ],
)
def test_programs_our_own_pages_and_named_sites_may_watch(request_: web.Request) -> None:
    check_origin(request_, ALLOWED)


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        "",
        "http://gateway.local",
        "http://gateway.local:3002.evil.example",
        "http://evil.example#gateway.local:3002",
        "http://user@gateway.local:3002",
        "file://gateway.local:3002",
        "http://console.example",
        "https://console.example.evil.example",
        "http://[",
    ],
)
def test_pages_of_other_sites_may_not_watch(origin: str) -> None:
    with pytest.raises(Forbidden):
        check_origin(from_page(origin), ALLOWED)


def test_two_origins_are_none() -> None:
    with pytest.raises(Forbidden):
        check_origin(from_page("http://gateway.local:3002", "https://console.example"), ALLOWED)


def test_a_token_is_offered_after_the_word_bearer() -> None:
    assert token_offered(make_mocked_request("GET", "/ws", headers={PROTOCOLS: "bearer, a.b.c"})) == "a.b.c"
    assert token_offered(make_mocked_request("GET", "/ws")) is None


@pytest.mark.parametrize("offered", ["mqtt", "a.b.c", "bearer", "a.b.c, bearer", "bearer, a, b", ""])
def test_other_subprotocols_are_refused_before_anybody_writes_them_down(offered: str) -> None:
    with pytest.raises(web.HTTPBadRequest):
        token_offered(make_mocked_request("GET", "/ws", headers={PROTOCOLS: offered}))
