"""The driving side on one page: every feature, as entrypoints and plugins get them."""

from attrs import frozen

from core.access import Accounts, Permissions, Sessions
from core.audit import AuditLog
from core.clock import Clock
from core.device_state import DesiredStates, FirstState, PastStates, Reports
from core.devices import DeviceKeys, Devices, Liveness
from core.groups import Groups
from core.history import History, Replays
from core.ids import Ids
from core.mqtt import Broker, DeviceMessages, MqttAccounts, Revocation
from core.outbox import Outbox
from core.provisioning import Enrolments, Preregistrations, ProvisioningKeys
from core.settings import Settings
from core.tags import TagDefinitions, Tags
from core.telemetry import DroppedSummaries, Logs, Metrics, Readings, Retention, Room
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
    mqtt_accounts: MqttAccounts
    device_messages: DeviceMessages
    revocation: Revocation
    broker: Broker
