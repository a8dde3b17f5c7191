CREATE TABLE provisioning_keys (
    id TEXT NOT NULL CONSTRAINT pk_provisioning_keys PRIMARY KEY,
    digest TEXT NOT NULL CONSTRAINT uq_provisioning_keys_digest UNIQUE,
    fleet_id TEXT NOT NULL,
    description TEXT,
    max_uses INTEGER NOT NULL,
    uses INTEGER NOT NULL,
    is_active INTEGER NOT NULL,
    revoked_reason TEXT,
    expires_at INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    last_used_at INTEGER,
    CONSTRAINT ck_provisioning_keys_uses CHECK (uses <= max_uses)
) WITHOUT ROWID;
CREATE INDEX ix_provisioning_keys_fleet_id ON provisioning_keys (fleet_id);
