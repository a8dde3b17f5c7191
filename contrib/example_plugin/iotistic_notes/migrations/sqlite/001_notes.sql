-- Tables of a plugin start with the owner of its folder of migrations, which is `notes`.
CREATE TABLE notes_entries (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    device_uuid TEXT NOT NULL
        CONSTRAINT fk_notes_entries_device_uuid REFERENCES devices (uuid) ON DELETE CASCADE,
    text TEXT NOT NULL,
    written_by TEXT NOT NULL,
    written_at INTEGER NOT NULL,
    announcement_id INTEGER CONSTRAINT uq_notes_entries_announcement_id UNIQUE
);
CREATE INDEX ix_notes_entries_device_uuid ON notes_entries (device_uuid);
