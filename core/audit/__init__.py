"""Audit: what happened, written down for good."""

from core.audit.model import MOST_ENTRIES, AuditEntry, AuditQuery, Severity, cursor_of, entry_of
from core.audit.ports import AuditStore
from core.audit.service import AUDIT_READ, AuditLog
from core.audit.settings import AUDIT_MAX, RETENTION_DAYS, SETTINGS
from core.facts import REMOVED

__all__ = [
    "AUDIT_MAX",
    "AUDIT_READ",
    "MOST_ENTRIES",
    "REMOVED",
    "RETENTION_DAYS",
    "SETTINGS",
    "AuditEntry",
    "AuditLog",
    "AuditQuery",
    "AuditStore",
    "Severity",
    "cursor_of",
    "entry_of",
]
