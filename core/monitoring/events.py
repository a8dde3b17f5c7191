"""Facts about the monitor."""

from typing import ClassVar

from attrs import frozen

from core.events import Event


@frozen(kw_only=True)
class MonitorStarted(Event):
    """Somebody has the topics of the broker watched."""

    NAME: ClassVar[str] = "mqtt.monitor_started"


@frozen(kw_only=True)
class MonitorStopped(Event):
    """Somebody does not have them watched any more."""

    NAME: ClassVar[str] = "mqtt.monitor_stopped"
