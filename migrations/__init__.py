"""Plain SQL, numbered; a folder per database. Here is no code."""
