"""Redis, for what processes tell each other and may lose."""
