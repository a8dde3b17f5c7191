"""How much anybody may ask of the broker."""

from attrs import frozen

KIB = 1024
MIB = 1024 * KIB


@frozen(kw_only=True)
class Limits:
    """Bounds on what clients can make us hold. Sizes are bytes; the defaults suit a gateway with 256 MB."""

    connections: int = 5_000
    # Connections that have not authenticated yet: in all, from one address, and of them over WebSocket, where a frame
    # is buffered before we see its size.
    pending: int = 2_000
    pending_per_address: int = 500
    pending_websockets: int = 64
    connect_seconds: float = 10.0
    connect_bytes: int = 64 * KIB
    # Devices send more than 256 kB in one message after an outage.
    packet_bytes: int = MIB + 64 * KIB
    # MQTT 3.1.1 §3.1.2.10 lets a server cut an idle client whatever keep-alive it asked for: up to 18 hours, or none.
    longest_silence: float = 3600.0
    longest_name: int = 256

    subscriptions: int = 100
    # Messages of one client that are being stored, and all clients' together; beyond that sockets are not read.
    storing: int = 64
    storing_bytes: int = 2 * MIB
    storing_bytes_total: int = 32 * MIB
    # QoS 2 messages of one client that wait for their PUBREL (CVE-2023-28366).
    unreleased: int = 64

    # Messages to one client that it has not acknowledged, and those that wait for it.
    unacknowledged: int = 64
    queued: int = 1_000
    queued_bytes: int = 2 * MIB
    queued_bytes_total: int = 32 * MIB

    sessions: int = 10_000
    sessions_per_user: int = 32
    session_seconds: float = 86_400.0
    retained: int = 10_000
    retained_bytes: int = 32 * MIB
    retained_per_user: int = 1_000

    takeover_seconds: float = 5.0
    drain_seconds: float = 3.0
