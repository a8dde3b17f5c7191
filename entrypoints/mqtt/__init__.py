"""MQTT: messages from devices."""
