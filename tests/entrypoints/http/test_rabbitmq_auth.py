"""What RabbitMQ asks over HTTP, as a form, and the one word that it is told."""

from pathlib import Path
from typing import Any

import pytest

from entrypoints.http.rabbitmq_auth import topic_of
from tests.support.application import Api, EnrolledDevice, running_api


async def asked(api: Api, question: str, *, query: str = "", **fields: Any) -> str:
    """The answer."""
    named = {name.replace("__", "."): value for name, value in fields.items()}
    answer = await api.stranger.call("POST", f"/rabbitmq-auth/{question}{query}", root=True, data=named)
    assert (answer.status, answer.headers["Content-Type"].partition(";")[0]) == (200, "text/plain")
    return answer.raw.decode()


@pytest.fixture
async def device(api: Api) -> EnrolledDevice:
    """A device."""
    return await api.device()


@pytest.mark.parametrize(
    ("key", "topic"),
    [("iot.device.U.state", "iot/device/U/state"), ("iot.device.*.#", "iot/device/+/#"), ("a/b.c", "a.b/c")],
)
def test_a_routing_key_stands_for_a_topic(key: str, topic: str) -> None:
    assert topic_of(key) == topic


async def test_a_device_logs_in_with_its_own_client_id_only(api: Api, device: EnrolledDevice) -> None:
    name, password = device.mqtt["username"], device.mqtt["password"]
    assert await asked(api, "user", username=name, password=password, client_id=name) == "allow"
    assert await asked(api, "user", username=name, password="wrong", client_id=name) == "deny"
    assert await asked(api, "user", username=name, password=password, client_id="another") == "deny"
    assert await asked(api, "user", username=name, password=password) == "deny"
    assert await asked(api, "user") == "deny"


@pytest.mark.parametrize(
    ("used", "permission", "expected"),
    [
        ("queue mqtt-subscription-{own}qos1", "configure", "allow"),
        ("queue mqtt-subscription-{own}qos0", "read", "allow"),
        ("queue mqtt-subscription-device_00000000-0000-4000-8000-000000000000qos1", "read", "deny"),
        ("queue orders", "read", "deny"),
        ("exchange amq.topic", "write", "allow"),
        ("exchange amq.topic", "configure", "deny"),
        ("exchange amq.direct", "write", "deny"),
        ("elephant amq.topic", "write", "deny"),
    ],
)
async def test_a_device_uses_the_exchange_of_topics_and_queues_of_its_own(
    api: Api, device: EnrolledDevice, used: str, permission: str, expected: str
) -> None:
    own = device.mqtt["username"]
    kind, name = used.format(own=own).split(" ")
    fields = {"username": own, "vhost": "/", "resource": kind, "name": name, "permission": permission}
    assert await asked(api, "resource", **fields) == expected


@pytest.mark.parametrize(
    ("permission", "key", "expected"),
    [
        ("write", "iot.device.{own}.state", "allow"),
        ("write", "iot.device.{own}.jobs.notify-next", "deny"),
        ("read", "iot.device.{own}.jobs.notify-next", "allow"),
        ("read", "iot.device.*.jobs.notify-next", "deny"),
        ("read", "#", "deny"),
        ("configure", "iot.device.{own}.state", "deny"),
    ],
)
async def test_a_device_may_do_what_agents_do(
    api: Api, device: EnrolledDevice, permission: str, key: str, expected: str
) -> None:
    fields = {"username": device.mqtt["username"], "name": "amq.topic", "routing_key": key.format(own=device.uuid)}
    assert await asked(api, "topic", **fields, permission=permission) == expected
    assert await asked(api, "topic", **{**fields, "name": "amq.direct"}, permission=permission) == "deny"


async def test_strangers_may_not_be_here(api: Api, device: EnrolledDevice) -> None:
    assert await asked(api, "vhost", username=device.mqtt["username"], vhost="/") == "allow"
    assert await asked(api, "vhost", username="nobody", vhost="/") == "deny"
    queue = {"resource": "queue", "name": "mqtt-subscription-xqos1", "permission": "read"}
    assert await asked(api, "resource", username="nobody", **queue) == "deny"


async def test_the_secret_is_asked_for(tmp_path: Path) -> None:
    async with running_api(tmp_path / "data", MOSQUITTO_AUTH_SECRET="the secret of a broker of ours") as api:
        refused = await api.stranger.call("POST", "/rabbitmq-auth/vhost", root=True, data={"username": "x"})
        assert refused.status == 403
        query = "?secret=the%20secret%20of%20a%20broker%20of%20ours"
        assert await asked(api, "vhost", query=query, username="x") == "deny"
