"""How the process is doing: numbers for Prometheus and traces for OpenTelemetry, in whichever process it is."""
