"""The cookie of a login (contract §5)."""

from datetime import timedelta

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from entrypoints.http.cookies import remember


@pytest.mark.parametrize("https", [True, False])
def test_where_people_come_over_https_the_cookie_never_goes_over_http(https: bool) -> None:
    response = web.Response()
    remember(make_mocked_request("POST", "/"), response, "a.b.c", timedelta(days=7), https=https)
    cookie = response.cookies["iotistic_session"]
    assert bool(cookie["secure"]) is https
    assert (cookie["max-age"], cookie["path"]) == (str(7 * 24 * 3600), "/")
