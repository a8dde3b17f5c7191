"""What a store of the latest vital signs promises. Subclasses give `store` and the `known` device."""

from datetime import timedelta

from core.ids import DeviceUuid
from core.telemetry import Sample, Vitals, VitalsStore
from core.transactions import Transactions
from tests.contracts.telemetry_parts import NOW, new_uuid

LATER = NOW + timedelta(minutes=1)


class VitalsStoreContract:
    """The tests."""

    async def test_what_was_told_last_of_each_sign_is_known(
        self, store: VitalsStore, transactions: Transactions, known: DeviceUuid
    ) -> None:
        interfaces = [{"name": "eth0", "ip4": "192.0.2.2"}]
        first = Vitals(cpu_usage=10.0, cpu_temp=51.2, network_interfaces=interfaces, os_version="Debian 12")
        second = Vitals(cpu_usage=0.0, top_processes=[], local_ip="192.0.2.2")
        async with transactions.begin() as tx:
            await store.merge(tx, known, NOW, first)
            await store.merge(tx, known, LATER, second)
            latest = await store.latest(tx, known)
        merged = Vitals(
            cpu_usage=0.0,
            cpu_temp=51.2,
            network_interfaces=interfaces,
            top_processes=[],
            os_version="Debian 12",
            local_ip="192.0.2.2",
        )
        assert latest == Sample(recorded_at=LATER, vitals=merged)

    async def test_of_a_device_that_told_nothing_nothing_is_known(
        self, store: VitalsStore, transactions: Transactions, known: DeviceUuid
    ) -> None:
        async with transactions.begin() as tx:
            await store.merge(tx, known, NOW, Vitals(cpu_usage=1.0))
            assert await store.latest(tx, new_uuid()) is None
