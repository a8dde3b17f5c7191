"""The command `iotistic`."""
