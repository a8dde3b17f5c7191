"""Which addresses a test of a broker may connect to (abuse case 37; contrib/decisions/0023-broker-addresses.md)."""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

_NAT64 = IPv6Network("64:ff9b::/96")
# Where clouds answer those who ask from inside: credentials of the machine, for one. The link-local ones are covered
# by their range; these lie elsewhere (AWS over IPv6, Alibaba, Oracle, Azure).
_METADATA = tuple(
    ip_network(network) for network in ("fd00:ec2::/32", "100.100.100.200/32", "192.0.0.0/24", "168.63.129.16/32")
)


def is_refused(address: str) -> bool:
    """Whether the address may not be connected to: link-local ones, those of cloud metadata, and those of nobody.

    Loopback and private networks pass, for that is where brokers are.
    """
    known = ip_address(address.partition("%")[0])
    inner = _within(known)
    if inner is not None:
        return is_refused(str(inner))
    special = known.is_link_local or known.is_multicast or known.is_unspecified
    return special or str(known) == "255.255.255.255" or any(known in network for network in _METADATA)


def _within(address: IPv4Address | IPv6Address) -> IPv4Address | None:
    """The IPv4 address that an IPv6 address leads to, if it does."""
    if isinstance(address, IPv4Address):
        return None
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    compatible = int(address) >> 32 == 0 and int(address) > 1
    return address.ipv4_mapped or address.sixtofour or (IPv4Address(int(address)) if compatible else None)
