"""Accounts of a broker with dynamic-security, made to agree with ours."""

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager

from attrs import define, field, frozen

from adapters.mosquitto.dynamic_security import OURS, Acl, Command, Control, KeptClient, acls_of
from core.errors import NotFound
from core.mqtt import MqttAccount, MqttAccountStore, MqttUserStore, PasswordsToHandOver
from core.transactions import Transaction, Transactions

log = logging.getLogger(__name__)

PAGE = 200
Conversation = Callable[[], AbstractAsyncContextManager[Control]]


@frozen(kw_only=True)
class Difference:
    """An account, what the broker has of it, and a password that the broker does not have yet."""

    account: MqttAccount
    client: KeptClient | None = None
    role: frozenset[Acl] | None = None
    password: str | None = field(default=None, repr=False)

    @property
    def is_homeless(self) -> bool:
        """The broker lost the account, and we do not know its password any more: only a digest of it."""
        return self.client is None and self.password is None

    def commands(self) -> list[Command]:
        """What makes the broker agree; nothing when it does.

        What is taken away is taken before anything is given, and who loses a right is cut: subscriptions
        outlive rights.
        """
        if self.is_homeless:
            return []
        cut = self.client is not None and self._takes_away()
        commands = [self._switched(on=False)] if cut or (self.client and not self.account.is_active) else []
        if self.client is not None and self.client.disabled:
            commands = []
        return [*commands, *self._rights(), *self._credentials(), *self._switched_on(was_cut=cut)]

    def _takes_away(self) -> bool:
        wanted = acls_of(self.account)
        return any(acl.allow and acl not in wanted for acl in self.role or ()) or any(
            not acl.allow and acl not in (self.role or ()) for acl in wanted
        )

    def _rights(self) -> list[Command]:
        wanted = acls_of(self.account)
        if self.role == wanted:
            return []
        name = "createRole" if self.role is None else "modifyRole"
        return [{"command": name, "rolename": self.account.username, "acls": [acl.as_json() for acl in wanted]}]

    def _credentials(self) -> list[Command]:
        if self.password is None:
            return self._role()
        told = {"username": self.account.username, "password": self.password}
        if self.client is not None:
            return [{"command": "setClientPassword", **told}, *self._role()]
        # A device's client id is its username: nobody who has its password can come beside it.
        bound = {"clientid": self.account.username} if self.account.device_uuid else {}
        roles = [{"rolename": self.account.username, "priority": -1}]
        made: Command = {"command": "createClient", **told, **bound, "textname": OURS, "roles": roles}
        return [made] if self.account.is_active else [made, self._switched(on=False)]

    def _role(self) -> list[Command]:
        name = self.account.username
        if self.client is None or name in self.client.roles:
            return []
        return [{"command": "addClientRole", "username": name, "rolename": name, "priority": -1}]

    def _switched_on(self, *, was_cut: bool) -> list[Command]:
        off = self.client is not None and (was_cut or self.client.disabled)
        return [self._switched(on=True)] if off and self.account.is_active else []

    def _switched(self, *, on: bool) -> Command:
        return {"command": "enableClient" if on else "disableClient", "username": self.account.username}


@define
class DynamicAccounts:
    """Takes no input: compares what the database says with what the broker has, and repairs the difference.

    The broker cuts the sessions of an account that is disabled, deleted or given another password.
    """

    _conversation: Conversation
    _transactions: Transactions
    _accounts: MqttAccountStore
    _users: MqttUserStore
    _hand_over: PasswordsToHandOver
    _homeless: frozenset[str] = frozenset()

    async def reconcile(self) -> int:
        """Repair; how many accounts differed. Raises Unavailable."""
        differed, known, homeless = 0, set[str](), set[str]()
        async with self._conversation() as control:
            clients, roles = await control.clients(), await control.roles()
            async for account, password in self._all():
                name = account.username
                known.add(name)
                found = Difference(account=account, client=clients.get(name), role=roles.get(name), password=password)
                differed += await self._repair(control, found)
                homeless |= {name} if found.is_homeless else set()
            for name, client in clients.items():
                if client.ours and name not in known:
                    differed += await self._remove(control, name)
        self._mention(frozenset(homeless))
        return differed

    async def _all(self) -> AsyncIterator[tuple[MqttAccount, str | None]]:
        """All accounts, with the passwords that wait to be handed over."""
        offset = 0
        while True:
            async with self._transactions.read() as tx:
                page = await self._users.page(tx, limit=PAGE, offset=offset)
                accounts = [await self._account(tx, user.username) for user in page.items]
                passwords = await self._hand_over.waiting(tx, [user.username for user in page.items])
            for account in accounts:
                if account is not None:
                    yield account, passwords.get(account.username)
            offset += PAGE
            if len(page.items) < PAGE:
                return

    async def _account(self, tx: Transaction, username: str) -> MqttAccount | None:
        try:
            return await self._accounts.get(tx, username)
        except NotFound:
            return None

    async def _repair(self, control: Control, found: Difference) -> bool:
        commands = found.commands()
        if not commands:
            return False
        if not await _went_through(control, commands):
            return True
        if found.password is not None:
            async with self._transactions.begin() as tx:
                await self._hand_over.handed_over(tx, found.account.username, found.password)
        return True

    async def _remove(self, control: Control, username: str) -> bool:
        """Forget the account, if it is really gone: pages may have moved while we turned them."""
        async with self._transactions.read() as tx:
            if await self._account(tx, username) is not None:
                return False
        gone: list[Command] = [
            {"command": "deleteClient", "username": username},
            {"command": "deleteRole", "rolename": username},
        ]
        await _went_through(control, gone)
        return True

    def _mention(self, homeless: frozenset[str]) -> None:
        if homeless - self._homeless:
            log.warning(
                "%d accounts are unknown to the broker, and only a new password can bring them there:"
                " devices have to register again, people have to be given one; among them %s",
                len(homeless),
                ", ".join(sorted(homeless)[:5]),
            )
        self._homeless = homeless


async def _went_through(control: Control, commands: list[Command]) -> bool:
    """Whether all of it was done. What was not is tried again with the next comparison."""
    failed = [answer for answer in await control.run(*commands) if "error" in answer]
    for answer in failed:
        log.warning("the broker refused %s: %s", answer.get("command"), answer["error"])
    return not failed
