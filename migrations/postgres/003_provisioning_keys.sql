CREATE TABLE provisioning_keys (
    id TEXT NOT NULL CONSTRAINT pk_provisioning_keys PRIMARY KEY,
    digest TEXT NOT NULL CONSTRAINT uq_provisioning_keys_digest UNIQUE,
    fleet_id TEXT NOT NULL,
    description TEXT,
    max_uses INTEGER NOT NULL,
    uses INTEGER NOT NULL,
    is_active BOOLEAN NOT NULL,
    revoked_reason TEXT,
    expires_at TIMESTAMPTZ NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    created_by TEXT NOT NULL,
    last_used_at TIMESTAMPTZ,
    CONSTRAINT ck_provisioning_keys_uses CHECK (uses <= max_uses)
);
CREATE INDEX ix_provisioning_keys_fleet_id ON provisioning_keys (fleet_id);
