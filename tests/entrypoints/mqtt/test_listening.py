"""From a real Mosquitto to the inbox: order, acknowledgement, and what happens when nothing can be stored."""

import asyncio
from uuid import uuid4

from tests.entrypoints.mqtt.conftest import Box, Ground, topic, until


async def test_messages_of_one_device_are_stored_in_the_order_in_which_it_sent_them(ground: Ground, box: Box) -> None:
    await ground.listener(box)
    devices = [uuid4() for _ in range(5)]
    async with ground.device() as device:
        for number in range(40):
            for uuid in devices:
                await device.publish(topic(uuid, "state"), str(number), qos=1)
    await box.until(lambda: len(box.stored) == 200)
    for uuid in devices:
        said = [int(each.payload) for each in box.stored if str(uuid) in each.topic]
        assert said == list(range(40))


async def test_a_message_waits_for_the_one_before_of_its_device_but_not_for_those_of_others(
    ground: Ground, box: Box
) -> None:
    await ground.listener(box)
    slow, other = uuid4(), uuid4()
    box.open.clear()
    async with ground.device() as device:
        for uuid in (slow, slow, other):
            await device.publish(topic(uuid), b"1", qos=1)
    await box.until(lambda: len(box.tried) == 2)
    assert {each.topic for each in box.tried} == {topic(slow), topic(other)}
    box.open.set()
    await box.until(lambda: len(box.stored) == 3)


async def test_nothing_is_acknowledged_before_it_is_stored(ground: Ground, box: Box) -> None:
    first = await ground.listener(box)
    box.open.clear()
    async with ground.device() as device:
        for number in range(30):
            await device.publish(topic(uuid4()), str(number), qos=1)
    await box.until(lambda: len(box.tried) == 30)
    assert first.statistics().acknowledged == 0
    assert first.statistics().in_flight == 30
    await first.kill()
    successor = Box()
    await ground.listener(successor)
    await successor.until(lambda: len(successor.payloads()) == 30)
    assert box.stored == []


async def test_what_was_stored_and_acknowledged_does_not_come_again(ground: Ground, box: Box) -> None:
    first = await ground.listener(box)
    async with ground.device() as device:
        for number in range(30):
            await device.publish(topic(uuid4()), str(number), qos=1)
        await until(lambda: first.statistics().acknowledged == 30)
        await first.stop()
        successor = Box()
        second = await ground.listener(successor)
        await device.publish(topic(uuid4()), b"later", qos=1)
        await successor.until(lambda: b"later" in successor.payloads())
        assert second.statistics().messages == 1


async def test_while_nothing_can_be_stored_the_same_messages_are_tried_again_in_order_on_the_same_connection(
    ground: Ground, box: Box
) -> None:
    listener = await ground.listener(box)
    box.out_of_order = True
    uuid = uuid4()
    async with ground.device() as device:
        for number in range(20):
            await device.publish(topic(uuid, "state"), str(number), qos=1)
            await device.publish(topic(uuid4()), b"x", qos=1)
    await until(lambda: listener.statistics().retried >= 20)
    assert listener.statistics().acknowledged == 0
    box.out_of_order = False
    await until(lambda: listener.statistics().acknowledged == 40)
    assert [int(each.payload) for each in box.stored if str(uuid) in each.topic] == list(range(20))
    assert listener.statistics().reconnects == 0
    assert len(box.stored) == 40


async def test_a_message_without_acknowledgement_that_cannot_be_stored_holds_up_nobody(
    ground: Ground, box: Box
) -> None:
    listener = await ground.listener(box)
    box.out_of_order = True
    uuid = uuid4()
    async with ground.device() as device:
        await device.publish(topic(uuid), b"lost", qos=0)
        await until(lambda: listener.statistics().dropped == 1)
        box.out_of_order = False
        await device.publish(topic(uuid), b"kept", qos=1)
    await box.until(lambda: len(box.stored) == 1)
    assert [(each.payload, each.qos) for each in box.stored] == [(b"kept", 1)]


async def test_the_broker_keeps_what_does_not_fit_into_memory(ground: Ground, box: Box) -> None:
    listener = await ground.listener(box, messages=20, size=100_000)
    box.open.clear()
    async with ground.device() as device:
        for _ in range(100):
            await device.publish(topic(uuid4()), bytes(20_000), qos=1)
        held = listener.statistics()
        assert held.in_flight <= 20
        assert held.bytes_in_flight <= 150_000
        box.open.set()
        await until(lambda: listener.statistics().acknowledged == 100)
    assert len(box.stored) == 100


async def test_a_retained_message_of_before_is_not_taken_for_what_the_device_says_now(ground: Ground, box: Box) -> None:
    async with ground.device() as device:
        await device.publish(topic(uuid4(), "state"), b"old", qos=1, retain=True)
        await ground.listener(box)
        await device.publish(topic(uuid4(), "state"), b"new", qos=1)
    await box.until(lambda: len(box.stored) == 1)
    assert box.stored[0].payload == b"new"


async def test_a_stopping_listener_finishes_what_it_has_in_hand_and_takes_no_more(ground: Ground, box: Box) -> None:
    listener = await ground.listener(box)
    box.open.clear()
    async with ground.device() as device:
        for number in range(20):
            await device.publish(topic(uuid4()), str(number), qos=1)
        await box.until(lambda: len(box.tried) == 20)
        stopping = asyncio.create_task(listener.stop())
        await asyncio.sleep(0)
        await device.publish(topic(uuid4()), b"too late", qos=1)
        box.open.set()
        await stopping
    assert len(box.stored) == 20
    successor = Box()
    second = await ground.listener(successor)
    await successor.until(lambda: b"too late" in successor.payloads())
    assert second.statistics().messages == 1


async def test_who_watches_is_told_of_what_was_stored_as_said_by_the_device(ground: Ground, box: Box) -> None:
    await ground.listener(box)
    uuid = uuid4()
    async with ground.device() as device:
        await device.publish(topic(uuid), b"1", qos=1)
        await device.publish(f"sensor/{uuid}/v2", b"2", qos=1)
    await box.until(lambda: len(box.stored) == 2)
    await until(lambda: len(box.seen) == 2)
    assert {each.username for each in box.seen} == {f"device_{uuid}"}
