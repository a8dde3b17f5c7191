"""The shells around the core: HTTP, MQTT, worker and command line, and the wiring that puts them together."""
