"""Where devices are told the broker is (contract 2.3)."""

import pytest

from core.errors import Invalid
from core.ids import DeviceUuid
from core.mqtt import Endpoint

UUID = DeviceUuid("5f3a1deb-f4c3-4e1b-8e76-70de4d2e3f56")


@pytest.mark.parametrize(
    ("url", "port", "tls"),
    [
        ("mqtt://gateway.local", 1883, False),
        ("mqtt://gateway.local:1884", 1884, False),
        ("mqtts://gateway.local", 8883, True),
        ("ws://gateway.local/mqtt", 80, False),
        ("wss://gateway.local/mqtt", 443, True),
        ("mqtt://[2001:db8::7]:1883", 1883, False),
    ],
)
def test_a_device_is_told_where_and_how(url: str, port: int, tls: bool) -> None:
    told = Endpoint(url).for_device(UUID, "device_x", "secret")
    assert (told["broker"], told["username"], told["password"]) == (url, "device_x", "secret")
    assert (told["brokerConfig"]["port"], told["brokerConfig"]["useTls"]) == (port, tls)
    assert told["brokerConfig"]["protocol"] == url.partition(":")[0]
    assert told["topics"] == {"publish": [f"iot/device/{UUID}/#"], "subscribe": [f"iot/device/{UUID}/#"]}


@pytest.mark.parametrize(
    "url",
    [
        "",
        "gateway.local:1883",
        "http://gateway.local",
        "mqtt://",
        "mqtt://:1883",
        "mqtt://a:99999",
        "mqtt://a:0",
        "mqtt://a:b",
        "mqtt://[::1",
        "mqtt://[gateway]",
    ],
)
def test_an_address_that_no_device_could_use_stops_the_start_by_name(url: str) -> None:
    """Else every registration would fail, one by one."""
    with pytest.raises(Invalid) as refusal:
        Endpoint(url)
    assert list(refusal.value.fields) == ["MQTT_BROKER_URL"]
