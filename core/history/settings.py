"""How long events are kept, and how many."""

from core.settings import AnySetting, Setting, integer, size

EVENT_RETENTION = Setting(
    name="EVENT_RETENTION_DAYS",
    read=integer(1, 9_000),
    default=90,
    summary="For how many days events are kept; warnings and errors four times as long",
)

MOST_BYTES = Setting(
    name="EVENT_MAX_BYTES",
    read=size(lowest=1024**2),
    default=128 * 1024**2,
    summary="How much room events may take, such as 128MB; the oldest go first",
)

SETTINGS: tuple[AnySetting, ...] = (EVENT_RETENTION, MOST_BYTES)
