CREATE TABLE device_tags (
    device_uuid TEXT NOT NULL CONSTRAINT fk_device_tags_device_uuid REFERENCES devices (uuid) ON DELETE CASCADE,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    CONSTRAINT pk_device_tags PRIMARY KEY (device_uuid, key)
) WITHOUT ROWID;
CREATE INDEX ix_device_tags_key_value ON device_tags ("key", value);

-- What may be written under a key. An empty list of values is no restriction.
CREATE TABLE tag_definitions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL CONSTRAINT uq_tag_definitions_key UNIQUE,
    description TEXT,
    allowed_values TEXT NOT NULL,
    is_required INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    updated_at INTEGER NOT NULL
);

-- Saved questions: who belongs to a group is not written down anywhere.
CREATE TABLE device_groups (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL CONSTRAINT uq_device_groups_name UNIQUE,
    description TEXT,
    query TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    updated_at INTEGER NOT NULL
);

-- Keys that were made for one device, which was registered before it was switched on.
ALTER TABLE provisioning_keys ADD COLUMN device_uuid TEXT;
CREATE INDEX ix_provisioning_keys_device_uuid ON provisioning_keys (device_uuid);
