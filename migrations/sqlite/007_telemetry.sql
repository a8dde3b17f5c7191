-- How each device was when it last reported.
CREATE TABLE device_vitals (
    device_uuid TEXT NOT NULL CONSTRAINT pk_device_vitals PRIMARY KEY
        CONSTRAINT fk_device_vitals_device_uuid REFERENCES devices (uuid) ON DELETE CASCADE,
    recorded_at INTEGER NOT NULL,
    cpu_usage REAL,
    cpu_temp REAL,
    memory_usage REAL,
    memory_total REAL,
    storage_usage REAL,
    storage_total REAL,
    uptime REAL,
    top_processes TEXT,
    network_interfaces TEXT,
    os_version TEXT,
    agent_version TEXT,
    local_ip TEXT
);

-- The series below outlive their device until the reaction to its removal has forgotten them, hence no foreign keys.
-- Rows are received in the order of their ids, so the oldest are found without an index on the time of receipt.
CREATE TABLE device_metrics (
    id INTEGER PRIMARY KEY,
    device_uuid TEXT NOT NULL,
    recorded_at INTEGER NOT NULL,
    late INTEGER NOT NULL,
    cpu_usage REAL,
    cpu_temp REAL,
    memory_usage REAL,
    memory_total REAL,
    storage_usage REAL,
    storage_total REAL,
    uptime REAL,
    top_processes TEXT
);
CREATE INDEX ix_device_metrics_device_uuid_recorded_at ON device_metrics (device_uuid, recorded_at);

CREATE TABLE device_logs (
    id INTEGER PRIMARY KEY,
    device_uuid TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    logged_at INTEGER NOT NULL,
    time_clamped INTEGER NOT NULL,
    level TEXT NOT NULL,
    message TEXT NOT NULL,
    truncated INTEGER NOT NULL,
    source_type TEXT,
    source_name TEXT,
    service_name TEXT,
    service_id INTEGER,
    container_id TEXT,
    is_system INTEGER NOT NULL,
    is_stderr INTEGER NOT NULL,
    context TEXT
);
CREATE INDEX ix_device_logs_device_uuid_logged_at ON device_logs (device_uuid, logged_at);
CREATE INDEX ix_device_logs_device_uuid_service_name_logged_at ON device_logs (device_uuid, service_name, logged_at);

-- Batches of log lines that came with a name, so that one sent twice is stored once.
CREATE TABLE log_batches (
    id INTEGER PRIMARY KEY,
    device_uuid TEXT NOT NULL,
    batch TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    received INTEGER NOT NULL,
    rejected INTEGER NOT NULL,
    CONSTRAINT uq_log_batches_device_uuid_batch UNIQUE (device_uuid, batch)
);

CREATE TABLE dropped_log_summaries (
    id INTEGER PRIMARY KEY,
    device_uuid TEXT NOT NULL,
    digest BLOB NOT NULL,
    received_at INTEGER NOT NULL,
    dropped_at INTEGER NOT NULL,
    time_clamped INTEGER NOT NULL,
    reason TEXT NOT NULL,
    began_at INTEGER,
    ended_at INTEGER,
    total_count INTEGER NOT NULL,
    estimated_bytes INTEGER NOT NULL,
    level_counts TEXT NOT NULL,
    service_counts TEXT NOT NULL,
    error_samples TEXT NOT NULL,
    warning_samples TEXT NOT NULL,
    CONSTRAINT uq_dropped_log_summaries_device_uuid_digest UNIQUE (device_uuid, digest)
);

-- The unique key doubles as the index to read by: a device's readings in order of time. Where the time is ours it
-- differs from one delivery to the next, so there the digest alone tells readings apart.
CREATE TABLE readings (
    id INTEGER PRIMARY KEY,
    device_uuid TEXT NOT NULL,
    measured_at INTEGER NOT NULL,
    digest BLOB NOT NULL,
    received_at INTEGER NOT NULL,
    time_clamped INTEGER NOT NULL,
    kind TEXT NOT NULL CONSTRAINT ck_readings_kind CHECK (kind IN ('reading', 'csv', 'raw', 'heartbeat')),
    topic TEXT NOT NULL,
    sensor TEXT,
    register TEXT,
    value TEXT,
    value_number REAL,
    unit TEXT,
    quality TEXT,
    quality_code TEXT,
    raw TEXT,
    raw_encoding TEXT,
    CONSTRAINT uq_readings_device_uuid_measured_at_digest UNIQUE (device_uuid, measured_at, digest)
);
CREATE UNIQUE INDEX uq_readings_device_uuid_digest ON readings (device_uuid, digest) WHERE time_clamped;
