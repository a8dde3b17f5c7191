"""A broker as people define it."""

from typing import Any

import pytest
from attrs import evolve

from core.errors import Invalid
from core.ids import DeviceUuid
from core.mqtt import BrokerDefinition, ClientOptions
from core.mqtt.definition import certificates_of, host_of, options_of, protocol_of
from tests.support.certificates import a_certificate
from tests.support.clock import NOON

UUID = DeviceUuid("5f3a1deb-f4c3-4e1b-8e76-70de4d2e3f56")


def a_broker(**fields: Any) -> BrokerDefinition:
    """A broker."""
    plain: dict[str, Any] = {
        "name": "first",
        "host": "broker.local",
        "port": 1883,
        "created_at": NOON,
        "updated_at": NOON,
    }
    return BrokerDefinition(**(plain | fields))


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("broker.local", "broker.local"),
        (" Broker-1 ", "Broker-1"),
        ("iot_mosquitto", "iot_mosquitto"),
        ("192.0.2.7", "192.0.2.7"),
        ("[2001:DB8::7]", "2001:db8::7"),
        ("a.b.", "a.b."),
    ],
)
def test_a_host_is_a_name_or_an_address(text: str, host: str) -> None:
    assert host_of(text) == host


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "mqtt://a",
        "a:1883",
        "a/b",
        "a@b",
        "a b",
        "a..b",
        "-a",
        "a-",
        "x" * 64,
        "a." * 127 + "a",
        "a\r\nb",
        "ä",
        "a%00",
    ],
)
def test_what_is_more_or_less_than_a_host_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        host_of(text)
    assert list(refused.value.fields) == ["host"]


@pytest.mark.parametrize(
    ("protocol", "use_tls", "outcome"),
    [
        ("mqtt", None, "mqtt"),
        ("mqtt", False, "mqtt"),
        ("mqtt", True, "mqtts"),
        ("ws", True, "wss"),
        ("wss", True, "wss"),
    ],
)
def test_tls_may_be_asked_for_beside_the_protocol(protocol: str, use_tls: bool | None, outcome: str) -> None:
    assert protocol_of(protocol, use_tls=use_tls) == outcome


@pytest.mark.parametrize(("protocol", "use_tls"), [("mqtts", False), ("wss", False), ("http", None), ("", True)])
def test_protocols_that_contradict_themselves_or_are_unknown_are_refused(protocol: str, use_tls: bool | None) -> None:
    """Nobody is to believe that a connection is encrypted which is not."""
    with pytest.raises(Invalid):
        protocol_of(protocol, use_tls=use_tls)


def test_certificates_are_taken_as_the_original_writes_them() -> None:
    pem = a_certificate("broker.local").certificate
    for text in (pem, pem.replace("\n", "\\n"), pem.replace("\n", "\r\n"), f"\n{pem}\n"):
        assert certificates_of(text, "caCert") == pem
    assert certificates_of(pem + pem, "caCert") == pem + pem
    assert certificates_of(" ", "caCert") is None


def test_what_is_no_certificate_is_refused_private_keys_above_all() -> None:
    made = a_certificate("broker.local")
    garbled = made.certificate.replace("MII", "AAA", 1)
    for text in ("x", made.key, made.certificate + made.key, garbled, made.certificate * 200):
        with pytest.raises(Invalid) as refused:
            certificates_of(text, "caCert")
        assert list(refused.value.fields) == ["caCert"]
        assert "KEY" not in str(refused.value)


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": "a\nb"},
        {"port": 0},
        {"port": 65_536},
        {"path": "mqtt"},
        {"path": "/a b"},
        {"path": "/a\r\nHost: b"},
        {"path": "/" + "a" * 300},
        {"username": ""},
        {"password": "x" * 1025},
        {"password": "\ud800"},
    ],
)
def test_a_value_that_is_wrong_is_refused_by_name(wrong: dict[str, Any]) -> None:
    with pytest.raises(Invalid) as refused:
        a_broker(**wrong)
    assert list(refused.value.fields) == list(wrong)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"keep_alive": -1}, "keepAlive"),
        ({"keep_alive": 65_536}, "keepAlive"),
        ({"reconnect_period": -1}, "reconnectPeriod"),
        ({"connect_timeout": 0}, "connectTimeout"),
        ({"client_id_prefix": ""}, "clientIdPrefix"),
        ({"client_id_prefix": "a/#"}, "clientIdPrefix"),
        ({"ca_cert": "x"}, "caCert"),
        ({"client_cert": "x"}, "clientCert"),
    ],
)
def test_an_option_that_is_wrong_is_refused_by_name(wrong: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        options_of(ClientOptions(), wrong)
    assert list(refused.value.fields) == [field]


def test_devices_are_told_its_address() -> None:
    for broker, url in (
        (a_broker(), "mqtt://broker.local:1883"),
        (a_broker(protocol="wss", port=443, path="/mqtt"), "wss://broker.local:443/mqtt"),
        (a_broker(host="2001:db8::7"), "mqtt://[2001:db8::7]:1883"),
    ):
        assert broker.url == url
        assert broker.endpoint.for_device(UUID, "device_x", "secret")["broker"] == url


def test_devices_are_given_certificates_where_there_is_tls() -> None:
    """Contract 2.3: without caCert the agent verifies against the system's store."""
    options = ClientOptions(ca_cert="CA", client_cert="CLIENT", verify_certificate=False, keep_alive=20)
    config = a_broker(protocol="mqtts", options=options).endpoint.for_device(UUID, "x", "y")["brokerConfig"]
    assert (config["caCert"], config["clientCert"], config["verifyCertificate"]) == ("CA", "CLIENT", False)
    assert (config["useTls"], config["keepAlive"], config["clientIdPrefix"]) == (True, 20, "device")
    plain = a_broker(options=options).endpoint.for_device(UUID, "x", "y")["brokerConfig"]
    assert not {"caCert", "clientCert", "verifyCertificate"}.intersection(plain)


def test_devices_are_never_told_our_own_credentials() -> None:
    told = str(a_broker(username="control", password="our secret").endpoint.for_device(UUID, "x", "y"))
    assert "control" not in told
    assert "our secret" not in told
    assert "our secret" not in repr(a_broker(password="our secret"))


@pytest.mark.parametrize(
    "change",
    [
        {"host": "evil.example"},
        {"port": 1884},
        {"protocol": "ws"},
        {"path": "/x"},
        {"options": ClientOptions(verify_certificate=False)},
        {"options": ClientOptions(ca_cert="another")},
    ],
)
def test_a_password_is_not_taken_along_to_another_server(change: dict[str, Any]) -> None:
    """Else whoever may change the address could have it sent to themselves."""
    before = a_broker(username="control", password="our secret")
    assert before.changed(NOON, **change).password is None
    assert before.changed(NOON, **change, password="new").password == "new"


def test_a_password_stays_where_it_was_given_for() -> None:
    before = a_broker(username="control", password="our secret")
    assert before.changed(NOON, name="second", options=evolve(before.options, keep_alive=7)).password == "our secret"
