"""Who implements which port: a table, read like a list."""

from adapters.sql.access import SqlSessionStore, SqlUserStore
from adapters.sql.applications import SqlApplicationStore, SqlIssuedIdStore
from adapters.sql.audit import SqlAuditStore
from adapters.sql.device_overviews import SqlDeviceOverviews
from adapters.sql.device_state import SqlDesiredStateStore, SqlReportedStateStore
from adapters.sql.devices import SqlDeviceKeyStore, SqlDeviceStore, SqlLivenessStore
from adapters.sql.endpoint_changes import SqlEndpointChangeStore
from adapters.sql.enrolment_sessions import SqlUsedChallenges
from adapters.sql.events import SqlEventStore
from adapters.sql.groups import SqlGroupStore
from adapters.sql.messages_set_aside import SqlSetAside
from adapters.sql.monitoring import SqlTopicStore
from adapters.sql.mqtt import SqlMqttAccountStore, SqlMqttUserStore
from adapters.sql.mqtt_acls import SqlMqttAclStore
from adapters.sql.mqtt_assignments import SqlAssignmentStore
from adapters.sql.mqtt_hearing import SqlHearingStore
from adapters.sql.outbox import SqlOutboxStore
from adapters.sql.past_states import SqlPastStateStore
from adapters.sql.provisioning import SqlProvisioningKeyStore
from adapters.sql.settings import SqlStoredSettings
from adapters.sql.tags import SqlTagDefinitionStore, SqlTagStore
from adapters.sql.telemetry_dropped import SqlDroppedSummaryStore
from adapters.sql.telemetry_logs import SqlLogBatches, SqlLogStore
from adapters.sql.telemetry_metrics import SqlMetricStore
from adapters.sql.telemetry_readings import SqlReadingStore
from adapters.sql.traffic import SqlTrafficStore
from adapters.sql.vitals import SqlVitalsStore
from adapters.system import SecretFiles, SystemClock, SystemIds
from adapters.system.attempts import GuessLimiter, SignupAttempts
from adapters.system.envelopes import RsaEnvelopes
from core.access import LoginLimiter, PasswordHasher, TokenSigner
from core.devices import Quota
from core.locks import Locks
from core.mqtt import (
    Broker,
    BrokerProbe,
    NowhereToHandOver,
    PasswordsToHandOver,
)
from core.provisioning import (
    ServerKeys,
)
from core.telemetry import Storage
from core.transactions import Signals, Transactions
from entrypoints.wiring.injection import DeclarativeContainer, Dependency, Singleton


class Adapters(DeclarativeContainer):
    """The technologies. A plugin may override a line."""

    transactions: Dependency[Transactions] = Dependency()
    signals: Dependency[Signals] = Dependency()
    locks: Dependency[Locks] = Dependency()
    broker: Dependency[Broker] = Dependency()
    storage: Dependency[Storage] = Dependency()
    quota: Dependency[Quota] = Dependency()
    secret_files: Dependency[SecretFiles] = Dependency()
    challenge_secret: Dependency[str] = Dependency()
    server_keys: Dependency[ServerKeys] = Dependency()
    passwords: Dependency[PasswordHasher] = Dependency()
    broker_probe: Dependency[BrokerProbe] = Dependency()
    token_signer: Dependency[TokenSigner] = Dependency()
    logins: Dependency[LoginLimiter] = Dependency()

    clock = Singleton(SystemClock)
    ids = Singleton(SystemIds)
    guesses = Singleton(GuessLimiter)
    signups = Singleton(SignupAttempts)
    users = Singleton(SqlUserStore)
    user_sessions = Singleton(SqlSessionStore)
    audit_entries = Singleton(SqlAuditStore)
    outbox = Singleton(SqlOutboxStore)
    stored_settings = Singleton(SqlStoredSettings)
    devices = Singleton(SqlDeviceStore)
    device_keys = Singleton(SqlDeviceKeyStore)
    device_overviews = Singleton(SqlDeviceOverviews)
    liveness = Singleton(SqlLivenessStore)
    tags = Singleton(SqlTagStore)
    tag_definitions = Singleton(SqlTagDefinitionStore)
    groups = Singleton(SqlGroupStore)
    desired_states = Singleton(SqlDesiredStateStore)
    endpoint_changes = Singleton(SqlEndpointChangeStore)
    applications = Singleton(SqlApplicationStore)
    issued_ids = Singleton(SqlIssuedIdStore)
    reported_states = Singleton(SqlReportedStateStore)
    past_state_store = Singleton(SqlPastStateStore)
    events = Singleton(SqlEventStore)
    vitals = Singleton(SqlVitalsStore)
    metrics = Singleton(SqlMetricStore)
    logs = Singleton(SqlLogStore)
    log_batches = Singleton(SqlLogBatches)
    dropped_summaries = Singleton(SqlDroppedSummaryStore)
    messages_set_aside = Singleton(SqlSetAside)
    readings = Singleton(SqlReadingStore)
    provisioning_keys = Singleton(SqlProvisioningKeyStore)
    used_challenges = Singleton(SqlUsedChallenges)
    envelopes = Singleton(RsaEnvelopes)
    mqtt_accounts = Singleton(SqlMqttAccountStore)
    mqtt_user_store = Singleton(SqlMqttUserStore)
    mqtt_acl_store = Singleton(SqlMqttAclStore)
    mqtt_hearing = Singleton(SqlHearingStore)
    mqtt_assignments = Singleton(SqlAssignmentStore)
    mqtt_passwords_to_hand_over: Singleton[PasswordsToHandOver] = Singleton(NowhereToHandOver)
    topics = Singleton(SqlTopicStore)
    traffic_counts = Singleton(SqlTrafficStore)
