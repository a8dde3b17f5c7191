-- Messages of devices that a bug of ours kept us from understanding. They were acknowledged, so they are kept as they came.
CREATE TABLE messages_set_aside (
    id INTEGER PRIMARY KEY,
    device_uuid TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    topic TEXT NOT NULL,
    payload BLOB NOT NULL,
    reason TEXT NOT NULL
);
CREATE INDEX ix_messages_set_aside_device_uuid ON messages_set_aside (device_uuid);
