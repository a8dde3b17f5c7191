CREATE TABLE devices (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid TEXT NOT NULL CONSTRAINT uq_devices_uuid UNIQUE,
    name TEXT NOT NULL,
    type TEXT NOT NULL,
    status TEXT NOT NULL CONSTRAINT ck_devices_status CHECK (status IN ('active', 'inactive')),
    provisioning TEXT NOT NULL
        CONSTRAINT ck_devices_provisioning CHECK (provisioning IN ('pending', 'registered', 'released')),
    fleet_id TEXT,
    provisioned_at INTEGER,
    provisioned_by TEXT,
    mac_address TEXT,
    ip_address TEXT,
    os_version TEXT,
    agent_version TEXT,
    is_online INTEGER NOT NULL,
    connectivity_at INTEGER,
    last_seen INTEGER,
    created_at INTEGER NOT NULL,
    modified_at INTEGER NOT NULL,
    revision INTEGER NOT NULL
);
CREATE INDEX ix_devices_name ON devices (name);
CREATE INDEX ix_devices_is_online ON devices (is_online);

-- Only the SHA-256 of a device's key is kept.
CREATE TABLE device_keys (
    device_uuid TEXT NOT NULL CONSTRAINT pk_device_keys PRIMARY KEY
        CONSTRAINT fk_device_keys_device_uuid REFERENCES devices (uuid) ON DELETE CASCADE,
    digest TEXT NOT NULL CONSTRAINT uq_device_keys_digest UNIQUE,
    issued_at INTEGER NOT NULL
) WITHOUT ROWID;
