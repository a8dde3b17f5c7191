-- SQLite keeps each series in one table: nothing to do here. See the file of this name for PostgreSQL.
SELECT 1;
