"""The plugins that come with us: each folder is one whole slice, and nobody imports it."""
