"""Live updates: what changes is told to whoever watches."""

from entrypoints.http.live.routes import Live

__all__ = ["Live"]
