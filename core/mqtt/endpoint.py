"""Where devices find the broker, as they are told when they register (contract §2.3)."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from attrs import field, frozen

from core.errors import Invalid
from core.ids import DeviceUuid
from core.mqtt.topics import device_topic

DEFAULT_PORTS = {"mqtt": 1883, "mqtts": 8883, "ws": 80, "wss": 443}


@frozen
class Endpoint:
    """The broker's address: `mqtt://`, `mqtts://`, `ws://` or `wss://`, a host and perhaps a port."""

    url: str = field()

    @url.validator
    def _(self, _attribute: object, value: str) -> None:
        try:
            parts = urlsplit(value)
            usable = parts.scheme in DEFAULT_PORTS and bool(parts.hostname) and parts.port != 0
        except ValueError:
            usable = False
        if not usable:
            raise Invalid("MQTT_BROKER_URL must look like mqtt://gateway.local:1883", field="MQTT_BROKER_URL")

    def for_device(self, uuid: DeviceUuid, username: str, password: str) -> Mapping[str, Any]:
        """What the answer to a registration says of MQTT."""
        parts = urlsplit(self.url)
        return {
            "username": username,
            "password": password,
            "broker": self.url,
            "brokerConfig": {
                "protocol": parts.scheme,
                "host": parts.hostname,
                "port": parts.port or DEFAULT_PORTS[parts.scheme],
                "useTls": parts.scheme in {"mqtts", "wss"},
                "clientIdPrefix": "device",
                "keepAlive": 60,
                "cleanSession": True,
                "reconnectPeriod": 1000,
                "connectTimeout": 30000,
            },
            "topics": {"publish": [device_topic(uuid, "#")], "subscribe": [device_topic(uuid, "#")]},
        }
