-- No foreign keys: an entry outlives the device and the person that it tells of.
CREATE TABLE audit_log (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    announcement_id INTEGER NOT NULL CONSTRAINT uq_audit_log_announcement_id UNIQUE,
    at INTEGER NOT NULL,
    event TEXT NOT NULL,
    severity TEXT NOT NULL,
    actor TEXT NOT NULL,
    device_uuid TEXT,
    address TEXT,
    details TEXT NOT NULL
);
CREATE INDEX ix_audit_log_at ON audit_log (at);
CREATE INDEX ix_audit_log_event ON audit_log (event, id);
CREATE INDEX ix_audit_log_device_uuid ON audit_log (device_uuid, id);
CREATE INDEX ix_audit_log_actor ON audit_log (actor, id);

-- What was written down stays as it is, whoever asks. Entries go by age only.
CREATE TRIGGER audit_log_is_final BEFORE UPDATE ON audit_log
BEGIN
    SELECT RAISE(ABORT, 'audit entries are never changed');
END;
