-- Devices that an outside broker let in, and which of them listen. Whoever is connected and does not is deaf.
CREATE TABLE mqtt_hearing (
    device_uuid TEXT NOT NULL CONSTRAINT pk_mqtt_hearing PRIMARY KEY
        CONSTRAINT fk_mqtt_hearing_device_uuid REFERENCES devices (uuid) ON DELETE CASCADE,
    connected_at INTEGER NOT NULL,
    listened_at INTEGER,
    deaf_since INTEGER
) WITHOUT ROWID;
CREATE INDEX ix_mqtt_hearing_connected_at ON mqtt_hearing (connected_at);

-- Passwords, sealed, for a broker with accounts of its own, until it has them.
CREATE TABLE mqtt_passwords_to_hand_over (
    username TEXT NOT NULL CONSTRAINT pk_mqtt_passwords_to_hand_over PRIMARY KEY,
    sealed BLOB NOT NULL
) WITHOUT ROWID;
