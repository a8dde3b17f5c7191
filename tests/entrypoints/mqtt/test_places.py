"""Two places at the broker, held by however many listeners there are: what one process can lose nothing is lost by."""

from uuid import uuid4

from entrypoints.mqtt.listen import Listener
from tests.entrypoints.mqtt.conftest import Box, Ground, topic, until


def seats(listener: Listener) -> tuple[str, ...]:
    """Which it holds."""
    return listener.statistics().seats


async def publish(ground: Ground, count: int, what: str = "sensor/modbus") -> set[bytes]:
    """So many messages of different devices, each acknowledged by the broker."""
    async with ground.device() as device:
        for number in range(count):
            await device.publish(topic(uuid4(), what), f"{what} {number}", qos=1)
    return {f"{what} {number}".encode() for number in range(count)}


async def test_one_listener_holds_both_and_leaves_one_to_another_that_has_none(ground: Ground, box: Box) -> None:
    other = Box()
    first = await ground.listener(box, share=False)
    assert seats(first) == ("ordered", "readings")
    second = await ground.listener(other, share=False, seats=1)
    await until(lambda: (seats(first), seats(second)) == (("ordered",), ("readings",)))
    said = await publish(ground, 20)
    reported = await publish(ground, 10, "state")
    await other.until(lambda: other.payloads().keys() >= said)
    await box.until(lambda: box.payloads().keys() >= reported)


async def test_a_third_stands_by_and_takes_the_place_of_one_that_dies(ground: Ground, box: Box) -> None:
    other, third = Box(), Box()
    first = await ground.listener(box, share=False)
    second = await ground.listener(other, share=False, seats=1)
    await until(lambda: len(seats(first)) == len(seats(second)) == 1)
    standing_by = await ground.listener(third, share=False, seats=0)
    await first.kill()
    await until(lambda: len(seats(standing_by)) + len(seats(second)) == 2)
    said = await publish(ground, 10) | await publish(ground, 10, "state")
    await until(lambda: box.payloads().keys() | other.payloads().keys() | third.payloads().keys() >= said)


async def test_30_what_comes_while_the_broker_and_all_listeners_are_gone_is_stored_afterwards(
    ground: Ground, box: Box
) -> None:
    """Contract 12.1 item 30: what Mosquitto has acknowledged it keeps, over restarts of its own as well."""
    first = await ground.listener(box, share=False)
    await first.kill()
    said = await publish(ground, 20)
    await ground.broker.stop()
    await ground.broker.start()
    said |= await publish(ground, 20, "state")
    await ground.broker.stop()
    await ground.broker.start()
    said |= await publish(ground, 20, "sensor/opcua")
    other = Box()
    await ground.listener(other, share=False)
    await other.until(lambda: other.payloads().keys() >= said)
