-- Devices that registered by provisioning v2 have more topics than the others.
ALTER TABLE mqtt_users ADD COLUMN v2 BOOLEAN NOT NULL DEFAULT false;

-- The SHA-256 of the public key (SubjectPublicKeyInfo, DER) by whose private half a device proves that it is the same.
ALTER TABLE device_keys ADD COLUMN fingerprint TEXT;

-- The challenges that registrations have used up; each is good once. Those that have expired are forgotten.
CREATE TABLE enrolment_sessions (
    challenge TEXT NOT NULL CONSTRAINT pk_enrolment_sessions PRIMARY KEY,
    device_uuid TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    used_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX ix_enrolment_sessions_expires_at ON enrolment_sessions (expires_at);
