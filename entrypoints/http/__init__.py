"""HTTP: what agents, the console and people with curl call. One file per feature."""
