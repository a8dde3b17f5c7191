"""Brokers that run as programs of their own: Mosquitto, and others that speak MQTT."""
