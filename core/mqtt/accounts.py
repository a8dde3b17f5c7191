"""Accounts of the broker: who may connect, and what they may do there."""

from collections.abc import Mapping, Sequence
from typing import Any

from core.caches import Cache
from core.clock import Clock
from core.devices import DEVICES, Device, Liveness
from core.digests import digest_of, matches
from core.errors import NotFound
from core.ids import DeviceUuid, Ids
from core.mqtt.account import MqttAccount, PasswordKind
from core.mqtt.acl import DEVICE_PREFIX, device_of, device_username, is_plain, may_be_called, permits
from core.mqtt.endpoints import Endpoints
from core.mqtt.model import Access
from core.mqtt.passwords import PeoplesPasswords
from core.mqtt.ports import MqttAccountStore, PasswordsToHandOver
from core.mqtt.topics import commands_of
from core.mqtt.user import LONGEST_USERNAME
from core.transactions import ELSEWHERE, Signals, Transaction, Transactions

MQTT_ACCOUNTS = "mqtt_accounts"

KNOWN = 200_000
UNKNOWN = 10_000
KNOWN_FOR = 300.0
UNKNOWN_FOR = 30.0
# Questions remembered of one client, which a client that makes up topics must not be able to stretch.
MOST_DECIDED = 32
LONGEST_REMEMBERED = 256
_NOBODY = digest_of("nobody has this password")


Question = tuple[str, str, int]


class MqttAccounts:
    """Answers the broker's questions; implements `Gatekeeper` and, for new devices, `core.provisioning.Issuer`.

    Warm answers come from memory. A change of the account or of its device forgets them at once.
    """

    def __init__(
        self,
        *,
        transactions: Transactions,
        store: MqttAccountStore,
        clock: Clock,
        ids: Ids,
        signals: Signals,
        liveness: Liveness,
        passwords: PeoplesPasswords,
        endpoints: Endpoints,
        hand_over: PasswordsToHandOver,
    ) -> None:
        self._transactions = transactions
        self._store = store
        self._clock = clock
        self._ids = ids
        self._signals = signals
        self._liveness = liveness
        self._passwords = passwords
        self._endpoints = endpoints
        self._hand_over = hand_over
        self._known: Cache[str, MqttAccount] = Cache(clock, size=KNOWN, ttl=KNOWN_FOR)
        self._unknown: Cache[str, bool] = Cache(clock, size=UNKNOWN, ttl=UNKNOWN_FOR)
        self._decided: Cache[str, dict[Question, bool]] = Cache(clock, size=KNOWN, ttl=KNOWN_FOR)
        signals.on(MQTT_ACCOUNTS, self._forget)
        signals.on(DEVICES, lambda uuid: self._forget(device_username(DeviceUuid(uuid))))
        signals.on(ELSEWHERE, self._forget_all)

    async def authenticate(self, *, username: str, password: str, client_id: str) -> bool:
        """Is this the user? As slow for an unknown name as for a wrong password.

        Raises Unavailable when a password cannot be checked now; see `PeoplesPasswords.is_right`.
        """
        if not (is_username(username) and is_plain(client_id) and may_be_called(username, client_id)):
            return False
        account = await self._account(username)
        if _has_random_password(username, account):
            right = matches(password, account.digest if account else _NOBODY)
        else:
            right = await self._passwords.is_right(username, password, account.digest if account else None)
            # Checking takes so long that the account may have changed meanwhile.
            right = right and account is not None and account == await self._account(username)
        return right and account is not None and account.is_active

    async def permits(self, *, username: str, client_id: str, topic: str, access: int) -> bool:
        """May the client do this one thing? A broker asks the same few questions of a client again and again."""
        question = (client_id, topic, access)
        decided = self._decided.get(username)
        if decided is not None and question in decided:
            return decided[question]
        generation = self._decided.generation
        answer = await self._decide(username, client_id, topic, access)
        if decided is None and self._known.get(username) is not None:
            decided = {}
            self._decided.put(username, decided, since=generation)
        # A change of the account meanwhile has thrown `decided` away, so this answer is not given again.
        if decided is not None and len(decided) < MOST_DECIDED and len(topic) <= LONGEST_REMEMBERED:
            decided[question] = answer
        return answer

    async def is_superuser(self, username: str) -> bool:
        """May the user do everything?"""
        account = await self._account(username)
        return account is not None and account.is_active and account.is_superuser

    async def is_active_device(self, uuid: DeviceUuid) -> bool:
        """Is it a device of ours, in service?"""
        return await self.is_active(device_username(uuid))

    async def is_active(self, username: str) -> bool:
        """May the user do anything at all?"""
        account = await self._account(username)
        return account is not None and account.is_active

    def listens_to(self, username: str) -> Sequence[str]:
        """A device hears its commands whether it has asked for them or not."""
        uuid = device_of(username)
        return () if uuid is None else commands_of(uuid)

    def seen(self, username: str) -> None:
        """The user has given a sign of life."""
        uuid = device_of(username)
        if uuid is not None:
            self._liveness.seen(uuid)

    async def issue(self, tx: Transaction, device: Device) -> Mapping[str, Any]:
        """A fresh password for a device; the one before stops working."""
        endpoint = await self._endpoints.for_device(tx, device.uuid)
        username = device_username(device.uuid)
        password = self._ids.secret()
        account = MqttAccount(username=username, digest=digest_of(password), is_active=True, device_uuid=device.uuid)
        await self._store.put(tx, account, self._clock.now())
        await self._hand_over.keep(tx, username, password)
        tx.signal(MQTT_ACCOUNTS, username)
        return {"mqtt": endpoint.for_device(device.uuid, username, password)}

    def caches(self) -> Mapping[str, Cache[Any, Any]]:
        """What is remembered, to be counted."""
        return {"mqtt_accounts": self._known, "mqtt_unknown": self._unknown, "mqtt_decisions": self._decided}

    async def _decide(self, username: str, client_id: str, topic: str, access: int) -> bool:
        account = await self._account(username) if may_be_called(username, client_id) else None
        if account is None or not account.is_active:
            return False
        if account.is_superuser:
            return access in {Access.READ, Access.WRITE, Access.SUBSCRIBE}
        return permits(account.rules(), topic, access, username=username, client_id=client_id)

    async def _account(self, username: str) -> MqttAccount | None:
        # Strangers choose these names: what cannot be an account takes no memory and reaches no database.
        if not is_username(username):
            return None
        known = self._known.get(username)
        if known is not None or self._unknown.get(username):
            return known
        generation = self._unknown.generation
        try:
            return await self._known.get_or(username, lambda: self._load(username))
        except NotFound:
            self._unknown.put(username, True, since=generation)  # noqa: FBT003 - the cache holds a bare fact
            return None

    async def _load(self, username: str) -> MqttAccount:
        async with self._transactions.read() as tx:
            return await self._store.get(tx, username)

    def _forget_all(self, _key: str) -> None:
        for cache in (self._known, self._decided, self._unknown):
            cache.clear()

    def _forget(self, username: str) -> None:
        self._known.forget(username)
        self._decided.forget(username)
        self._unknown.forget(username)


def is_username(text: str) -> bool:
    """Could there be an account of this name?"""
    return 0 < len(text) <= LONGEST_USERNAME and is_plain(text)


def _has_random_password(username: str, account: MqttAccount | None) -> bool:
    """Such are 256 random bits: a fast check is good enough, for names of devices that there are not as well."""
    if username.startswith(DEVICE_PREFIX):
        return True
    return account is not None and account.kind is PasswordKind.DIGEST
