"""Where a request comes from. Only proxies that the operator named are believed."""

from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from aiohttp import web

from core.errors import Invalid


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
            if not _is_address(hop):
                return peer
            peer = hop
            if not self._trusted(hop):
                break
        return peer

    def _trusted(self, text: str) -> bool:
        return _is_address(text) and any(ip_address(text) in network for network in self._networks)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def is_local(address: str) -> bool:
    """Whether the address is this machine's own."""
    return _is_address(address) and ip_address(address).is_loopback
