-- Series are partitioned by month (UTC), so that a month is forgotten by dropping a table. What there is stays.
-- A row whose month has no table goes to the default partition; `iotistic partitions fix` brings it home.
SET LOCAL timezone = 'UTC';

ALTER TABLE device_metrics RENAME TO device_metrics_before;
ALTER SEQUENCE device_metrics_id_seq RENAME TO device_metrics_before_id_seq;
CREATE TABLE device_metrics (LIKE device_metrics_before INCLUDING IDENTITY INCLUDING CONSTRAINTS)
    PARTITION BY RANGE (recorded_at);
ALTER TABLE device_logs RENAME TO device_logs_before;
ALTER SEQUENCE device_logs_id_seq RENAME TO device_logs_before_id_seq;
CREATE TABLE device_logs (LIKE device_logs_before INCLUDING IDENTITY INCLUDING CONSTRAINTS)
    PARTITION BY RANGE (logged_at);
ALTER TABLE readings RENAME TO readings_before;
ALTER SEQUENCE readings_id_seq RENAME TO readings_before_id_seq;
CREATE TABLE readings (LIKE readings_before INCLUDING IDENTITY INCLUDING CONSTRAINTS)
    PARTITION BY RANGE (measured_at);
ALTER TABLE audit_log RENAME TO audit_log_before;
ALTER SEQUENCE audit_log_id_seq RENAME TO audit_log_before_id_seq;
CREATE TABLE audit_log (LIKE audit_log_before INCLUDING IDENTITY INCLUDING CONSTRAINTS)
    PARTITION BY RANGE (at);

-- Months from the oldest row on, a year at most, to three months from now; then the rows, and where their numbers were.
DO $$
DECLARE
    this_month TIMESTAMPTZ := date_trunc('month', now());
    series RECORD;
    month TIMESTAMPTZ;
BEGIN
    FOR series IN
        SELECT relid::regclass::text AS name, attname AS key FROM (VALUES
            ('device_metrics'::regclass, 'recorded_at'), ('device_logs', 'logged_at'), ('readings', 'measured_at'),
            ('audit_log', 'at')) AS each (relid, attname)
    LOOP
        EXECUTE format('SELECT date_trunc(''month'', min(%I)) FROM %I', series.key, series.name || '_before') INTO month;
        month := least(
            greatest(coalesce(month, this_month), this_month - interval '12 months'), this_month - interval '1 month');
        WHILE month <= this_month + interval '3 months' LOOP
            EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)',
                series.name || to_char(month, '_YYYY_MM'), series.name, month, month + interval '1 month');
            month := month + interval '1 month';
        END LOOP;
        EXECUTE format('CREATE TABLE %I PARTITION OF %I DEFAULT', series.name || '_default', series.name);
        EXECUTE format('INSERT INTO %I SELECT * FROM %I ORDER BY id', series.name, series.name || '_before');
        EXECUTE format('SELECT setval(%L, last_value, is_called) FROM %I',
            series.name || '_id_seq', series.name || '_before_id_seq');
        EXECUTE format('DROP TABLE %I', series.name || '_before');
    END LOOP;
END
$$;

-- Keys of a partitioned table hold what it is partitioned by.
ALTER TABLE device_metrics ADD CONSTRAINT pk_device_metrics PRIMARY KEY (id, recorded_at);
CREATE INDEX ix_device_metrics_device_uuid_recorded_at ON device_metrics (device_uuid, recorded_at);

ALTER TABLE device_logs ADD CONSTRAINT pk_device_logs PRIMARY KEY (id, logged_at);
CREATE INDEX ix_device_logs_device_uuid_logged_at ON device_logs (device_uuid, logged_at);
CREATE INDEX ix_device_logs_device_uuid_service_name_logged_at ON device_logs (device_uuid, service_name, logged_at);

-- An announcement has one time, so both together tell of it once, as it alone did.
ALTER TABLE audit_log ADD CONSTRAINT pk_audit_log PRIMARY KEY (id, at);
ALTER TABLE audit_log ADD CONSTRAINT uq_audit_log_announcement_id UNIQUE (announcement_id, at);
CREATE INDEX ix_audit_log_at ON audit_log (at);
CREATE INDEX ix_audit_log_event ON audit_log (event, id);
CREATE INDEX ix_audit_log_device_uuid ON audit_log (device_uuid, id);
CREATE INDEX ix_audit_log_actor ON audit_log (actor, id);
CREATE TRIGGER audit_log_is_final BEFORE UPDATE ON audit_log
    FOR EACH ROW EXECUTE FUNCTION audit_log_stays_as_it_is();

ALTER TABLE readings ADD CONSTRAINT pk_readings PRIMARY KEY (id, measured_at);
ALTER TABLE readings ADD CONSTRAINT uq_readings_device_uuid_measured_at_digest
    UNIQUE (device_uuid, measured_at, digest);

-- Where the time of a reading is ours, the digest alone tells whether it is known. No key of the partitioned table can
-- say so, hence a table beside it that comes and goes with those readings.
CREATE TABLE clamped_readings (
    device_uuid TEXT NOT NULL,
    digest BYTEA NOT NULL,
    measured_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT pk_clamped_readings PRIMARY KEY (device_uuid, digest)
);
INSERT INTO clamped_readings (device_uuid, digest, measured_at)
    SELECT device_uuid, digest, measured_at FROM readings WHERE time_clamped;
CREATE INDEX ix_clamped_readings_measured_at ON clamped_readings (measured_at);

CREATE FUNCTION clamped_reading_comes_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO clamped_readings (device_uuid, digest, measured_at)
        VALUES (NEW.device_uuid, NEW.digest, NEW.measured_at) ON CONFLICT DO NOTHING;
    IF FOUND THEN
        RETURN NEW;
    END IF;
    RETURN NULL;
END
$$;
CREATE FUNCTION clamped_reading_goes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM clamped_readings WHERE device_uuid = OLD.device_uuid AND digest = OLD.digest;
    RETURN NULL;
END
$$;
-- A reading that only moves from one partition to another is known, by itself: whoever moves it sets iotistic.moving.
CREATE TRIGGER readings_clamped_once BEFORE INSERT ON readings FOR EACH ROW
    WHEN (NEW.time_clamped AND coalesce(current_setting('iotistic.moving', true), '') <> 'on')
    EXECUTE FUNCTION clamped_reading_comes_once();
CREATE TRIGGER readings_clamped_gone AFTER DELETE ON readings FOR EACH ROW
    WHEN (OLD.time_clamped) EXECUTE FUNCTION clamped_reading_goes();
