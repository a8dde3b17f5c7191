"""Counts in memory stay bounded (contract §11.2 T-33)."""

from core.traffic.meter import Requests
from tests.contracts.telemetry_parts import new_uuid
from tests.support.clock import NOON


def test_beyond_the_most_only_what_is_known_already_is_counted() -> None:
    requests, devices = Requests(most=3), [new_uuid() for _ in range(5)]
    for _ in range(2):
        for uuid in devices:
            requests.add((NOON, uuid, "/", "GET", 200), (1, 2), 0.5)
    taken = requests.take()
    assert [(each.key.device_uuid, each.count, each.bytes_out) for each in taken] == [
        (uuid, 2, 4) for uuid in devices[:3]
    ]
    assert requests.take() == []
