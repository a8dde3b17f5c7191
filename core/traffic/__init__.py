"""Traffic: how much devices talk over HTTP and MQTT."""

from core.traffic.meter import MOST_TOPICS_PER_OWNER, OTHERS
from core.traffic.model import (
    DATA_READ,
    FIRST_FAILURE,
    MOST_SHOWN,
    DeviceTraffic,
    EndpointTraffic,
    RequestCount,
    RequestKey,
    TopicCount,
    TopicOrder,
    TopicTotals,
    TopicTraffic,
)
from core.traffic.ports import TrafficStore
from core.traffic.service import TopicsShown, Traffic
from core.traffic.settings import SETTINGS, TRAFFIC_FLUSH_INTERVAL, TRAFFIC_RETENTION

__all__ = [
    "DATA_READ",
    "FIRST_FAILURE",
    "MOST_SHOWN",
    "MOST_TOPICS_PER_OWNER",
    "OTHERS",
    "SETTINGS",
    "TRAFFIC_FLUSH_INTERVAL",
    "TRAFFIC_RETENTION",
    "DeviceTraffic",
    "EndpointTraffic",
    "RequestCount",
    "RequestKey",
    "TopicCount",
    "TopicOrder",
    "TopicTotals",
    "TopicTraffic",
    "TopicsShown",
    "Traffic",
    "TrafficStore",
]
