"""How long the audit log remembers, and how much."""

from core.settings import AnySetting, Setting, integer, size

RETENTION_DAYS = Setting(
    name="AUDIT_RETENTION_DAYS",
    read=integer(1, 36_500),
    default=365,
    summary="For how many days audit entries are kept",
)
AUDIT_MAX = Setting(
    name="AUDIT_MAX_BYTES",
    read=size(lowest=1024**2),
    default=128 * 1024**2,
    summary="How much room audit entries may take, such as 128MB; the oldest go first",
)

SETTINGS: tuple[AnySetting, ...] = (RETENTION_DAYS, AUDIT_MAX)
