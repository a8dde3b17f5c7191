"""Each process answers Prometheus on a port of its own."""

import pytest

from core.errors import Unavailable
from core.settings import AnySetting, Settings
from entrypoints.wiring import cluster
from entrypoints.wiring import settings as declared
from entrypoints.wiring.web import metrics_door_of, port_of
from tests.support.server import free_port


def settings(port: int) -> Settings:
    """With this port for numbers."""
    wanted: list[AnySetting] = [declared.HOST, cluster.METRICS_PORT]
    return Settings(wanted, {"METRICS_PORT": str(port)})


def test_without_a_port_there_is_none() -> None:
    assert metrics_door_of(settings(0), 0) is None


def test_the_second_worker_has_the_next_port() -> None:
    first = free_port()
    for worker, port in ((0, first), (2, first + 1)):
        door = metrics_door_of(settings(first), worker)
        assert door is not None
        with door:
            assert port_of(door) == port


def test_a_port_that_is_taken_is_refused_by_the_name_of_the_setting() -> None:
    port = free_port()
    door = metrics_door_of(settings(port), 1)
    assert door is not None
    with door, pytest.raises(Unavailable, match="METRICS_PORT"):
        metrics_door_of(settings(port), 1)
