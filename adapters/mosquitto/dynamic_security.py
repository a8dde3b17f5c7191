"""The plugin dynamic-security, as it is spoken to: JSON on `$CONTROL/dynamic-security/v1`."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import count
from typing import Any, Final
from uuid import uuid4

from aiomqtt import Client, MqttError
from attrs import define, field, frozen

from adapters.mosquitto.address import BrokerAddress
from core.errors import Unavailable
from core.mqtt import Access, MqttAccount, Rule

TOPIC: Final = "$CONTROL/dynamic-security/v1"
PAGE: Final = 200
REFUSED: Final = 0x80  # MQTT 3.1.1 §3.9.3
# By this text we know which accounts are ours to look after.
OURS: Final = "managed by iotistic"
_READING = ("publishClientReceive", "subscribePattern")
_EVERYTHING = Access.READ | Access.WRITE | Access.SUBSCRIBE
_SUPERUSER = tuple(Rule(topic=topic, access=_EVERYTHING) for topic in ("#", "$SYS/#"))

Command = Mapping[str, Any]


@frozen
class Acl:
    """One line of a role."""

    acltype: str
    topic: str
    allow: bool
    priority: int

    def as_json(self) -> dict[str, Any]:
        """As the plugin takes it."""
        return {"acltype": self.acltype, "topic": self.topic, "allow": self.allow, "priority": self.priority}


@frozen(kw_only=True)
class KeptClient:
    """An account as the broker has it."""

    username: str
    disabled: bool = False
    ours: bool = False
    roles: frozenset[str] = frozenset()


def acls_of(account: MqttAccount) -> frozenset[Acl]:
    """What the account may do, in the plugin's words.

    The plugin knows nothing of `%u` and `%c`. The first we put in ourselves. A right that depends on
    `%c` is not given, and a denial that does is made for every client id.
    """
    rules = (*account.rules(), *(_SUPERUSER if account.is_superuser else ()))
    return frozenset(acl for rule in rules for acl in _acls(rule, account.username))


def _acls(rule: Rule, username: str) -> list[Acl]:
    if "%c" in rule.topic and not rule.deny:
        return []
    topic = "/".join("+" if "%c" in level else level for level in rule.topic.replace("%u", username).split("/"))
    types: list[str] = []
    if rule.access & Access.READ:
        types += _READING
    elif rule.access & Access.SUBSCRIBE:
        types.append("subscribePattern")
    if rule.access & Access.WRITE:
        types.append("publishClientSend")
    # Of two lines with the same priority a denial wins, as it does with us.
    return [Acl(kind, topic, not rule.deny, 2 * rule.priority + rule.deny) for kind in types]


@define
class Control:
    """A conversation with the plugin, one request at a time."""

    _client: Client
    _numbers: "count[int]" = field(factory=count)

    async def run(self, *commands: Command) -> list[Mapping[str, Any]]:
        """Have the commands carried out in this order; what came of each. Raises Unavailable."""
        number = f"{next(self._numbers)}"
        numbered = [{**command, "correlationData": number} for command in commands]
        try:
            await self._client.publish(TOPIC, json.dumps({"commands": numbered}), qos=1, timeout=10)
            async for message in self._client.messages:
                responses: list[Mapping[str, Any]] = json.loads(bytes(message.payload))["responses"]
                if responses and responses[0].get("correlationData") == number:
                    return responses
        except (MqttError, ValueError, KeyError) as error:
            raise _unavailable(error) from error
        raise Unavailable("the MQTT broker ended the conversation about its accounts")

    async def clients(self) -> dict[str, KeptClient]:
        """All accounts, by username."""
        rows = await self._all("listClients", "clients")
        return {row["username"]: client_from(row) for row in rows}

    async def roles(self) -> dict[str, frozenset[Acl]]:
        """All roles, by name."""
        rows = await self._all("listRoles", "roles")
        return {row["rolename"]: role_from(row) for row in rows}

    async def _all(self, command: str, name: str) -> Sequence[Mapping[str, Any]]:
        found: list[Mapping[str, Any]] = []
        while True:
            page = {"command": command, "verbose": True, "count": PAGE, "offset": len(found)}
            [response] = await self.run(page)
            rows = response["data"][name]
            found += rows
            if len(rows) < PAGE:
                return found


def client_from(row: Mapping[str, Any]) -> KeptClient:
    """An account as the plugin describes it."""
    return KeptClient(
        username=row["username"],
        disabled=bool(row.get("disabled")),
        ours=row.get("textname") == OURS,
        roles=frozenset(role["rolename"] for role in row.get("roles", ())),
    )


def role_from(row: Mapping[str, Any]) -> frozenset[Acl]:
    """The lines of a role."""
    return frozenset(Acl(each["acltype"], each["topic"], each["allow"], each["priority"]) for each in row["acls"])


@asynccontextmanager
async def control_of(address: BrokerAddress) -> AsyncIterator[Control]:
    """Speak to the plugin with our own account, which must be an admin's. Raises Unavailable."""
    try:
        async with Client(**address.arguments(f"iotistic-{uuid4().hex[:12]}"), clean_session=True) as client:
            [code] = await client.subscribe(f"{TOPIC}/response", qos=1)
            if getattr(code, "value", code) >= REFUSED:
                raise Unavailable("our account may not look after the accounts of the MQTT broker")
            yield Control(client)
    except MqttError as error:
        raise _unavailable(error) from error


def _unavailable(error: BaseException) -> Unavailable:
    return Unavailable("the MQTT broker does not say what came of its accounts", context={"reason": repr(error)})
