"""Audit: what happened, written down for good."""

from core.audit.model import MOST_ENTRIES, REMOVED, AuditEntry, AuditQuery, Severity, cursor_of, entry_of
from core.audit.ports import AuditStore
from core.audit.service import AUDIT_READ, AuditLog
from core.audit.settings import RETENTION_DAYS, SETTINGS

__all__ = [
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
