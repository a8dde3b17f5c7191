"""Where a broker is and how we prove to it who we are."""

import ssl
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from aiomqtt import ProtocolVersion
from attrs import field, frozen

from core.errors import Invalid, Unavailable

PLAIN_PORT, TLS_PORT = 1883, 8883


@frozen(kw_only=True)
class BrokerAddress:
    """The broker, as our own processes reach it: `mqtt://host:1883` or `mqtts://host:8883`."""

    host: str
    port: int
    username: str
    password: str = field(repr=False)
    tls: bool = False
    ca_cert: Path | None = None

    @classmethod
    def of(cls, url: str, *, username: str, password: str, ca_cert: str = "") -> "BrokerAddress":
        """The address that the settings name. Invalid, in words, when it is none.

        A name and a password within the URL take precedence.
        """
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise _no_address() from error
        if parts.scheme not in {"mqtt", "mqtts"} or not parts.hostname:
            raise _no_address()
        tls = parts.scheme == "mqtts"
        return cls(
            host=parts.hostname,
            port=port or (TLS_PORT if tls else PLAIN_PORT),
            username=unquote(parts.username) if parts.username else username,
            password=unquote(parts.password) if parts.password else password,
            tls=tls,
            ca_cert=Path(ca_cert) if ca_cert else None,
        )

    def arguments(self, client_id: str) -> dict[str, Any]:
        """What aiomqtt is told in order to connect. Unavailable when the certificates cannot be read."""
        return {
            "hostname": self.host,
            "port": self.port,
            "username": self.username or None,
            "password": self.password or None,
            "identifier": client_id,
            "protocol": ProtocolVersion.V311,
            "tls_context": self.tls_context(),
            "timeout": 5.0,
            "keepalive": 30,
        }

    def tls_context(self) -> ssl.SSLContext | None:
        """Whom we believe to be the broker; None where nothing is encrypted. Unavailable as above."""
        if not self.tls:
            return None
        try:
            return ssl.create_default_context(cafile=None if self.ca_cert is None else str(self.ca_cert))
        except OSError as error:
            raise Unavailable(f"the certificates in {self.ca_cert} cannot be read: {error.strerror}") from error


def _no_address() -> Invalid:
    return Invalid("MQTT_URL must look like mqtt://mosquitto:1883 or mqtts://mosquitto:8883", field="MQTT_URL")
