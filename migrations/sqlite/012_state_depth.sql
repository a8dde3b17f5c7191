-- When sensors went and came back: a row is written when the condition of one changes, not at every report.
CREATE TABLE endpoint_changes (
    id INTEGER NOT NULL CONSTRAINT pk_endpoint_changes PRIMARY KEY,
    device_uuid TEXT NOT NULL
        CONSTRAINT fk_endpoint_changes_device_uuid REFERENCES devices (uuid) ON DELETE CASCADE,
    protocol TEXT NOT NULL,
    name TEXT NOT NULL,
    at INTEGER NOT NULL,
    connected INTEGER,
    last_poll TEXT,
    error_count INTEGER NOT NULL,
    last_error TEXT
);
CREATE INDEX ix_endpoint_changes_device_uuid_protocol_name_at ON endpoint_changes (device_uuid, protocol, name, at);
CREATE INDEX ix_endpoint_changes_at ON endpoint_changes (at);

-- The catalogue.
CREATE TABLE applications (
    app_id INTEGER NOT NULL CONSTRAINT pk_applications PRIMARY KEY,
    app_name TEXT NOT NULL,
    slug TEXT NOT NULL,
    description TEXT,
    default_config TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    modified_at INTEGER NOT NULL,
    CONSTRAINT uq_applications_slug UNIQUE (slug)
);

-- The last number that was given out, of each kind. Numbers are never given out twice.
CREATE TABLE id_counters (
    kind TEXT NOT NULL CONSTRAINT pk_id_counters PRIMARY KEY,
    last INTEGER NOT NULL
);

-- What numbers of apps and services were given out for.
CREATE TABLE issued_ids (
    kind TEXT NOT NULL,
    id INTEGER NOT NULL,
    name TEXT NOT NULL,
    app_id INTEGER,
    image_name TEXT,
    metadata TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    CONSTRAINT pk_issued_ids PRIMARY KEY (kind, id)
);
