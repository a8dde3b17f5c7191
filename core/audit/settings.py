"""How long the audit log remembers."""

from core.settings import AnySetting, Setting, integer

RETENTION_DAYS = Setting(
    name="AUDIT_RETENTION_DAYS",
    read=integer(1, 36_500),
    default=365,
    summary="For how many days audit entries are kept",
)

SETTINGS: tuple[AnySetting, ...] = (RETENTION_DAYS,)
