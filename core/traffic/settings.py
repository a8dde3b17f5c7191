"""How often traffic is written down, and for how long it is kept."""

from datetime import timedelta

from core.settings import AnySetting, Setting, integer, seconds

TRAFFIC_FLUSH_INTERVAL = Setting(
    name="TRAFFIC_FLUSH_INTERVAL",
    read=seconds,
    default=timedelta(seconds=60),
    summary="How often counted requests and messages are written down",
)
TRAFFIC_RETENTION = Setting(
    name="TRAFFIC_RETENTION_DAYS",
    read=integer(1, 36_500),
    default=90,
    summary="For how many days traffic, and topics that have fallen silent, are remembered",
)

SETTINGS: tuple[AnySetting, ...] = (TRAFFIC_FLUSH_INTERVAL, TRAFFIC_RETENTION)
