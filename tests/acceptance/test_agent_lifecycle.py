"""Contract 12.1, items 28 to 30: devices are switched off and on, removed, and survive our restarts."""

import asyncio
import json
from pathlib import Path

import aiomqtt
import pytest

from core.actor import Role
from tests.acceptance.test_agent_state import report
from tests.support.application import Api, EnrolledDevice, running_api
from tests.support.mqtt import connected
from tests.support.server import Server, free_port


async def poll_status(device: EnrolledDevice) -> int:
    return (await device.caller.get(f"/device/{device.uuid}/state")).status


async def session_ends(client: aiomqtt.Client) -> None:
    """Returns once the broker has cut the connection."""
    with pytest.raises(aiomqtt.MqttError):
        async with asyncio.timeout(5):
            async for _ in client.messages:
                pass


async def test_28_a_deactivated_device_is_cut_off_until_it_is_activated_again(api: Api) -> None:
    device = await api.device()
    manager = await api.person(Role.MANAGER)
    with pytest.raises(aiomqtt.MqttError):
        async with connected(device.mqtt) as client:
            off = await manager.patch(f"/devices/{device.uuid}/active", {"is_active": False})
            assert off.status == 200
            await session_ends(client)
            raise aiomqtt.MqttError("the session ended, as it should")
    assert await poll_status(device) in {401, 403}
    with pytest.raises(aiomqtt.MqttError):
        async with connected(device.mqtt):
            pass
    on = await manager.patch(f"/devices/{device.uuid}/active", {"is_active": True})
    assert on.status == 200
    assert await poll_status(device) == 200
    async with connected(device.mqtt):
        pass


async def test_29_a_removed_device_leaves_nothing_and_does_not_come_back_by_a_message(api: Api) -> None:
    device, watcher = await api.device(), await api.device()
    async with connected(device.mqtt) as client:
        await client.publish(f"iot/device/{device.uuid}/state", json.dumps(report(device.uuid)), qos=1, retain=True)
    admin = await api.person(Role.ADMIN)
    assert (await admin.delete(f"/devices/{device.uuid}")).status == 200
    await api.settle()
    assert api.running.services.broker.statistics().retained == 0
    with pytest.raises(aiomqtt.MqttError):
        async with connected(device.mqtt):
            pass
    assert await poll_status(device) == 401
    async with connected(watcher.mqtt) as other:
        await other.publish(f"iot/device/{device.uuid}/state", json.dumps(report(device.uuid)), qos=1)
    assert (await admin.get(f"/devices/{device.uuid}")).status == 404


async def test_30_an_agent_goes_on_after_a_restart_and_what_was_acknowledged_is_there(tmp_path: Path) -> None:
    data, mqtt_port = tmp_path / "data", str(free_port())
    async with running_api(data, MQTT_PORT=mqtt_port) as first:
        device = await first.device()
        async with connected(device.mqtt) as client:
            await client.publish(
                f"iot/device/{device.uuid}/state", json.dumps(report(device.uuid, cpu_usage=42.0)), qos=1
            )
    async with running_api(data, MQTT_PORT=mqtt_port) as second:
        async with connected(device.mqtt) as client:
            await client.publish(
                f"iot/device/{device.uuid}/state", json.dumps(report(device.uuid, cpu_usage=43.0)), qos=1
            )
        viewer = await second.person(Role.VIEWER)
        metrics = (await viewer.get(f"/devices/{device.uuid}/metrics")).body["metrics"]
    assert sorted(point["cpu_usage"] for point in metrics) == [42.0, 43.0]


async def test_sigterm_drains_and_leaves_within_five_seconds(server: Server) -> None:
    await server.start("--demo", "3")
    async with asyncio.timeout(5):
        assert await server.terminate() == 0
