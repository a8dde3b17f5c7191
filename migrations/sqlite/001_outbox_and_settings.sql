-- Announced events wait here, in the transaction that announced them, until every reaction has had them.
CREATE TABLE outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    payload TEXT NOT NULL,
    announced_at INTEGER NOT NULL,
    relayed INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX ix_outbox_relayed ON outbox (relayed, id);

CREATE TABLE outbox_failures (
    event_id INTEGER NOT NULL CONSTRAINT fk_outbox_failures_event_id REFERENCES outbox (id) ON DELETE CASCADE,
    reaction TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    error TEXT NOT NULL,
    retry_at INTEGER,
    CONSTRAINT pk_outbox_failures PRIMARY KEY (event_id, reaction)
) WITHOUT ROWID;
CREATE INDEX ix_outbox_failures_retry_at ON outbox_failures (retry_at);

CREATE TABLE settings (
    key TEXT NOT NULL CONSTRAINT pk_settings PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;
