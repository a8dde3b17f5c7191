"""SQL by SQLAlchemy Core: a file for each feature, for SQLite and PostgreSQL alike."""
