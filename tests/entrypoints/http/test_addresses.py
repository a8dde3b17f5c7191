"""Where a request comes from: nobody chooses an address (abuse case 7)."""

from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict

from core.errors import Invalid
from entrypoints.http.addresses import TrustedProxies, from_this_machine


class Transport:
    """Where the connection comes from."""

    def __init__(self, peer: str) -> None:
        self._peer = peer

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """The peer."""
        return (self._peer, 50000) if name == "peername" else default


def request_from(peer: str, *forwarded: str, header: str = "X-Forwarded-For") -> web.Request:
    """A request that came from the peer, with these headers."""
    headers = CIMultiDict([(header, value) for value in forwarded])
    return make_mocked_request("GET", "/", headers=headers, transport=Transport(peer))


def test_by_default_nobody_is_believed() -> None:
    assert TrustedProxies(()).address_of(request_from("10.0.0.1", "203.0.113.7")) == "10.0.0.1"


@pytest.mark.parametrize("header", ["X-Real-IP", "True-Client-IP", "Forwarded", "Client-IP"])
def test_no_other_header_is_believed(header: str) -> None:
    proxies = TrustedProxies(("10.0.0.0/8",))
    assert proxies.address_of(request_from("10.0.0.1", "203.0.113.7", header=header)) == "10.0.0.1"


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("203.0.113.7", ["198.51.100.1"], "203.0.113.7"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["203.0.113.7"], "203.0.113.7"),
        ("10.0.0.1", ["198.51.100.1, 203.0.113.7"], "203.0.113.7"),
        ("10.0.0.1", ["203.0.113.7, 10.0.0.2"], "203.0.113.7"),
        ("10.0.0.1", ["198.51.100.1", "203.0.113.7"], "203.0.113.7"),
        ("10.0.0.1", ["10.0.0.3"], "10.0.0.3"),
        ("10.0.0.1", ["203.0.113.7, nonsense"], "10.0.0.1"),
        ("10.0.0.1", ["203.0.113.7, nonsense, 10.0.0.2"], "10.0.0.2"),
        ("10.0.0.1", [""], "10.0.0.1"),
        ("10.0.0.1", ["127.0.0.1, 203.0.113.7"], "203.0.113.7"),
        ("::ffff:10.0.0.1", ["203.0.113.7"], "203.0.113.7"),
        ("10.0.0.1", ["2001:db8::7"], "2001:db8::7"),
    ],
)
def test_the_last_hop_that_is_no_trusted_proxy_counts(peer: str, forwarded: list[str], address: str) -> None:
    assert TrustedProxies(("10.0.0.0/8",)).address_of(request_from(peer, *forwarded)) == address


def test_a_network_that_is_none_stops_the_start_by_name() -> None:
    for wrong in ("10.0.0.0/33", "10.0.0.1/8", "proxy.local", ""):
        with pytest.raises(Invalid) as refusal:
            TrustedProxies((wrong,))
        assert list(refusal.value.fields) == ["TRUSTED_PROXIES"]


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1"])
def test_a_program_on_this_machine_is_recognised(peer: str) -> None:
    assert from_this_machine(request_from(peer), peer)


@pytest.mark.parametrize(
    "peer", ["203.0.113.7", "10.0.0.1", "::ffff:10.0.0.1", "2001:db8::7", "", "localhost", "128.0.0.1"]
)
def test_whatever_is_elsewhere_is_not_on_this_machine(peer: str) -> None:
    assert not from_this_machine(request_from(peer), peer)


@pytest.mark.parametrize("header", ["X-Forwarded-For", "X-Real-IP", "Forwarded"])
def test_a_proxy_on_this_machine_does_not_make_everybody_local(header: str) -> None:
    """It connects from 127.0.0.1 for whoever is out there."""
    assert not from_this_machine(request_from("127.0.0.1", "203.0.113.7", header=header), "127.0.0.1")
