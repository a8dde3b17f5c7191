"""Where devices find the broker, as they are told when they register (contract §2.3)."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from attrs import field, frozen

from core.errors import Invalid
from core.ids import DeviceUuid
from core.mqtt.topics import device_topic

DEFAULT_PORTS = {"mqtt": 1883, "mqtts": 8883, "ws": 80, "wss": 443}
WITH_TLS = frozenset({"mqtts", "wss"})


@frozen(kw_only=True)
class ClientOptions:
    """How devices are to speak to the broker; `reconnect_period` and `connect_timeout` are in milliseconds.

    Today's agent heeds the certificates only. Certificates are PEM, and matter only where there is TLS.
    """

    client_id_prefix: str = "device"
    keep_alive: int = 60
    clean_session: bool = True
    reconnect_period: int = 1000
    connect_timeout: int = 30000
    verify_certificate: bool = True
    ca_cert: str | None = None
    client_cert: str | None = None


@frozen
class Endpoint:
    """The broker's address: `mqtt://`, `mqtts://`, `ws://` or `wss://`, a host and perhaps a port."""

    url: str = field()
    options: ClientOptions = ClientOptions()

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
        return {
            "username": username,
            "password": password,
            "broker": self.url,
            "brokerConfig": self._config(),
            "topics": {"publish": [device_topic(uuid, "#")], "subscribe": [device_topic(uuid, "#")]},
        }

    def _config(self) -> Mapping[str, Any]:
        parts, options = urlsplit(self.url), self.options
        config: dict[str, Any] = {
            "protocol": parts.scheme,
            "host": parts.hostname,
            "port": parts.port or DEFAULT_PORTS[parts.scheme],
            "useTls": parts.scheme in WITH_TLS,
            "clientIdPrefix": options.client_id_prefix,
            "keepAlive": options.keep_alive,
            "cleanSession": options.clean_session,
            "reconnectPeriod": options.reconnect_period,
            "connectTimeout": options.connect_timeout,
        }
        if parts.scheme in WITH_TLS:
            config["verifyCertificate"] = options.verify_certificate
            given = {"caCert": options.ca_cert, "clientCert": options.client_cert}
            config |= {name: certificate for name, certificate in given.items() if certificate}
        return config
