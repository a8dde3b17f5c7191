"""The public API for plugins."""
