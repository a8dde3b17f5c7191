"""A device's report, and how it changes what is known of the device (contract §2.7)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from attrs import evolve, frozen

from core.device_state.documents import Cleaning
from core.device_state.model import Reported
from core.device_state.redaction import redacted
from core.ids import DeviceUuid

LARGEST_VERSION = 2**31 - 1
_LONGEST_WORD = 255

_SECTIONS = ("apps", "config", "endpoints_health", "sensor_health")
_WORDS = ("os_version", "agent_version", "local_ip")
_NUMBERS = (
    "cpu_usage",
    "memory_usage",
    "memory_total",
    "storage_usage",
    "storage_total",
    "temperature",
    "uptime",
)
_LISTS = ("top_processes", "network_interfaces")
_KINDS: Mapping[str, type | tuple[type, ...]] = {
    **dict.fromkeys(_SECTIONS, dict),
    **dict.fromkeys(_WORDS, str),
    **dict.fromkeys(_NUMBERS, (int, float)),
    **dict.fromkeys(_LISTS, list),
    "is_online": bool,
}
# How numbers of the report are called where people read them.
_SHOWN_AS = {"temperature": "cpu_temp"}


@frozen(kw_only=True)
class Report:
    """What one report says, cleaned: `fields` has only what is known and of the right type, secrets taken out.

    The lists of processes and network interfaces are there as they were sent, for telemetry to clean what it keeps.

    `late` marks one that waited in the device while it was offline: those carry no version and no time, and arrive
    after newer ones. `notes` says what was left out.
    """

    fields: Mapping[str, Any]
    version: int | None
    late: bool
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, sent: Mapping[str, Any]) -> "Report":
        """The report as the device sent it. Takes anything: an odd value is left out, the rest counts."""
        cleaning = Cleaning()
        fields: dict[str, Any] = {}
        for name, kind in _KINDS.items():
            value = sent.get(name)
            if value is None:
                continue
            # The lists are not ours to keep: whoever does cleans them, and doing it twice is half of the cost.
            cleaned = value if name in _LISTS else cleaning.of(value)
            if isinstance(cleaned, kind) and not (isinstance(cleaned, bool) and kind is not bool):
                fields[name] = _fitted(name, cleaned)
            else:
                cleaning.notes.append(name)
        version = sent.get("version")
        return cls(fields=fields, version=_version(version), late=version is None, notes=tuple(cleaning.notes))

    @property
    def system_info(self) -> dict[str, Any]:
        """What it says of the machine itself, by the names people know."""
        names = (*_WORDS, *_NUMBERS)
        return {_SHOWN_AS.get(name, name): self.fields[name] for name in names if name in self.fields}

    def merged_into(self, before: Reported | None, uuid: DeviceUuid, now: datetime) -> Reported:
        """What is known after the report: sections it has replace those known, the others stay.

        A late one fills what is not known yet and replaces nothing; apps, version and is_online it never touches.
        """
        known = before or Reported(uuid=uuid, reported_at=now)
        if self.late:
            return evolve(known, **self._gaps_of(known), system_info={**self.system_info, **known.system_info})
        told: dict[str, Any] = {name: self.fields[name] for name in (*_SECTIONS, "is_online") if name in self.fields}
        if self.version is not None:
            told["version"] = self.version
        return evolve(known, **told, system_info={**known.system_info, **self.system_info}, reported_at=now)

    def _gaps_of(self, known: Reported) -> dict[str, Any]:
        names = (name for name in _SECTIONS if name != "apps")
        return {name: self.fields[name] for name in names if name in self.fields and getattr(known, name) is None}


def _fitted(name: str, value: Any) -> Any:
    if name in ("apps", "config"):
        return redacted(value)
    return value[:_LONGEST_WORD] if isinstance(value, str) else value


def _version(value: Any) -> int | None:
    """The version as a number, clamped; None for one that makes no sense (the report is a fresh one all the same)."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        return max(0, min(LARGEST_VERSION, int(value)))
    except (ValueError, OverflowError):
        return None
