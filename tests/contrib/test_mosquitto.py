"""What stands in contrib/mosquitto makes a broker that devices can use, as far as Debian has its parts."""

import os
import re
import ssl
import subprocess
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import aiomqtt
import msgspec
import pytest
from attrs import define

from adapters.mosquitto.broker import MosquittoBroker
from core.actor import Role
from tests.support.application import Api
from tests.support.certificates import a_certificate
from tests.support.mosquitto import ADMIN, AS_WE_ARE, Mosquitto, asking, dynamic_security, ready_made
from tests.support.scaled import scaled_environment, serving
from tests.support.server import free_port

FOLDER = Path(__file__).parents[2] / "contrib" / "mosquitto"
CONFIGURATIONS = sorted(FOLDER.glob("*.conf"))
GO_AUTH = [path for path in CONFIGURATIONS if path.name.startswith("go-auth")]


def options(path: Path) -> list[tuple[str, str]]:
    """The lines that are none of comment."""
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    return [(name, value) for name, _, value in (line.partition(" ") for line in lines)]


@define
class Written(Mosquitto):
    """A broker with a file of ours, its paths and port replaced, asking by the plugin of the tests."""

    source: Path = FOLDER / "go-auth.conf"

    def configuration(self) -> str:
        """The whole file."""
        kept = [pair for pair in options(self.source) if not pair[0].startswith("auth_")]
        here = {
            "listener": f"{self.port} 127.0.0.1",
            "certfile": str(self.folder / "server.crt"),
            "keyfile": str(self.folder / "server.key"),
            "persistence_location": f"{self.folder}/",
            "plugin": str(dynamic_security()),
            "plugin_opt_config_file": str(self.folder / "accounts.json"),
        }
        return "\n".join([*(f"{name} {here.get(name, value)}" for name, value in kept), *AS_WE_ARE, *self.lines, ""])


@pytest.mark.parametrize("path", CONFIGURATIONS, ids=lambda path: path.name)
def test_no_comment_is_taken_for_a_value(path: Path) -> None:
    """B-14: Mosquitto knows no comment behind a value, and takes blanks there for a part of it."""
    for name, value in options(path):
        assert "#" not in value, name
        assert value == value.strip(), name


@pytest.mark.parametrize("path", CONFIGURATIONS, ids=lambda path: path.name)
def test_nobody_is_let_in_unnamed_and_no_password_gets_into_a_log(path: Path) -> None:
    told = dict(options(path))
    levels = {value for name, value in options(path) if name == "log_type"}
    assert told["allow_anonymous"] == "false"
    assert levels == {"error", "warning", "notice"}
    assert told.get("auth_opt_log_level", "warn") == "warn"


@pytest.mark.parametrize("path", GO_AUTH, ids=lambda path: path.name)
def test_a_connection_is_asked_about_each_time_and_an_action_at_least_every_minute(path: Path) -> None:
    """0 seconds would mean for ever."""
    told = dict(options(path))
    assert (told["auth_opt_auth_cache_seconds"], told["auth_opt_auth_jitter_seconds"]) == ("1", "0")
    assert int(told["auth_opt_acl_cache_seconds"]) + int(told["auth_opt_acl_jitter_seconds"]) < 60
    assert told["auth_opt_cache_refresh"] == "false"


@pytest.mark.parametrize("path", GO_AUTH, ids=lambda path: path.name)
def test_the_questions_go_to_routes_that_there_are(path: Path, api: Api) -> None:
    served = {route.path for route in api.running.routes if route.root}
    asked = [re.sub(r"\?.*", "", value) for name, value in options(path) if name.endswith("_uri")]
    assert len(asked) == 3
    assert set(asked) <= served


@pytest.fixture
async def behind_tls(postgres_url: str, http_auth_plugin: Path) -> AsyncIterator[tuple[Api, Mosquitto, str]]:
    """The control plane, a broker of our file before it, and the certificate by which that is believed."""
    made = a_certificate("127.0.0.1")
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="mosquitto-", ignore_cleanup_errors=True)))
        for name, text in (("server.crt", made.certificate), ("server.key", made.key)):
            (folder / name).write_text(text)
            (folder / name).chmod(0o644)
        port = free_port()
        broker = Written(folder, asking(http_auth_plugin, f"http://127.0.0.1:{port}"), tls=("on",))
        environment = scaled_environment(
            postgres_url, broker.url, PORT=str(port), MQTT_CA_CERT=str(folder / "server.crt")
        )
        api = await stack.enter_async_context(serving(environment))
        await broker.start()
        stack.push_async_callback(broker.stop)
        carrier = api.running.services.broker
        assert isinstance(carrier, MosquittoBroker)
        await carrier.connected()
        yield api, broker, made.certificate


