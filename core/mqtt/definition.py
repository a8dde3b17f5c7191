"""A broker as people define it, so that devices can be sent there."""

import re
import ssl
from datetime import datetime
from enum import Enum
from ipaddress import IPv6Address, ip_address
from typing import Any, NewType

from attrs import Attribute, evolve, field, frozen

from core.checks import PlainText
from core.errors import Invalid
from core.mqtt.acl import is_plain
from core.mqtt.endpoint import DEFAULT_PORTS, WITH_TLS, ClientOptions, Endpoint

BrokerId = NewType("BrokerId", int)

LONGEST_HOST = 253
LONGEST_PATH = 255
LONGEST_PEM = 64 * 1024
HIGHEST_PORT = 65_535
LONGEST_PASSWORD = 1024
LONGEST_PREFIX = 64

_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_HOSTNAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\.?")
_PATH = re.compile(r"(?:/[A-Za-z0-9._~-]+)*/?")
_PEM = re.compile(r"(?:-----BEGIN CERTIFICATE-----\n[A-Za-z0-9+/=\n]+-----END CERTIFICATE-----\n?)+")
# A password is for the server it was given for; these say which one that is, and how we know that it is that one.
_ADDRESS = ("protocol", "host", "port", "path")
_TRUST = ("verify_certificate", "ca_cert")


class ProbeOutcome(Enum):
    """What came of a test, in a word that says nothing about what else may listen there."""

    ACCEPTED = "accepted"
    REFUSED_CREDENTIALS = "refused credentials"
    UNKNOWN_HOST = "unknown host"
    REFUSED_ADDRESS = "refused address"
    UNREACHABLE = "unreachable"
    TLS_FAILED = "tls failed"
    NO_BROKER = "no broker"
    TIMEOUT = "timeout"


def protocol_of(protocol: str, *, use_tls: bool | None) -> str:
    """The protocol with TLS when TLS is asked for beside it. Raises Invalid, also when both contradict each other."""
    if protocol not in DEFAULT_PORTS:
        raise Invalid(f"protocol must be one of {', '.join(DEFAULT_PORTS)}", field="protocol")
    if use_tls is False and protocol in WITH_TLS:
        raise Invalid(f"{protocol} is with TLS: name another protocol to do without", field="useTls")
    return f"{protocol}s" if use_tls and protocol not in WITH_TLS else protocol


def host_of(text: str) -> str:
    """A host name or an address, as one writes it. Raises Invalid."""
    host = text.strip().removeprefix("[").removesuffix("]")
    try:
        return str(ip_address(host))
    except ValueError:
        if len(host) <= LONGEST_HOST and _HOSTNAME.fullmatch(host):
            return host
        raise Invalid("host must be a host name or an IP address, without protocol and port", field="host") from None


def certificates_of(text: str | None, name: str) -> str | None:
    """One or more certificates in PEM, with real line ends. Raises Invalid, also for anything that is secret."""
    if text is None or not text.strip():
        return None
    pem = text.replace("\\n", "\n").replace("\r\n", "\n").strip() + "\n"
    try:
        if len(pem) > LONGEST_PEM or not _PEM.fullmatch(pem):
            raise ValueError("no certificates, or something beside them")
        ssl.create_default_context(cadata=pem)
    except (ValueError, ssl.SSLError) as error:
        raise Invalid(f"{name} must be certificates in PEM, and nothing else", field=name) from error
    return pem


def _bounded(name: str, value: int, lowest: int, highest: int) -> None:
    if not lowest <= value <= highest:
        raise Invalid(f"{name} must be between {lowest} and {highest}", field=name)


def _port(_instance: object, _attribute: "Attribute[Any]", value: int) -> None:
    _bounded("port", value, 1, HIGHEST_PORT)


def _password(_instance: object, _attribute: "Attribute[Any]", value: str | None) -> None:
    try:
        size = len((value or "").encode())
    except UnicodeEncodeError as error:
        raise Invalid("password must be text", field="password") from error
    if size > LONGEST_PASSWORD:
        raise Invalid(f"password must have at most {LONGEST_PASSWORD} bytes", field="password")


def _path(_instance: object, _attribute: "Attribute[Any]", value: str) -> None:
    if len(value) > LONGEST_PATH or not _PATH.fullmatch(value):
        raise Invalid("path must look like /mqtt", field="path")


@frozen(kw_only=True)
class BrokerDefinition:
    """A broker. The password is for our own test of it: devices have their own, and nobody is shown it."""

    id: BrokerId = BrokerId(0)
    name: str = field(validator=PlainText(longest=100))
    description: str = field(default="", validator=PlainText(longest=500, shortest=0))
    protocol: str = "mqtt"
    host: str = field(converter=host_of)
    port: int = field(validator=_port)
    path: str = field(default="", validator=_path)
    username: str | None = field(default=None, validator=PlainText(longest=255, optional=True))
    password: str | None = field(default=None, repr=False, validator=_password)
    options: ClientOptions = ClientOptions()
    is_active: bool = True
    created_at: datetime
    updated_at: datetime

    @property
    def uses_tls(self) -> bool:
        """Whether the connection is encrypted."""
        return self.protocol in WITH_TLS

    @property
    def url(self) -> str:
        """The address as devices are told it."""
        try:
            host = f"[{self.host}]" if isinstance(ip_address(self.host), IPv6Address) else self.host
        except ValueError:
            host = self.host
        return f"{self.protocol}://{host}:{self.port}{self.path}"

    @property
    def endpoint(self) -> Endpoint:
        """What devices are told."""
        return Endpoint(self.url, self.options)

    def changed(self, now: datetime, **changes: Any) -> "BrokerDefinition":
        """The same broker with other values; without its password, if that would now be sent to somebody else."""
        after = evolve(self, updated_at=now, **changes)
        moved = any(getattr(self, name) != getattr(after, name) for name in _ADDRESS)
        trusting = any(getattr(self.options, name) != getattr(after.options, name) for name in _TRUST)
        return evolve(after, password=None) if (moved or trusting) and "password" not in changes else after


def options_of(before: ClientOptions, changes: dict[str, Any]) -> ClientOptions:
    """The options after some of them were changed. Raises Invalid."""
    after = evolve(before, **changes)
    _bounded("keepAlive", after.keep_alive, 0, 65_535)
    _bounded("reconnectPeriod", after.reconnect_period, 0, 3_600_000)
    _bounded("connectTimeout", after.connect_timeout, 100, 3_600_000)
    if not 1 <= len(after.client_id_prefix) <= LONGEST_PREFIX or not is_plain(after.client_id_prefix):
        raise Invalid(
            f"clientIdPrefix must have 1 to {LONGEST_PREFIX} characters without + # /", field="clientIdPrefix"
        )
    return evolve(
        after,
        ca_cert=certificates_of(after.ca_cert, "caCert"),
        client_cert=certificates_of(after.client_cert, "clientCert"),
    )
