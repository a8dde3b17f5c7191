-- Which request an event comes of.
ALTER TABLE outbox ADD COLUMN correlation_id TEXT;

-- Every event that was announced, to be looked at. No foreign keys: history outlives the device that it tells of.
CREATE TABLE events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    announcement_id INTEGER NOT NULL CONSTRAINT uq_events_announcement_id UNIQUE,
    at INTEGER NOT NULL,
    type TEXT NOT NULL,
    name TEXT NOT NULL,
    category TEXT NOT NULL,
    severity TEXT NOT NULL,
    actor TEXT NOT NULL,
    device_uuid TEXT,
    aggregate_type TEXT,
    aggregate_id TEXT,
    correlation_id TEXT,
    data TEXT NOT NULL
);
CREATE INDEX ix_events_at ON events (at);
CREATE INDEX ix_events_device_uuid_at ON events (device_uuid, at);
CREATE INDEX ix_events_type_at ON events (type, at);
CREATE INDEX ix_events_severity_at ON events (severity, at);
CREATE INDEX ix_events_correlation_id ON events (correlation_id);

-- What each device ran, from when on. Some of the last ones are kept for each device.
CREATE TABLE reported_versions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    device_uuid TEXT NOT NULL
        CONSTRAINT fk_reported_versions_device_uuid REFERENCES devices (uuid) ON DELETE CASCADE,
    reported_at INTEGER NOT NULL,
    version INTEGER,
    apps TEXT
);
CREATE INDEX ix_reported_versions_device_uuid_reported_at ON reported_versions (device_uuid, reported_at);
CREATE INDEX ix_reported_versions_reported_at ON reported_versions (reported_at);
INSERT INTO reported_versions (device_uuid, reported_at, version, apps)
    SELECT device_uuid, reported_at, version, apps FROM reported_states;
