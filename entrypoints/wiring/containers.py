"""What each feature is made of: a table, read like a list."""

from datetime import timedelta

from core.access import Accounts, Permissions, Sessions
from core.applications import Applications
from core.audit import AuditLog
from core.device_state import (
    DesiredStates,
    DeviceApps,
    Drafts,
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
from core.monitoring import MqttMonitor, MqttStatistics, TopicArchive, TopicBook
from core.mqtt import (
    DeviceMessages,
    Endpoints,
    Hearing,
    MqttAccounts,
    MqttAcls,
    MqttBrokers,
    MqttUsers,
    PeoplesPasswords,
    Revocation,
    V2Topics,
)
from core.outbox import Outbox
from core.provisioning import (
    Challenges,
    Enrolments,
    Preregistrations,
    ProvisioningKeys,
    SealedEnrolments,
)
from core.settings import Settings
from core.tags import TagDefinitions, Tags
from core.telemetry import DroppedSummaries, Logs, Metrics, Readings, Retention, Room
from core.traffic import Traffic
from entrypoints.wiring.injection import Callable, DeclarativeContainer, DependenciesContainer, Dependency, Singleton
from entrypoints.wiring.monitoring import monitors, traffic_kept
from entrypoints.wiring.room import audit_limit, event_limit, reserve_of
from entrypoints.wiring.telemetry import kept_for


class Features(DeclarativeContainer):
    """The use cases."""

    adapters = DependenciesContainer()
    settings: Dependency[Settings] = Dependency()
    offline_after: Dependency[timedelta] = Dependency()
    one_of_many: Dependency[bool] = Dependency()

    outbox = Singleton(
        Outbox, transactions=adapters.transactions, store=adapters.outbox, clock=adapters.clock, locks=adapters.locks
    )
    permissions = Singleton(Permissions)
    accounts = Singleton(
        Accounts,
        transactions=adapters.transactions,
        users=adapters.users,
        sessions=adapters.user_sessions,
        hasher=adapters.passwords,
        limiter=adapters.logins,
        signups=adapters.signups,
        settings=settings,
        clock=adapters.clock,
        ids=adapters.ids,
    )
    sessions = Singleton(
        Sessions,
        transactions=adapters.transactions,
        users=adapters.users,
        store=adapters.user_sessions,
        hasher=adapters.passwords,
        signer=adapters.token_signer,
        limiter=adapters.logins,
        permissions=permissions,
        settings=settings,
        clock=adapters.clock,
        ids=adapters.ids,
        signals=adapters.signals,
    )
    audit_log = Singleton(
        AuditLog,
        transactions=adapters.transactions,
        store=adapters.audit_entries,
        settings=settings,
        clock=adapters.clock,
        most_bytes=Singleton(audit_limit, settings),
    )
    liveness = Singleton(
        Liveness,
        transactions=adapters.transactions,
        store=adapters.liveness,
        clock=adapters.clock,
        signals=adapters.signals,
        offline_after=offline_after,
        one_of_many=one_of_many,
    )
    device_keys = Singleton(
        DeviceKeys,
        transactions=adapters.transactions,
        store=adapters.device_keys,
        clock=adapters.clock,
        signals=adapters.signals,
    )
    devices = Singleton(
        Devices,
        transactions=adapters.transactions,
        store=adapters.devices,
        overviews=adapters.device_overviews,
        quota=adapters.quota,
        liveness=liveness,
        clock=adapters.clock,
    )
    tags = Singleton(
        Tags,
        transactions=adapters.transactions,
        store=adapters.tags,
        definitions=adapters.tag_definitions,
        devices=devices,
        clock=adapters.clock,
    )
    tag_definitions = Singleton(
        TagDefinitions,
        transactions=adapters.transactions,
        store=adapters.tag_definitions,
        tags=adapters.tags,
        clock=adapters.clock,
    )
    groups = Singleton(
        Groups,
        transactions=adapters.transactions,
        store=adapters.groups,
        overviews=adapters.device_overviews,
        clock=adapters.clock,
    )
    drafts = Singleton(
        Drafts,
        transactions=adapters.transactions,
        store=adapters.desired_states,
        settings=settings,
        clock=adapters.clock,
        ids=adapters.ids,
    )
    desired_states = Singleton(
        DesiredStates,
        transactions=adapters.transactions,
        store=adapters.desired_states,
        drafts=drafts,
        clock=adapters.clock,
        signals=adapters.signals,
    )
    first_state = Singleton(
        FirstState,
        store=adapters.desired_states,
        settings=adapters.stored_settings,
        clock=adapters.clock,
        ids=adapters.ids,
    )
    state_history = Singleton(
        StateHistory,
        transactions=adapters.transactions,
        store=adapters.desired_states,
        drafts=drafts,
        ids=adapters.ids,
    )
    sensors = Singleton(Sensors, transactions=adapters.transactions, drafts=drafts, reported=adapters.reported_states)
    endpoint_history = Singleton(
        EndpointHistory,
        transactions=adapters.transactions,
        store=adapters.endpoint_changes,
        desired=adapters.desired_states,
        settings=settings,
        clock=adapters.clock,
    )
    applications = Singleton(
        Applications,
        transactions=adapters.transactions,
        store=adapters.applications,
        numbers=adapters.issued_ids,
        desired=desired_states,
        clock=adapters.clock,
    )
    device_apps = Singleton(
        DeviceApps,
        transactions=adapters.transactions,
        store=adapters.desired_states,
        drafts=drafts,
        names=applications,
        ids=adapters.ids,
    )
    room = Singleton(
        Room,
        storage=adapters.storage,
        signals=adapters.signals,
        reserve=Singleton(reserve_of, settings),
    )
    metrics = Singleton(
        Metrics,
        transactions=adapters.transactions,
        store=adapters.metrics,
        latest=adapters.vitals,
        devices=devices,
        room=room,
        clock=adapters.clock,
    )
    logs = Singleton(
        Logs,
        transactions=adapters.transactions,
        store=adapters.logs,
        devices=devices,
        room=room,
        clock=adapters.clock,
    )
    dropped_summaries = Singleton(
        DroppedSummaries,
        transactions=adapters.transactions,
        store=adapters.dropped_summaries,
        devices=devices,
        room=room,
        clock=adapters.clock,
    )
    readings = Singleton(
        Readings,
        transactions=adapters.transactions,
        store=adapters.readings,
        devices=devices,
        room=room,
        clock=adapters.clock,
    )
    kept = Singleton(
        kept_for,
        settings=settings,
        metrics=adapters.metrics,
        logs=adapters.logs,
        log_batches=adapters.log_batches,
        dropped=adapters.dropped_summaries,
        set_aside=adapters.messages_set_aside,
        readings=adapters.readings,
    )
    retention = Singleton(Retention, transactions=adapters.transactions, kept=kept, clock=adapters.clock)
    reports = Singleton(
        Reports,
        transactions=adapters.transactions,
        store=adapters.reported_states,
        past=adapters.past_state_store,
        endpoints=endpoint_history,
        vitals=metrics,
        clock=adapters.clock,
    )
    past_states = Singleton(PastStates, transactions=adapters.transactions, store=adapters.past_state_store)
    history = Singleton(
        History,
        transactions=adapters.transactions,
        store=adapters.events,
        devices=devices,
        settings=settings,
        clock=adapters.clock,
        most_bytes=Singleton(event_limit, settings),
    )
    replays = Singleton(
        Replays,
        transactions=adapters.transactions,
        store=adapters.events,
        devices=devices,
        past_states=past_states,
    )
    provisioning_keys = Singleton(
        ProvisioningKeys,
        transactions=adapters.transactions,
        store=adapters.provisioning_keys,
        clock=adapters.clock,
        ids=adapters.ids,
    )
    preregistrations = Singleton(
        Preregistrations,
        transactions=adapters.transactions,
        keys=provisioning_keys,
        key_store=adapters.provisioning_keys,
        devices=adapters.devices,
        registry=devices,
        device_keys=device_keys,
        first_state=first_state,
        clock=adapters.clock,
        ids=adapters.ids,
    )
    enrolments = Singleton(
        Enrolments,
        transactions=adapters.transactions,
        keys=adapters.provisioning_keys,
        devices=adapters.devices,
        registry=devices,
        device_keys=device_keys,
        preregistrations=preregistrations,
        challenges=adapters.used_challenges,
        limiter=adapters.guesses,
        clock=adapters.clock,
    )
    challenges = Singleton(Challenges, secret=adapters.challenge_secret, clock=adapters.clock, ids=adapters.ids)
    sealed_enrolments = Singleton(
        SealedEnrolments,
        enrolments=enrolments,
        server_keys=adapters.server_keys,
        envelopes=adapters.envelopes,
        challenges=challenges,
        settings=settings,
        ids=adapters.ids,
    )
    v2_topics = Singleton(V2Topics, store=adapters.mqtt_accounts, clock=adapters.clock)
    mqtt_endpoints = Singleton(Endpoints, settings=adapters.stored_settings, assignments=adapters.mqtt_assignments)
    mqtt_passwords = Singleton(PeoplesPasswords, hasher=adapters.passwords, clock=adapters.clock, ids=adapters.ids)
    mqtt_users = Singleton(
        MqttUsers,
        transactions=adapters.transactions,
        store=adapters.mqtt_user_store,
        acls=adapters.mqtt_acl_store,
        hasher=adapters.passwords,
        hand_over=adapters.mqtt_passwords_to_hand_over,
        clock=adapters.clock,
    )
    mqtt_acls = Singleton(
        MqttAcls,
        transactions=adapters.transactions,
        users=adapters.mqtt_user_store,
        store=adapters.mqtt_acl_store,
        clock=adapters.clock,
    )
    mqtt_brokers = Singleton(
        MqttBrokers,
        transactions=adapters.transactions,
        settings=adapters.stored_settings,
        assignments=adapters.mqtt_assignments,
        devices=adapters.devices,
        endpoints=mqtt_endpoints,
        probe=adapters.broker_probe,
        clock=adapters.clock,
    )
    mqtt_accounts = Singleton(
        MqttAccounts,
        transactions=adapters.transactions,
        store=adapters.mqtt_accounts,
        clock=adapters.clock,
        ids=adapters.ids,
        signals=adapters.signals,
        liveness=liveness,
        passwords=mqtt_passwords,
        endpoints=mqtt_endpoints,
        hand_over=adapters.mqtt_passwords_to_hand_over,
    )
    device_messages = Singleton(
        DeviceMessages,
        accounts=mqtt_accounts,
        transactions=adapters.transactions,
        set_aside=adapters.messages_set_aside,
        clock=adapters.clock,
    )
    hearing = Singleton(
        Hearing,
        transactions=adapters.transactions,
        store=adapters.mqtt_hearing,
        devices=adapters.devices,
        broker=adapters.broker,
        clock=adapters.clock,
        signals=adapters.signals,
    )
    revocation = Singleton(Revocation, broker=adapters.broker, signals=adapters.signals)
    topic_book = Singleton(TopicBook)
    mqtt_monitor = Singleton(
        MqttMonitor,
        transactions=adapters.transactions,
        book=topic_book,
        clock=adapters.clock,
        enabled=Callable(monitors, settings),
    )
    mqtt_statistics = Singleton(MqttStatistics, broker=adapters.broker, clock=adapters.clock)
    topic_archive = Singleton(
        TopicArchive,
        transactions=adapters.transactions,
        store=adapters.topics,
        book=topic_book,
        clock=adapters.clock,
        kept=Callable(traffic_kept, settings),
    )
    traffic = Singleton(
        Traffic,
        transactions=adapters.transactions,
        store=adapters.traffic_counts,
        devices=devices,
        clock=adapters.clock,
        kept=Callable(traffic_kept, settings),
    )
