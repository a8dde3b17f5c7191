"""The driving side on one page: every feature, as entrypoints and plugins get them."""

from attrs import frozen

from core.access import Accounts, Permissions, Sessions
from core.applications import Applications
from core.audit import AuditLog
from core.clock import Clock
from core.device_state import (
    DesiredStates,
    DeviceApps,
    EndpointHistory,
    FirstState,
    PastStates,
    Reports,
    Sensors,
    StateHistory,
)
from core.devices import DeviceKeys, Devices, Liveness
from core.groups import Groups
from core.history import History, Replays
from core.ids import Ids
from core.monitoring import MqttMonitor, MqttStatistics, TopicArchive
from core.mqtt import (
    Broker,
    DeviceMessages,
    Endpoints,
    Hearing,
    MqttAccounts,
    MqttAcls,
    MqttBrokers,
    MqttUsers,
    Revocation,
    V2Topics,
)
from core.outbox import Outbox
from core.provisioning import Enrolments, Preregistrations, ProvisioningKeys, SealedEnrolments
from core.settings import Settings
from core.tags import TagDefinitions, Tags
from core.telemetry import DroppedSummaries, Logs, Metrics, Readings, Retention, Room
from core.traffic import Traffic
from core.transactions import Signals, Transactions


@frozen(kw_only=True, eq=False)
class Services:
    """All features. Nothing else of the application is handed to entrypoints and plugins."""

    clock: Clock
    ids: Ids
    settings: Settings
    transactions: Transactions
    signals: Signals
    outbox: Outbox
    permissions: Permissions
    accounts: Accounts
    sessions: Sessions
    audit_log: AuditLog
    devices: Devices
    device_keys: DeviceKeys
    liveness: Liveness
    tags: Tags
    tag_definitions: TagDefinitions
    groups: Groups
    desired_states: DesiredStates
    state_history: StateHistory
    device_apps: DeviceApps
    sensors: Sensors
    endpoint_history: EndpointHistory
    applications: Applications
    first_state: FirstState
    reports: Reports
    past_states: PastStates
    history: History
    replays: Replays
    metrics: Metrics
    logs: Logs
    dropped_summaries: DroppedSummaries
    readings: Readings
    retention: Retention
    room: Room
    provisioning_keys: ProvisioningKeys
    preregistrations: Preregistrations
    enrolments: Enrolments
    sealed_enrolments: SealedEnrolments
    mqtt_accounts: MqttAccounts
    v2_topics: V2Topics
    mqtt_users: MqttUsers
    mqtt_acls: MqttAcls
    mqtt_brokers: MqttBrokers
    mqtt_endpoints: Endpoints
    device_messages: DeviceMessages
    revocation: Revocation
    hearing: Hearing
    broker: Broker
    mqtt_monitor: MqttMonitor
    mqtt_statistics: MqttStatistics
    topic_archive: TopicArchive
    traffic: Traffic
