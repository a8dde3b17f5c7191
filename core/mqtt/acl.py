"""Who may publish, subscribe to and read what (wire contract §3.5 and §10.3)."""

import re
from collections.abc import Iterable

from attrs import field, frozen

from core.errors import Invalid
from core.ids import DeviceUuid, device_uuid
from core.mqtt.model import ASKABLE, Access
from core.mqtt.topics import covers, device_topic, matches, v2_topic, without_share

DEVICE_PREFIX = "device_"

_PLACEHOLDER = re.compile("%[uc]")
# Surrogates are no UTF-8 (MQTT 3.1.1 §1.5.3); neither brokers nor databases can take them.
_FORBIDDEN_IN_NAMES = re.compile(r"[+#/\x00\ud800-\udfff]")


@frozen(kw_only=True)
class Rule:
    """Grants access to the topics of a filter, or denies it; of the rules that apply the highest priority decides.

    `%u` and `%c` in the filter stand for the username and the client id. READ brings SUBSCRIBE with it: accounts made
    in the console carry READ and WRITE only, and could not subscribe otherwise.
    """

    topic: str
    access: Access = field(converter=Access)
    deny: bool = False
    priority: int = 0

    def applies(self, topic: str, access: Access, *, username: str = "", client_id: str = "") -> bool:
        """Does this rule speak about the access? A subscription must lie within the rule's filter as a whole."""
        spoken_of = self.access | Access.SUBSCRIBE if self.access & Access.READ else self.access
        if (spoken_of & access) != access:
            return False
        names = {"%u": username, "%c": client_id}
        # In one pass, so that a username of "%c" is not expanded again.
        expanded = _PLACEHOLDER.sub(lambda found: names[found[0]], self.topic)
        return covers(expanded, topic) if access is Access.SUBSCRIBE else matches(expanded, topic)


def permits(rules: Iterable[Rule], topic: str, access: int, *, username: str = "", client_id: str = "") -> bool:
    """May the client do this? What no rule grants is denied; of rules with the same priority a denial wins."""
    if access not in ASKABLE or not (is_plain(username) and is_plain(client_id)):
        return False
    asked = Access(access)
    if asked is Access.SUBSCRIBE and not without_share(topic):
        return False
    applying = [rule for rule in rules if rule.applies(topic, asked, username=username, client_id=client_id)]
    if not applying:
        return False
    return not max(applying, key=lambda rule: (rule.priority, rule.deny)).deny


def is_plain(name: str) -> bool:
    """May the name stand in a topic filter in place of %u or %c without changing what the filter means?

    CVE-2017-7650: a client that calls itself `#` would read everything.
    """
    return not _FORBIDDEN_IN_NAMES.search(name) and not name.startswith("$")


def device_username(uuid: DeviceUuid) -> str:
    """The username of a device, which is its client id too."""
    return DEVICE_PREFIX + uuid


def device_of(username: str) -> DeviceUuid | None:
    """Whose username it is; None if it is not a device's."""
    uuid = username.removeprefix(DEVICE_PREFIX)
    try:
        known = device_uuid(uuid)
    except Invalid:
        return None
    return known if username == device_username(known) else None


def may_be_called(username: str, client_id: str) -> bool:
    """May this user take this client id? Names of devices are the devices' own, or others could take their sessions."""
    if username.startswith(DEVICE_PREFIX) or client_id.startswith(DEVICE_PREFIX):
        return username == client_id
    return True


def device_rules(uuid: DeviceUuid, *, wide: bool = False, v2: bool = False) -> tuple[Rule, ...]:
    """What a device may do without any row in a table: report, and hear its commands; never command itself.

    `wide` grants the whole branch instead, for agents that use more topics than those of the contract. `v2` grants
    the topics of provisioning v2 as well; commands never come there, so a device may write to them.
    """
    if v2:
        return (*device_rules(uuid, wide=wide), *_v2_rules(uuid))
    if wide:
        return (Rule(topic=device_topic(uuid, "#"), access=Access.READ | Access.WRITE | Access.SUBSCRIBE),)
    reports = (("state",), ("sensor", "+"), ("jobs", "+", "update"), ("agent", "status"))
    commands = (("jobs", "notify-next"), ("agent", "update"))
    return (
        *(Rule(topic=device_topic(uuid, *levels), access=Access.WRITE) for levels in reports),
        *(Rule(topic=device_topic(uuid, *levels), access=Access.READ | Access.SUBSCRIBE) for levels in commands),
    )


def _v2_rules(uuid: DeviceUuid) -> tuple[Rule, ...]:
    everything = Access.READ | Access.WRITE | Access.SUBSCRIBE
    granted = {"agent": everything, "sensor": Access.WRITE, "state": everything}
    return tuple(Rule(topic=v2_topic(uuid, branch, "#"), access=access) for branch, access in granted.items())
