"""The settings of the states of devices."""

from core.settings import AnySetting, Setting, integer

VERSIONS_KEPT = Setting(
    name="TARGET_STATE_VERSIONS_KEPT",
    read=integer(1, 100_000),
    default=100,
    summary="How many deployed versions of what a device shall run are kept; the one that is served always is",
)
ENDPOINT_HISTORY_DAYS = Setting(
    name="ENDPOINT_HISTORY_RETENTION_DAYS",
    read=integer(1, 36_500),
    default=30,
    summary="For how many days it is kept when sensors went and came back",
)
SETTINGS: tuple[AnySetting, ...] = (VERSIONS_KEPT, ENDPOINT_HISTORY_DAYS)
