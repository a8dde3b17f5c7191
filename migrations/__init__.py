"""The tables, as numbered SQL files: one folder a database."""
