"""How long events are kept."""

from core.settings import AnySetting, Setting, integer

EVENT_RETENTION = Setting(
    name="EVENT_RETENTION_DAYS",
    read=integer(1, 9_000),
    default=90,
    summary="For how many days events are kept; warnings and errors four times as long",
)

SETTINGS: tuple[AnySetting, ...] = (EVENT_RETENTION,)
