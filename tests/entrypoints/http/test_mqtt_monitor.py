"""The MQTT broker's numbers and topics over HTTP (contract §4.16; checks 12.3#48)."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import pytest_asyncio

from adapters.amqtt import EmbeddedBroker
from core.actor import Role
from tests.support.application import Api, Caller, EnrolledDevice, running_api
from tests.support.mqtt import connected

pytestmark = pytest.mark.asyncio(loop_scope="module")

READ = ["topic-tree", "topics", "metrics", "system-stats", "stats", "dashboard", "recent-activity"]
SAVED = ["database/topics", "database/stats/summary", "database/schema-history/a/b", "topics/a/b/schema"]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def api(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Api]:
    """The application, shared by these tests."""
    folder: Path = tmp_path_factory.mktemp("monitored")
    async with running_api(folder / "data") as api:
        yield api


@pytest_asyncio.fixture(loop_scope="module")
async def viewer(api: Api) -> Caller:
    """Somebody who may look."""
    return await api.person(Role.VIEWER)


@pytest_asyncio.fixture(loop_scope="module")
async def admin(api: Api) -> Caller:
    """Somebody who may switch the monitor."""
    return await api.person(Role.ADMIN)


async def speaks(device: EnrolledDevice, kind: str = "sensor/modbus", *values: int) -> str:
    """The device publishes envelopes; the topic."""
    topic = f"iot/device/{device.uuid}/{kind}"
    async with connected(device.mqtt) as client:
        for value in values or (1,):
            envelope = {"sensor": "modbus-pipe", "timestamp": "2026-11-24T12:00:00Z", "messages": [str(value)]}
            await client.publish(topic, json.dumps(envelope), qos=1)
    return topic


async def test_48_the_numbers_of_the_broker_are_real(api: Api, viewer: Caller) -> None:
    """Contract §11.4 B-12 and B-16: rates are made of differences and are not zero."""
    device = await api.device()
    statistics = api.running.services.mqtt_statistics
    await statistics.measure()
    async with connected(device.mqtt) as client:
        for _ in range(20):
            await client.publish(f"iot/device/{device.uuid}/sensor/modbus", b"{}", qos=1)
        numbers = (await viewer.get("/mqtt/metrics")).body
    assert (numbers["connected"], numbers["clients"]) == (True, 1)
    assert numbers["totalMessagesReceived"] >= 20
    assert numbers["systemStats"]["bytes"]["received"] > 500
    assert {"sent", "dropped"} <= set(numbers["systemStats"]["publish"]["messages"])
    assert numbers["messageRate"]["received"] > 0
    assert numbers["throughput"]["inbound"] > 0
    assert {"subscriptions", "retainedMessages", "totalMessagesSent"} <= set(numbers)
    health = await viewer.get("/mqtt/health")
    assert (health.status, health.body) == (200, {"status": "healthy", "connected": True})


async def test_48_topics_are_shown_with_their_last_message_and_schema(api: Api, viewer: Caller) -> None:
    device = await api.device()
    topic = await speaks(device, "sensor/modbus", 1, 2)
    topics = (await viewer.get("/mqtt-monitor/topics?timeWindow=1h")).body
    assert (topics["success"], topics["count"]) == (True, len(topics["data"]))
    (shown,) = [each for each in topics["data"] if each["topic"] == topic]
    assert (shown["messageCount"], shown["messageType"], shown["deviceUuid"]) == (2, "json", device.uuid)
    assert json.loads(shown["lastMessage"])["messages"] == ["2"]
    for path in (quote(topic, safe=""), topic, f"by-id/{shown['id']}"):
        schema = (await viewer.get(f"/mqtt-monitor/topics/{path}/schema")).body
        assert schema["topic"] == topic
        assert schema["schema"]["properties"]["messages"] == {"type": "array", "items": {"type": "string"}}
    assert (await viewer.get("/mqtt-monitor/topics/no/such/topic/schema")).status == 404


async def test_48_the_tree_leads_to_each_topic(api: Api, viewer: Caller) -> None:
    device = await api.device()
    topic = await speaks(device)
    tree = (await viewer.get("/mqtt-monitor/topic-tree")).body["data"]
    node = tree["iot"]["device"][device.uuid]["sensor"]["modbus"]
    assert {"_name", "_topic", "_created", "_messagesCounter", "_topicsCounter", "_message", "_schema"} <= set(node)
    assert (node["_name"], node["_topic"], node["_messagesCounter"]) == ("modbus", topic, 1)


@pytest.mark.parametrize("window", ["5", "15", "30", "60"])
async def test_48_recent_activity_is_shown_for_each_window(api: Api, viewer: Caller, window: str) -> None:
    topic = await speaks(await api.device(), "sensor/modbus", 1, 2, 3)
    lately = (await viewer.get(f"/mqtt-monitor/recent-activity?window={window}")).body
    (shown,) = [each for each in lately["data"] if each["topic"] == topic]
    assert (lately["window"], shown["messageCount"], len(shown["perMinute"])) == (int(window), 3, int(window))
    for path in (topic, f"by-id/{shown['id']}"):
        answer = await viewer.get(f"/mqtt-monitor/topics/{path}/recent-activity?window={window}")
        assert answer.body["data"] == shown


async def test_48_status_and_stats_add_up(api: Api, viewer: Caller) -> None:
    await speaks(await api.device())
    status = (await viewer.get("/mqtt-monitor/status")).body["status"]
    assert (status["running"], status["connected"]) == (True, True)
    stats = (await viewer.get("/mqtt-monitor/stats")).body["stats"]
    names = {"connected", "topicCount", "messageCount", "schemas", "messageRate", "throughput", "clients", "broker"}
    assert names <= set(stats)
    assert stats["topicCount"] == status["topicCount"] == stats["schemas"]["total"]
    assert stats["schemas"]["byType"]["json"] >= 1
    dashboard = (await viewer.get("/mqtt-monitor/dashboard")).body["data"]
    assert dashboard["stats"]["topicCount"] == stats["topicCount"]
    assert dashboard["busiestTopics"]


async def test_what_was_saved_is_shown(api: Api, viewer: Caller, admin: Caller) -> None:
    topic = await speaks(await api.device())
    assert (await admin.post("/mqtt-monitor/sync")).body["count"] >= 1
    saved = (await viewer.get("/mqtt-monitor/database/topics")).body
    assert topic in {each["topic"] for each in saved["data"]}
    summary = (await viewer.get("/mqtt-monitor/database/stats/summary")).body["data"]
    assert (summary["totalTopics"], summary["byType"]["json"] >= 1) == (saved["count"], True)
    history = (await viewer.get(f"/mqtt-monitor/database/schema-history/{topic}")).body
    assert (history["count"], history["data"][0]["schema"]["type"]) == (1, "object")


async def test_secrets_of_a_state_report_do_not_come_out_of_the_monitor(api: Api, viewer: Caller) -> None:
    device = await api.device()
    service = {"serviceId": 1, "config": {"environment": {"DB_PASSWORD": "hunter2"}}}
    report: dict[str, Any] = {device.uuid: {"apps": {"1": {"appId": 1, "services": [service]}}, "version": 1}}
    async with connected(device.mqtt) as client:
        await client.publish(f"iot/device/{device.uuid}/state", json.dumps(report), qos=1)
    answers = [await viewer.get(f"/mqtt-monitor/{path}") for path in ("topics", "topic-tree", "dashboard")]
    assert device.uuid in answers[0].raw.decode()
    assert not [answer for answer in answers if b"hunter2" in answer.raw]


async def test_what_a_device_may_not_publish_is_not_seen(api: Api, viewer: Caller) -> None:
    device = await api.device()
    async with connected(device.mqtt) as client:
        await client.publish(f"somewhere/{device.uuid}", b"x", qos=1)
    assert (await viewer.get(f"/mqtt-monitor/topics/somewhere/{device.uuid}/schema")).status == 404


@pytest.mark.parametrize("query", ["topics?timeWindow=2h", "topics?limit=0", "recent-activity?window=7"])
async def test_windows_that_there_are_not_are_refused(viewer: Caller, query: str) -> None:
    assert (await viewer.get(f"/mqtt-monitor/{query}")).status == 400


async def test_only_who_may_change_settings_switches_the_monitor(api: Api, viewer: Caller, admin: Caller) -> None:
    """Contract §11.4 B-13; a monitor that does not run says so at every question."""
    for path in ("start", "stop", "sync"):
        assert (await viewer.post(f"/mqtt-monitor/{path}")).status == 403
    assert (await admin.post("/mqtt-monitor/stop")).body["data"]["running"] is False
    for path in (*READ, *SAVED):
        answer = await viewer.get(f"/mqtt-monitor/{path}")
        assert (answer.status, answer.body["success"], answer.body["error"]) == (400, False, "Monitor not running")
    assert (await admin.post("/mqtt-monitor/sync")).status == 400
    assert (await viewer.get("/mqtt-monitor/status")).body["status"]["running"] is False
    assert (await admin.post("/mqtt-monitor/start")).body["data"]["running"] is True
    assert (await viewer.get("/mqtt-monitor/topics")).body == {"success": True, "count": 0, "data": []}
    await api.settle()
    audit = (await admin.get("/audit-logs")).raw.decode()
    assert "mqtt.monitor_stopped" in audit


async def test_a_broker_that_does_not_work_is_told_of(tmp_path: Path) -> None:
    async with running_api(tmp_path / "data") as own:
        person = await own.person(Role.OWNER)
        broker = own.running.services.broker
        assert isinstance(broker, EmbeddedBroker)
        await broker.stop()
        assert (await person.get("/mqtt/metrics")).status == 503
        health = await person.get("/mqtt/health")
        assert (health.status, health.body["connected"]) == (503, False)
        assert (await person.get("/mqtt-monitor/status")).body["status"]["connected"] is False


async def test_it_can_be_left_out_from_the_start(tmp_path: Path) -> None:
    async with running_api(tmp_path / "data", MQTT_MONITOR_ENABLED="false") as own:
        answer = await (await own.person(Role.OWNER)).get("/mqtt-monitor/topics")
        assert (answer.status, answer.body["error"]) == (400, "Monitor not running")
