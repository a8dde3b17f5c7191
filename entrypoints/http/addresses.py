"""Where a request comes from. Only proxies that the operator named are believed."""

from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from aiohttp import web

from core.errors import Invalid

# What proxies add. A proxy beside us has our own address.
FORWARDING = ("Forwarded", "X-Forwarded-For", "X-Real-IP")


class TrustedProxies:
    """Networks whose X-Forwarded-For is believed; none by default, so that nobody can choose an address."""

    def __init__(self, networks: tuple[str, ...]) -> None:
        try:
            self._networks: list[IPv4Network | IPv6Network] = [ip_network(text) for text in networks]
        except ValueError as error:
            raise Invalid(f"TRUSTED_PROXIES: {error}", field="TRUSTED_PROXIES") from error

    def address_of(self, request: web.Request) -> str:
        """The peer's address, or the last one in X-Forwarded-For that is not itself a trusted proxy."""
        peer = request.remote or ""
        if not self._networks or not self._trusted(peer):
            return peer
        hops = [hop.strip() for value in request.headers.getall("X-Forwarded-For", []) for hop in value.split(",")]
        for hop in reversed(hops):
            if _parsed(hop) is None:
                return peer
            peer = hop
            if not self._trusted(hop):
                break
        return peer

    def _trusted(self, text: str) -> bool:
        address = _parsed(text)
        return address is not None and any(address in network for network in self._networks)


def from_this_machine(request: web.Request, address: str) -> bool:
    """Whether a program on this machine asks by itself, and not for somebody else, as a proxy does."""
    parsed = _parsed(address)
    return parsed is not None and parsed.is_loopback and not any(name in request.headers for name in FORWARDING)


@lru_cache(maxsize=4096)
def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    """The address; IPv4 as such, also where it comes in IPv6 clothes from a socket that serves both."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
