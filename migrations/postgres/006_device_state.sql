-- What devices shall run: rows are never changed, the highest version is the one that is served.
CREATE TABLE deployed_states (
    device_uuid TEXT NOT NULL
        CONSTRAINT fk_deployed_states_device_uuid REFERENCES devices (uuid) ON DELETE CASCADE,
    version BIGINT NOT NULL,
    apps JSONB NOT NULL,
    config JSONB NOT NULL,
    apps_count INTEGER NOT NULL,
    deployed_at TIMESTAMPTZ NOT NULL,
    deployed_by TEXT NOT NULL,
    CONSTRAINT pk_deployed_states PRIMARY KEY (device_uuid, version)
);

-- What people are about to deploy.
CREATE TABLE draft_states (
    device_uuid TEXT NOT NULL CONSTRAINT pk_draft_states PRIMARY KEY
        CONSTRAINT fk_draft_states_device_uuid REFERENCES devices (uuid) ON DELETE CASCADE,
    apps JSONB NOT NULL,
    config JSONB NOT NULL,
    revision INTEGER NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    updated_by TEXT NOT NULL
);

-- What devices say of themselves. NULL is what a device has never told.
CREATE TABLE reported_states (
    device_uuid TEXT NOT NULL CONSTRAINT pk_reported_states PRIMARY KEY
        CONSTRAINT fk_reported_states_device_uuid REFERENCES devices (uuid) ON DELETE CASCADE,
    apps JSONB,
    config JSONB,
    version BIGINT,
    is_online BOOLEAN,
    endpoints_health JSONB,
    sensor_health JSONB,
    system_info JSONB NOT NULL,
    apps_count INTEGER NOT NULL,
    reported_at TIMESTAMPTZ NOT NULL
);
