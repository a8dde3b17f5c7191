-- Usernames and e-mail addresses are kept in lower case.
CREATE TABLE users (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    username TEXT NOT NULL CONSTRAINT uq_users_username UNIQUE,
    email TEXT NOT NULL CONSTRAINT uq_users_email UNIQUE,
    password_hash TEXT NOT NULL,
    role TEXT NOT NULL CONSTRAINT ck_users_role CHECK (role IN ('owner', 'admin', 'manager', 'operator', 'viewer')),
    is_active INTEGER NOT NULL,
    full_name TEXT,
    created_at INTEGER NOT NULL,
    last_login_at INTEGER,
    revision INTEGER NOT NULL
);

-- A row is a session that stands. Only the SHA-256 of its refresh token's jti is kept.
CREATE TABLE sessions (
    id TEXT NOT NULL CONSTRAINT pk_sessions PRIMARY KEY,
    user_id INTEGER NOT NULL CONSTRAINT fk_sessions_user_id REFERENCES users (id) ON DELETE CASCADE,
    digest TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    address TEXT NOT NULL,
    user_agent TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX ix_sessions_user_id ON sessions (user_id, created_at);
CREATE INDEX ix_sessions_expires_at ON sessions (expires_at);
