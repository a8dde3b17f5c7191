"""Topic names and topic filters (MQTT 3.1.1 §4.7), and the topics that devices use."""

from attrs import frozen

from core.errors import Invalid
from core.ids import DeviceUuid, device_uuid

LONGEST = 65_535
DEEPEST = 128
DEVICES = "iot/device"
# The topics that provisioning v2 grants beside those: `agent/<uuid>/…`, `sensor/<uuid>/…` and `state/<uuid>`.
V2_BRANCHES = ("agent", "sensor", "state")

_SHARE = "$share/"


@frozen(kw_only=True)
class DeviceTopic:
    """What `iot/device/<uuid>/<kind>/<rest>` says; `rest` is empty where the topic ends after the kind."""

    uuid: DeviceUuid
    kind: str
    rest: str = ""


def topic_name(text: str) -> str:
    """The same text if messages may be published under it. Raises Invalid."""
    _bounded(text, "topic")
    if "+" in text or "#" in text:
        raise Invalid("a topic name must not contain the wildcards + and #", field="topic")
    return text


def topic_filter(text: str) -> str:
    """The same text if one may subscribe to it, `$share/<group>/…` included. Raises Invalid."""
    _bounded(text, "filter")
    if text.startswith(_SHARE):
        parse_share(text)
    levels = without_share(text).split("/")
    for position, level in enumerate(levels):
        if "#" in level and (level != "#" or position != len(levels) - 1):
            raise Invalid("# must be the last level of a filter, and alone in it", field="filter")
        if "+" in level and level != "+":
            raise Invalid("+ must be alone in its level", field="filter")
    return text


def parse_share(text: str) -> tuple[str, str]:
    """The group and the filter of `$share/<group>/<filter>`. Raises Invalid when either is missing."""
    group, slash, shared = text.removeprefix(_SHARE).partition("/")
    if not group or not slash or not shared or "+" in group or "#" in group:
        raise Invalid("a shared filter is $share/<group>/<filter>", field="filter")
    return group, shared


def without_share(text: str) -> str:
    """The filter that a shared filter shares; any other filter as it is."""
    if not text.startswith(_SHARE):
        return text
    return text.removeprefix(_SHARE).partition("/")[2]


def matches(pattern: str, topic: str) -> bool:
    """Does the filter match the topic name? `#` matches the parent level too, and `+` an empty level.

    Topics that begin with `$` are the server's own: no wildcard in the first level matches them (§4.7.2).
    """
    if topic.startswith("$") and pattern[:1] in ("+", "#"):
        return False
    wanted, given = pattern.split("/"), topic.split("/")
    for position, level in enumerate(wanted):
        if level == "#":
            return True
        if position >= len(given) or level not in ("+", given[position]):
            return False
    return len(wanted) == len(given)


def covers(rule: str, requested: str) -> bool:
    """Is every topic that the requested filter matches also matched by the rule?

    Containment, not a match of texts: `a/+` does not cover `a/#`. A requested shared filter counts as what it shares.
    """
    asked = without_share(requested)
    if asked.startswith("$") and rule[:1] in ("+", "#"):
        return False
    wanted, given = _levels(rule), _levels(asked)
    for position, level in enumerate(wanted):
        if level == "#":
            return True
        if position >= len(given) or given[position] == "#" or level not in ("+", given[position]):
            return False
    return len(wanted) == len(given)


def device_topic(uuid: DeviceUuid, *levels: str) -> str:
    """A topic or filter below the device's own branch."""
    return "/".join((DEVICES, uuid, *levels))


def commands_of(uuid: DeviceUuid) -> tuple[str, str]:
    """The topics on which a device is told something."""
    return device_topic(uuid, "jobs", "notify-next"), device_topic(uuid, "agent", "update")


def v2_topic(uuid: DeviceUuid, branch: str, *levels: str) -> str:
    """A topic or filter below one of the branches that a device has by provisioning v2."""
    return "/".join((branch, uuid, *levels))


def device_branches(uuid: DeviceUuid) -> tuple[str, ...]:
    """The filters of all topics that can be the device's own."""
    return (device_topic(uuid, "#"), *(v2_topic(uuid, branch, "#") for branch in V2_BRANCHES))


def parse_device_topic(topic: str) -> DeviceTopic | None:
    """Whose topic it is and of which kind; None if it is no topic of a device (§3.2 of the wire contract).

    `sensor/<uuid>/modbus` means what `iot/device/<uuid>/sensor/modbus` means; so do the other branches of v2.
    """
    root, _, below = topic.partition("/")
    if root in V2_BRANCHES:
        uuid, _, rest = below.partition("/")
        # What lies below state/<uuid> is the device's to use: only the topic itself is a report.
        return _device_topic(uuid, "" if rest and root == "state" else root, rest)
    branch, _, below = below.partition("/")
    uuid, _, below = below.partition("/")
    kind, _, rest = below.partition("/")
    return _device_topic(uuid, kind, rest) if f"{root}/{branch}" == DEVICES else None


def _device_topic(uuid: str, kind: str, rest: str) -> DeviceTopic | None:
    if not kind:
        return None
    try:
        known = device_uuid(uuid)
    except Invalid:
        return None
    # Only the canonical form is a device's name: another case would be another topic to the broker.
    return DeviceTopic(uuid=known, kind=kind, rest=rest) if known == uuid else None


def _bounded(text: str, field: str) -> None:
    if not text:
        raise Invalid(f"a {field} must not be empty", field=field)
    if "\x00" in text:
        raise Invalid(f"a {field} must not contain NUL", field=field)
    try:
        size = len(text.encode())
    except UnicodeEncodeError as error:
        raise Invalid(f"a {field} must be valid UTF-8", field=field) from error
    if size > LONGEST:
        raise Invalid(f"a {field} must not be longer than {LONGEST} bytes", field=field)
    if text.count("/") >= DEEPEST:
        raise Invalid(f"a {field} must not have more than {DEEPEST} levels", field=field)


def _levels(pattern: str) -> list[str]:
    levels = pattern.split("/")
    # A topic has at least one character. So +/# and # match the same topics, and so do /# and /+/#: the parent level
    # of /# would be the topic without any.
    if levels == ["+", "#"]:
        return ["#"]
    return ["", "+", "#"] if levels == ["", "#"] else levels
