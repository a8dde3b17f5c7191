"""The settings of several processes that work together."""

from core.settings import AnySetting, Setting, boolean, integer, text
from entrypoints.wiring.settings import own_secret

SHORTEST_SECRET = 32


def _key(value: str) -> str:
    secret = own_secret(value)
    if 0 < len(secret) < SHORTEST_SECRET:
        raise ValueError(f"is shorter than {SHORTEST_SECRET} characters: make it with `openssl rand -hex 32`")
    return secret


DATABASE_URL = Setting(
    name="DATABASE_URL",
    read=text,
    default="",
    summary="The database of `serve`, `listen` and `work`, such as postgresql://iotistic:…@db/iotistic",
    secret=True,
)
SECRET_KEY = Setting(
    name="IOTISTIC_SECRET_KEY",
    read=_key,
    default="",
    summary="Seals what several processes keep secret in the database; empty: JWT_SECRET does",
    secret=True,
)
DB_POOL_MAX = Setting(
    name="DB_POOL_MAX",
    read=integer(2, 500),
    default=10,
    summary="How many connections a process keeps to PostgreSQL, beside a handful for its own purposes",
)
MIGRATE_AT_START = Setting(
    name="MIGRATE_AT_START",
    read=boolean,
    default=True,
    summary="Whether a process that starts brings the tables up to date; else `iotistic migrate run` does",
)
MQTT_URL = Setting(
    name="MQTT_URL",
    read=text,
    default="",
    summary="Where our own processes reach the broker, such as mqtt://mosquitto:1883; empty: MQTT_BROKER_URL",
)
MQTT_USERNAME = Setting(
    name="MQTT_USERNAME", read=text, default="iotistic", summary="The account of our own processes at the broker"
)
MQTT_PASSWORD = Setting(
    name="MQTT_PASSWORD",
    read=own_secret,
    default="",
    summary="The password of our own processes at the broker",
    secret=True,
)
MQTT_CA_CERT = Setting(
    name="MQTT_CA_CERT",
    read=text,
    default="",
    summary="File with the certificates by which the broker is believed, for mqtts://; empty: those of the machine",
)
MQTT_SHARE_READINGS = Setting(
    name="MQTT_SHARE_READINGS",
    read=boolean,
    default=False,
    summary="Whether listeners share readings by $share subscriptions; not with Mosquitto 2.0, which forgets those",
)
MQTT_ACCOUNTS_AT_BROKER = Setting(
    name="MQTT_ACCOUNTS_AT_BROKER",
    read=boolean,
    default=False,
    summary="Whether the broker keeps accounts of its own (dynamic-security), which `work` looks after",
)
REDIS_URL = Setting(
    name="REDIS_URL",
    read=text,
    default="",
    summary="Redis, such as redis://redis:6379/0, where guesses are counted and, without QUEUE_URL, the queue is",
    secret=True,
)
QUEUE_URL = Setting(
    name="QUEUE_URL",
    read=text,
    default="",
    summary="The queue of `work`: redis://… or amqp://… (RabbitMQ); empty: REDIS_URL",
    secret=True,
)
METRICS_PORT = Setting(
    name="METRICS_PORT",
    read=integer(0, 65000),
    default=0,
    summary="Port for /health, /ready and /metrics of one process; with N workers that many from it on; 0: none",
)

CLUSTER_SETTINGS: tuple[AnySetting, ...] = (
    DATABASE_URL,
    SECRET_KEY,
    DB_POOL_MAX,
    MIGRATE_AT_START,
    MQTT_URL,
    MQTT_USERNAME,
    MQTT_PASSWORD,
    MQTT_CA_CERT,
    MQTT_SHARE_READINGS,
    MQTT_ACCOUNTS_AT_BROKER,
    REDIS_URL,
    QUEUE_URL,
    METRICS_PORT,
)
