-- Topics that the broker has carried. Clients name them, so they refer to devices without being bound to them.
CREATE TABLE mqtt_topics (
    id INTEGER PRIMARY KEY,
    topic TEXT NOT NULL CONSTRAINT uq_mqtt_topics_topic UNIQUE,
    device_uuid TEXT,
    messages INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    type TEXT NOT NULL,
    schema TEXT,
    first_at INTEGER NOT NULL,
    last_at INTEGER NOT NULL
);
CREATE INDEX ix_mqtt_topics_device_uuid ON mqtt_topics (device_uuid);
CREATE INDEX ix_mqtt_topics_last_at ON mqtt_topics (last_at);

CREATE TABLE mqtt_schema_history (
    id INTEGER PRIMARY KEY,
    topic_id INTEGER NOT NULL CONSTRAINT fk_mqtt_schema_history_topic_id REFERENCES mqtt_topics (id) ON DELETE CASCADE,
    changed_at INTEGER NOT NULL,
    schema TEXT NOT NULL
);
CREATE INDEX ix_mqtt_schema_history_topic_id ON mqtt_schema_history (topic_id);

-- Counts by the hour. They outlive their device until the reaction to its removal has forgotten them.
CREATE TABLE device_traffic (
    id INTEGER PRIMARY KEY,
    hour INTEGER NOT NULL,
    device_uuid TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    method TEXT NOT NULL,
    status INTEGER NOT NULL,
    requests INTEGER NOT NULL,
    bytes_in INTEGER NOT NULL,
    bytes_out INTEGER NOT NULL,
    seconds REAL NOT NULL,
    CONSTRAINT uq_device_traffic_hour_device_uuid_endpoint_method_status
        UNIQUE (hour, device_uuid, endpoint, method, status)
);
CREATE INDEX ix_device_traffic_device_uuid_hour ON device_traffic (device_uuid, hour);

CREATE TABLE topic_traffic (
    id INTEGER PRIMARY KEY,
    hour INTEGER NOT NULL,
    topic TEXT NOT NULL,
    device_uuid TEXT,
    messages INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    CONSTRAINT uq_topic_traffic_hour_topic UNIQUE (hour, topic)
);
CREATE INDEX ix_topic_traffic_device_uuid ON topic_traffic (device_uuid);
