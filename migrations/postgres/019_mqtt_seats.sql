-- The client ids under which a broker keeps messages for `iotistic listen`.
CREATE TABLE mqtt_seats (
    name TEXT NOT NULL CONSTRAINT pk_mqtt_seats PRIMARY KEY,
    holder TEXT NOT NULL,
    held_at TIMESTAMPTZ NOT NULL
);
