"""Whether the broker's topics are watched, and how long they are remembered."""

from core.settings import AnySetting, Setting, boolean

MONITOR_ENABLED = Setting(
    name="MQTT_MONITOR_ENABLED",
    read=boolean,
    default=True,
    summary="Watch from the start which topics the broker carries, and what their messages look like",
)

SETTINGS: tuple[AnySetting, ...] = (MONITOR_ENABLED,)
