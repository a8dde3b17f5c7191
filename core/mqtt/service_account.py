"""The account by which our own processes use a broker that is not built in."""

from attrs import field, frozen

from core.digests import matches
from core.mqtt.accounts import MqttAccounts
from core.mqtt.acl import may_be_called
from core.mqtt.hearing import Hearing
from core.mqtt.model import Access


@frozen(kw_only=True)
class ServiceAccount:
    """A name and the digest of its password, from the settings: in no table, so that nobody can take it away."""

    username: str
    digest: str = field(repr=False)


class BrokerQuestions:
    """Answers whatever a broker asks: about our own account from the settings, about all others from the database.

    Our account may use any client id: coming with that of a device is how its session is cut.
    """

    def __init__(self, accounts: MqttAccounts, hearing: Hearing, own: ServiceAccount | None = None) -> None:
        self._accounts = accounts
        self._hearing = hearing
        self._own = own

    async def authenticate(self, *, username: str, password: str, client_id: str) -> bool:
        """Is this the user? See `MqttAccounts.authenticate`."""
        if self._is_own(username):
            return self._own is not None and matches(password, self._own.digest)
        right = await self._accounts.authenticate(username=username, password=password, client_id=client_id)
        if not right or self._hearing.is_sent_away(username):
            return False
        self._accounts.seen(username)
        self._hearing.connected(username)
        return True

    async def is_superuser(self, username: str) -> bool:
        """May the user do everything?"""
        return self._is_own(username) or await self._accounts.is_superuser(username)

    async def permits(self, *, username: str, client_id: str, topic: str, access: int) -> bool:
        """May the client do this one thing? See `MqttAccounts.permits`."""
        if self._is_own(username):
            return access in {Access.READ, Access.WRITE, Access.SUBSCRIBE}
        may = await self._accounts.permits(username=username, client_id=client_id, topic=topic, access=access)
        if may:
            self._hearing.subscribed(username, topic, access)
        return may

    async def is_active(self, username: str) -> bool:
        """May the user do anything at all?"""
        return self._is_own(username) or await self._accounts.is_active(username)

    def may_be_called(self, username: str, client_id: str) -> bool:
        """May the user take this client id?"""
        return self._is_own(username) or may_be_called(username, client_id)

    def _is_own(self, username: str) -> bool:
        return self._own is not None and username == self._own.username
