CREATE TABLE mqtt_users (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    username TEXT NOT NULL CONSTRAINT uq_mqtt_users_username UNIQUE,
    digest TEXT NOT NULL,
    is_superuser INTEGER NOT NULL,
    is_active INTEGER NOT NULL,
    device_uuid TEXT CONSTRAINT fk_mqtt_users_device_uuid REFERENCES devices (uuid) ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
);
CREATE INDEX ix_mqtt_users_device_uuid ON mqtt_users (device_uuid);
