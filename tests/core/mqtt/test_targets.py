"""Where a test of a broker may connect to (abuse cases 36 and 37)."""

import pytest

from core.mqtt import is_refused


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254",
        "169.254.0.1",
        "fe80::1",
        "fe80::1%eth0",
        "::ffff:169.254.169.254",
        "::169.254.169.254",
        "64:ff9b::169.254.169.254",
        "2002:a9fe:a9fe::1",
        "fd00:ec2::254",
        "100.100.100.200",
        "168.63.129.16",
        "192.0.0.192",
        "0.0.0.0",  # noqa: S104 - compared, not bound
        "::",
        "::ffff:0.0.0.0",
        "224.0.0.1",
        "ff02::1",
        "255.255.255.255",
    ],
)
def test_what_belongs_to_the_network_itself_is_refused(address: str) -> None:
    assert is_refused(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "::1",
        "10.0.0.7",
        "192.168.1.5",
        "172.16.0.1",
        "100.64.0.1",
        "fd12:3456::7",
        "203.0.113.9",
        "2001:db8::7",
    ],
)
def test_where_brokers_are_one_may_connect(address: str) -> None:
    assert not is_refused(address)
