ALTER TABLE mqtt_users ADD COLUMN password_kind TEXT NOT NULL DEFAULT 'digest'
    CONSTRAINT ck_mqtt_users_password_kind CHECK (password_kind IN ('digest', 'bcrypt'));
CREATE TABLE mqtt_acls (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    username TEXT NOT NULL CONSTRAINT fk_mqtt_acls_username REFERENCES mqtt_users (username) ON DELETE CASCADE,
    topic TEXT NOT NULL,
    access INTEGER NOT NULL,
    deny INTEGER NOT NULL,
    priority INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    CONSTRAINT uq_mqtt_acls_username_topic_access_deny UNIQUE (username, topic, access, deny),
    CONSTRAINT ck_mqtt_acls_access CHECK (access BETWEEN 1 AND 7)
);
CREATE TABLE mqtt_assignments (
    device_uuid TEXT PRIMARY KEY NOT NULL
        CONSTRAINT fk_mqtt_assignments_device_uuid REFERENCES devices (uuid) ON DELETE CASCADE,
    broker_id INTEGER NOT NULL,
    assigned_at INTEGER NOT NULL
);
CREATE INDEX ix_mqtt_assignments_broker_id ON mqtt_assignments (broker_id);