@asynccontextmanager
async def as_told(mqtt: Mapping[str, Any]) -> AsyncIterator[aiomqtt.Client]:
    """A client that knows nothing but what a registration said."""
    told = mqtt["brokerConfig"]
    assert told["useTls"]
    context = ssl.create_default_context(cadata=told.get("caCert"))
    async with aiomqtt.Client(
        told["host"],
        told["port"],
        username=mqtt["username"],
        password=mqtt["password"],
        identifier=mqtt["username"],
        tls_context=context,
        timeout=5,
    ) as client:
        yield client


async def test_what_a_device_is_told_is_enough_to_connect_with_tls(
    behind_tls: tuple[Api, Mosquitto, str],
) -> None:
    api, broker, certificate = behind_tls
    owner = await api.person(Role.OWNER)
    wanted = {"name": "field", "protocol": "mqtts", "host": "127.0.0.1", "port": broker.port, "useTls": True}
    made = await owner.post("/mqtt/brokers", wanted | {"caCert": certificate, "isDefault": True})
    assert made.status == 201, made
    device = await api.device()
    async with as_told(device.mqtt) as client:
        topic = f"iot/device/{device.uuid}/jobs/notify-next"
        await client.subscribe(topic, qos=1)
        await api.running.services.broker.publish(topic, b"{}", qos=1)
        assert (await anext(aiter(client.messages))).payload == b"{}"


async def test_a_device_that_is_told_no_certificate_does_not_believe_just_any(
    behind_tls: tuple[Api, Mosquitto, str],
) -> None:
    api, _, _ = behind_tls
    device = await api.device()
    with pytest.raises(aiomqtt.MqttError):
        async with as_told(device.mqtt):
            raise AssertionError("nobody has vouched for this broker")


async def test_a_broker_with_accounts_of_its_own_starts_from_our_file(tmp_path: Path) -> None:
    made = a_certificate("127.0.0.1")
    (tmp_path / "server.crt").write_text(made.certificate)
    (tmp_path / "server.key").write_text(made.key)
    lines = ready_made(tmp_path)
    assert str(dynamic_security()) in lines[1]
    broker = Written(tmp_path, (), tls=("on",), source=FOLDER / "dynamic-security.conf")
    await broker.start()
    context = ssl.create_default_context(cadata=made.certificate)
    client = aiomqtt.Client("127.0.0.1", broker.port, username="admin", password=ADMIN, tls_context=context, timeout=5)
    async with client:
        pass
    await broker.stop()


def test_the_composition_puts_the_secret_where_it_is_asked_for(tmp_path: Path) -> None:
    composition = FOLDER.parent / "compose" / "scaled.yml"
    broker = msgspec.yaml.decode(composition.read_bytes())["services"]["mosquitto"]
    *shell, command = broker["entrypoint"]
    # The image has a user and a program of its own.
    changes = {"/mosquitto/pw -h pbkdf2 -p": "echo hash of", "chown mosquitto": "true", "exec mosquitto": "true"}
    places = {"/etc/mosquitto": str(FOLDER), "/run": str(tmp_path), "$$": "$"}
    for there, here in (changes | places).items():
        command = command.replace(there, here)
    command = command.replace("/go-auth.conf", "/go-auth.compose.conf")
    secrets = {"MOSQUITTO_AUTH_SECRET": "s3cret", "MQTT_PASSWORD": "ours"}
    subprocess.run([*shell, command], env={**os.environ, **secrets}, check=True)
    assert (tmp_path / "iotistic.passwords").read_text() == "iotistic:hash of ours\n"
    assert "user iotistic\ntopic readwrite #\n" in (tmp_path / "iotistic.acl").read_text()
    made = tmp_path / "mosquitto.conf"
    assert made.read_text().count("?secret=s3cret\n") == 3
    assert made.stat().st_mode & 0o077 == 0
