"""What our own parts answer to the hooks: the first plugin, so that a missing hook is felt by us first."""

from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path

from core import access, audit, device_state, history, provisioning
from core.actor import PermissionGrant
from core.digests import digest_of
from core.events import AnySubscription
from core.health import Ping
from core.hookspecs import hookimpl
from core.migrations import OURS, MigrationFolder
from core.mqtt import BrokerQuestions, ServiceAccount
from core.periodic import PeriodicTask
from core.provisioning import Issuer
from core.services import Services
from core.settings import AnySetting
from entrypoints.http.access import access_routes
from entrypoints.http.applications import application_routes
from entrypoints.http.apps import app_routes
from entrypoints.http.audit import audit_routes
from entrypoints.http.device_state import device_state_routes
from entrypoints.http.devices import device_routes
from entrypoints.http.events import event_routes
from entrypoints.http.groups import group_routes
from entrypoints.http.jobs import job_routes
from entrypoints.http.logs import log_routes
from entrypoints.http.metrics import metric_routes
from entrypoints.http.mosquitto_auth import mosquitto_auth_routes
from entrypoints.http.mqtt_accounts import mqtt_account_routes
from entrypoints.http.mqtt_brokers import mqtt_broker_routes
from entrypoints.http.mqtt_hearing import mqtt_hearing_routes
from entrypoints.http.mqtt_metrics import mqtt_metric_routes
from entrypoints.http.mqtt_monitor import mqtt_monitor_routes
from entrypoints.http.outbox import outbox_routes
from entrypoints.http.preregistration import preregistration_routes
from entrypoints.http.provisioning import provisioning_routes
from entrypoints.http.provisioning_v2 import provisioning_v2_routes
from entrypoints.http.rabbitmq_auth import rabbitmq_auth_routes
from entrypoints.http.readings import reading_routes
from entrypoints.http.routing import Route
from entrypoints.http.sensors import sensor_routes
from entrypoints.http.state_history import state_history_routes
from entrypoints.http.tags import tag_routes
from entrypoints.http.traffic import traffic_routes
from entrypoints.http.users import user_routes
from entrypoints.wiring import settings as declared
from entrypoints.wiring.cluster import CLUSTER_SETTINGS, MQTT_PASSWORD, MQTT_USERNAME
from entrypoints.wiring.monitoring import MONITORING_SETTINGS, monitoring_subscriptions, monitoring_tasks
from entrypoints.wiring.reconcilers import periodic_tasks
from entrypoints.wiring.room import ROOM_SETTINGS, room_tasks
from entrypoints.wiring.telemetry import RETENTION_SETTINGS, telemetry_subscriptions, telemetry_tasks


@hookimpl
def permissions() -> Iterable[PermissionGrant]:
    """The twenty permissions of contract §6.3."""
    return access.GRANTS


@hookimpl
def settings() -> Iterable[AnySetting]:
    """Every setting of our own parts."""
    return [
        *declared.OURS,
        *CLUSTER_SETTINGS,
        *access.SETTINGS,
        *audit.SETTINGS,
        *device_state.SETTINGS,
        *history.SETTINGS,
        *provisioning.SETTINGS,
        *RETENTION_SETTINGS,
        *MONITORING_SETTINGS,
        *ROOM_SETTINGS,
    ]


@hookimpl
def migrations() -> Iterable[MigrationFolder]:
    """Our tables."""
    return [MigrationFolder(OURS, Path(str(files("migrations"))))]


@hookimpl
def subscribe(services: Services) -> Iterable[AnySubscription]:
    """What our features do about each other's events."""
    return [
        *services.audit_log.subscriptions(),
        *services.history.subscriptions(),
        *services.preregistrations.subscriptions(),
        *services.revocation.subscriptions(),
        *telemetry_subscriptions(services),
        *monitoring_subscriptions(services),
    ]


@hookimpl
def periodic(services: Services) -> Iterable[PeriodicTask]:
    """What our features do again and again."""
    return [*periodic_tasks(services), *telemetry_tasks(services), *monitoring_tasks(services), *room_tasks(services)]


@hookimpl
def issuers(services: Services) -> Iterable[Issuer]:
    """What a new device gets: its first desired state and access to the broker."""
    return [services.first_state, services.mqtt_accounts]


@hookimpl
def pings(services: Services) -> Iterable[Ping]:
    """What must work: the database and the broker."""

    async def database() -> None:
        await services.outbox.backlog()
        # One that can be read but not written to, a standby or one that another process keeps locked, acknowledges
        # nothing. This asks for a change and, nearly always, makes none.
        await services.sessions.prune()

    return [Ping("database", database), Ping("broker", services.broker.ping)]


def broker_questions(services: Services) -> BrokerQuestions:
    """Who answers a broker; our own account is there once it has a password."""
    name, password = services.settings[MQTT_USERNAME], services.settings[MQTT_PASSWORD]
    own = ServiceAccount(username=name, digest=digest_of(password)) if password else None
    return BrokerQuestions(services.mqtt_accounts, services.hearing, own)


@hookimpl
def routes(services: Services) -> Iterable[Route]:
    """Our part of the HTTP API."""
    questions, secret = broker_questions(services), services.settings[declared.MOSQUITTO_AUTH_SECRET]
    return [
        # First, because the router tries paths that begin alike in this order, and polls come most often.
        *device_state_routes(services),
        *access_routes(services, https=services.settings[declared.CLOUD_API_ENDPOINT].startswith("https://")),
        *user_routes(services),
        *audit_routes(services),
        *provisioning_routes(services),
        *provisioning_v2_routes(services),
        *device_routes(services),
        *preregistration_routes(services),
        *tag_routes(services),
        *group_routes(services),
        *state_history_routes(services),
        *app_routes(services),
        *application_routes(services),
        *sensor_routes(services),
        *job_routes(),
        *metric_routes(services),
        *log_routes(services),
        *reading_routes(services),
        *event_routes(services),
        *outbox_routes(services),
        *mqtt_metric_routes(services),
        *mqtt_monitor_routes(services),
        *traffic_routes(services),
        *mqtt_account_routes(services),
        *mqtt_broker_routes(services),
        *mqtt_hearing_routes(services),
        *mosquitto_auth_routes(questions, secret),
        *rabbitmq_auth_routes(questions, secret),
    ]
