"""How fast the broker goes, made of the differences of its counts."""

import pytest

from core.errors import Forbidden, Unavailable
from core.monitoring import MqttStatistics
from core.mqtt import BrokerStatistics
from tests.core.monitoring.parts import NOBODY, READER, CountingBroker
from tests.support.clock import TestClock


@pytest.fixture
def broker() -> CountingBroker:
    """A broker."""
    return CountingBroker()


@pytest.fixture
def statistics(broker: CountingBroker, clock: TestClock) -> MqttStatistics:
    """Its statistics."""
    return MqttStatistics(broker=broker, clock=clock)


async def test_rates_are_averages_over_the_last_minute(
    statistics: MqttStatistics, broker: CountingBroker, clock: TestClock
) -> None:
    """Contract §11.4 B-12: not the constant zero."""
    for second in range(0, 300, 5):
        # Busy until the fourth minute, then half as busy.
        done = min(second, 240) * 10 + max(0, second - 240) * 5
        broker.counts = BrokerStatistics(
            messages_in=done, messages_out=2 * done, bytes_in=100 * done, bytes_out=200 * done
        )
        await statistics.measure()
        clock.advance(seconds=5)
    broker.counts = BrokerStatistics(messages_in=2700, messages_out=5400, bytes_in=270_000, bytes_out=540_000)
    report = await statistics.report(READER)
    assert (report.received, report.published) == pytest.approx((5.0, 10.0), rel=0.1)
    assert (report.bytes_in, report.bytes_out) == pytest.approx((500.0, 1000.0), rel=0.1)
    assert report.counts.messages_in == 2700


async def test_before_the_first_measurement_nothing_is_told_of_rates(
    statistics: MqttStatistics, broker: CountingBroker
) -> None:
    broker.counts = BrokerStatistics(messages_in=7)
    report = await statistics.report(READER)
    assert (report.connected, report.counts.messages_in, report.received) == (True, 7, 0.0)
    await statistics.measure()
    assert (await statistics.report(READER)).received == 0.0


async def test_a_broker_that_counts_anew_has_no_negative_rates(
    statistics: MqttStatistics, broker: CountingBroker, clock: TestClock
) -> None:
    for count in (1000, 2000, 10):
        broker.counts = BrokerStatistics(messages_in=count)
        await statistics.measure()
        clock.advance(seconds=5)
    broker.counts = BrokerStatistics(messages_in=20)
    assert (await statistics.report(READER)).received == 2.0


async def test_a_broker_that_does_not_work_is_told_as_not_connected(
    statistics: MqttStatistics, broker: CountingBroker
) -> None:
    broker.down = True
    assert not (await statistics.report(READER)).connected
    with pytest.raises(Unavailable):
        await statistics.working(READER)


async def test_only_who_may_read_data_is_told(statistics: MqttStatistics) -> None:
    with pytest.raises(Forbidden):
        await statistics.report(NOBODY)
