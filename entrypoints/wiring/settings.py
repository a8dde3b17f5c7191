"""The settings of our own parts, under the names that the original and its documents use."""

from datetime import timedelta

from adapters.system.tokens import EXAMPLES
from core.settings import AnySetting, Setting, boolean, integer, list_of_text, seconds, text

PORT_NUMBER = integer(0, 65535)
# What stands in manuals, and is tried first by whoever looks for a way in.
GUESSED_FIRST = {
    "admin",
    "admin123",
    "administrator",
    "changeit",
    "iotistic",
    "letmein",
    "mosquitto",
    "password",
    "secret",
}


def own_secret(value: str) -> str:
    """A secret that stands in no published example."""
    secret = value.strip()
    if secret.lower().rstrip("!1234567890") in GUESSED_FIRST or any(example in secret.lower() for example in EXAMPLES):
        raise ValueError("stands in published examples: choose one of your own, or leave it empty")
    return secret


PORT = Setting(name="PORT", read=PORT_NUMBER, default=3002, summary="Port of the HTTP API and the console")
HOST = Setting(name="HOST", read=text, default="127.0.0.1", summary="Address that HTTP and MQTT listen on")
LOG_LEVEL = Setting(
    name="LOG_LEVEL", read=text, default="info", summary="How much is logged: debug, info, warning, error"
)
LOG_FORMAT = Setting(
    name="LOG_FORMAT", read=text, default="", summary="json or text; empty: text on a terminal, else json"
)
TRUSTED_PROXIES: Setting[tuple[str, ...]] = Setting(
    name="TRUSTED_PROXIES",
    read=list_of_text,
    default=(),
    summary="Networks whose X-Forwarded-For is believed, such as 10.0.0.0/8",
)
CORS_ORIGINS: Setting[tuple[str, ...]] = Setting(
    name="CORS_ORIGINS",
    read=list_of_text,
    default=(),
    summary="Origins of other sites whose pages may call the API, such as https://console.example",
)
CLOUD_API_ENDPOINT = Setting(
    name="CLOUD_API_ENDPOINT", read=text, default="", summary="Address under which devices and people reach us"
)
OFFLINE_AFTER = Setting(
    name="HEARTBEAT_OFFLINE_THRESHOLD",
    read=seconds,
    default=timedelta(minutes=5),
    summary="How long a device may be silent before it counts as offline",
)
HEARTBEAT_INTERVAL = Setting(
    name="HEARTBEAT_CHECK_INTERVAL",
    read=seconds,
    default=timedelta(seconds=5),
    summary="How often signs of life are written down and silence is noticed",
)
MOST_REQUESTS = Setting(
    name="MAX_REQUESTS",
    read=integer(8, 100_000),
    default=512,
    summary="How many requests a process works on at a time; more are told to come again (503)",
)
MOST_DEVICES = Setting(
    name="MAX_DEVICES",
    read=integer(0, 10_000_000),
    default=0,
    summary="How many devices may be in service; 0 is no limit",
)
MQTT_PORT = Setting(name="MQTT_PORT", read=PORT_NUMBER, default=1883, summary="Port of the embedded MQTT broker")
MQTT_BROKER_URL = Setting(
    name="MQTT_BROKER_URL",
    read=text,
    default="",
    summary="Address of the broker as devices are told it, such as mqtt://gateway.local:1883",
)
PROBE_ANYWHERE = Setting(
    name="MQTT_TEST_ANY_ADDRESS",
    read=boolean,
    default=False,
    summary="Whether a test of a broker may connect to link-local addresses and those of cloud metadata too",
)
MOSQUITTO_AUTH_SECRET = Setting(
    name="MOSQUITTO_AUTH_SECRET",
    read=own_secret,
    default="",
    summary="Secret that an external broker sends as ?secret=… to /mosquitto-auth and /rabbitmq-auth",
    secret=True,
)
ADMIN_PASSWORD = Setting(
    name="IOTISTIC_ADMIN_PASSWORD",
    read=own_secret,
    default="",
    summary="Password of the first account; generated and shown once when empty",
    secret=True,
)
METRICS_TOKEN = Setting(
    name="METRICS_TOKEN",
    read=own_secret,
    default="",
    summary="Bearer token that GET /metrics asks for; empty: only callers on this machine are served",
    secret=True,
)
TRACE_HOOKS = Setting(
    name="IOTISTIC_TRACE_HOOKS", read=boolean, default=False, summary="Print each question that plugins are asked"
)

OURS: tuple[AnySetting, ...] = (
    PORT,
    HOST,
    LOG_LEVEL,
    LOG_FORMAT,
    TRUSTED_PROXIES,
    CORS_ORIGINS,
    CLOUD_API_ENDPOINT,
    OFFLINE_AFTER,
    HEARTBEAT_INTERVAL,
    MOST_REQUESTS,
    MOST_DEVICES,
    MQTT_PORT,
    MQTT_BROKER_URL,
    PROBE_ANYWHERE,
    MOSQUITTO_AUTH_SECRET,
    ADMIN_PASSWORD,
    METRICS_TOKEN,
    TRACE_HOOKS,
)

LOGGING: tuple[AnySetting, ...] = (LOG_LEVEL, LOG_FORMAT)
