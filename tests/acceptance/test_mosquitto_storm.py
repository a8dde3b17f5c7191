"""A thousand devices come at once to a real Mosquitto that asks us about each (contract 12.2, item 39)."""

import asyncio
import logging
import re

from core.actor import Role
from tests.support.application import EnrolledDevice
from tests.support.scaled import Fleet

log = logging.getLogger(__name__)

DEVICES, CONNECTS, AT_ONCE = 100, 1000, 50
WITHIN = 10.0
# What is wanted is 100 ms. Machines of tests have bad moments; the bench measures, this test only notices disasters.
DISASTER = 0.5
ACCEPTED = bytes([0x20, 2, 0, 0])


def connect_packet(username: str, password: str) -> bytes:
    """CONNECT with a clean session (MQTT 3.1.1 §3.1)."""
    texts = (username, username, password)
    payload = b"".join(len(text).to_bytes(2, "big") + text.encode() for text in texts)
    body = b"\x00\x04MQTT\x04\xc2\x00\x3c" + payload
    length = len(body)
    size = bytes([length]) if length < 128 else bytes([length % 128 | 0x80, length // 128])
    return b"\x10" + size + body


async def connects(fleet: Fleet, device: EnrolledDevice) -> bytes:
    """What the broker answers to a CONNECT."""
    reader, writer = await asyncio.open_connection("127.0.0.1", fleet.broker.port)
    try:
        writer.write(connect_packet(device.mqtt["username"], device.mqtt["password"]))
        return await reader.readexactly(4)
    finally:
        writer.close()


async def durations(fleet: Fleet, route: str) -> dict[float, int]:
    """How many requests on the route took at most so many seconds."""
    owner = await fleet.api.person(Role.OWNER)
    answer = await owner.get("/metrics", root=True)
    assert answer.status == 200, answer
    text = answer.raw.decode()
    name = "iotistic_http_request_duration_seconds_bucket"
    pattern = rf'{name}{{le="([^"]+)",route="{re.escape(route)}"}} ([0-9.]+)'
    return {float(bound): int(float(number)) for bound, number in re.findall(pattern, text)}


async def test_39_a_thousand_devices_that_connect_within_ten_seconds_are_all_let_in(fleet: Fleet) -> None:
    """One in ten comes while nothing is known of the device yet."""
    devices = [await fleet.api.device() for _ in range(DEVICES)]
    room = asyncio.Semaphore(AT_ONCE)

    async def come(device: EnrolledDevice) -> bytes:
        async with room:
            return await connects(fleet, device)

    started = asyncio.get_running_loop().time()
    answers = await asyncio.gather(*(come(devices[number % DEVICES]) for number in range(CONNECTS)))
    took = asyncio.get_running_loop().time() - started
    assert set(answers) == {ACCEPTED}
    assert took < WITHIN
    counted = await durations(fleet, "POST /mosquitto-auth/user")
    p99 = min(bound for bound, number in counted.items() if number >= 0.99 * counted[float("inf")])
    assert counted[float("inf")] >= CONNECTS
    assert p99 <= DISASTER
    log.info("%d CONNECTs through Mosquitto in %.2f s; 99 of 100 /user within %g ms", CONNECTS, took, p99 * 1000)
