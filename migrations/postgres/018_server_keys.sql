-- Our own RSA keys for provisioning v2, sealed: where there is no folder that all processes share.
CREATE TABLE server_keys (
    name TEXT NOT NULL CONSTRAINT pk_server_keys PRIMARY KEY,
    sealed BYTEA NOT NULL
);
