"""Accounts: what people may do with their own and with each other's."""

from collections.abc import Sequence

from core.access.events import PasswordChanged, UserChanged, UserCreated, UserDeleted
from core.access.model import NewUser, User, UserChange, differences, outranked, password_of
from core.access.permissions import USER_DELETE, USER_READ, USER_WRITE
from core.access.ports import LoginLimiter, PasswordHasher, SessionStore, SignupLimiter, UserStore
from core.access.sessions import end_sessions
from core.access.settings import ALLOW_SIGNUP
from core.actor import SYSTEM, Actor, Role
from core.checks import require
from core.clock import Clock
from core.errors import Conflict, Forbidden, Invalid, NotFound, Unauthenticated
from core.ids import Ids, UserId
from core.settings import Settings
from core.transactions import Transaction, Transactions

NO_OWNER = "there must be an owner who can log in: make somebody else an owner first"
ENDS_SESSIONS = {"role", "is_active"}
GENERATED_BYTES = 12


class Accounts:
    """Makes, shows, changes and deletes accounts. Nobody reaches above their own role."""

    def __init__(
        self,
        *,
        transactions: Transactions,
        users: UserStore,
        sessions: SessionStore,
        hasher: PasswordHasher,
        limiter: LoginLimiter,
        signups: SignupLimiter,
        settings: Settings,
        clock: Clock,
        ids: Ids,
    ) -> None:
        self._transactions = transactions
        self._users = users
        self._sessions = sessions
        self._hasher = hasher
        self._limiter = limiter
        self._signups = signups
        self._allow_signup = settings[ALLOW_SIGNUP]
        self._clock = clock
        self._ids = ids

    async def all(self, actor: Actor) -> Sequence[User]:
        """Every account, by username."""
        require(actor, USER_READ)
        async with self._transactions.read() as tx:
            return await self._users.all(tx)

    async def get(self, actor: Actor, user_id: UserId) -> User:
        """One account. Everybody may see their own. NotFound."""
        if actor.user_id != user_id:
            require(actor, USER_READ)
        async with self._transactions.read() as tx:
            return await self._users.get(tx, user_id)

    async def create(self, actor: Actor, wanted: NewUser) -> User:
        """Make an account. Forbidden for a role above one's own; Conflict when the username or e-mail is taken."""
        require(actor, USER_WRITE)
        outranked(actor, wanted.role)
        user = wanted.made(self._clock.now())
        password_hash = await self._hasher.hash(wanted.password)
        async with self._transactions.begin() as tx:
            return await self._add(tx, actor, user, password_hash)

    async def sign_up(self, actor: Actor, wanted: NewUser) -> User:
        """Make an account for oneself, as a viewer, where the setting ALLOW_SIGNUP lets strangers do so. Forbidden."""
        if not self._allow_signup:
            raise Forbidden("accounts are made by invitation: ask an owner, admin or manager for one")
        self._signups.admit(actor.address)
        return await self.create(SYSTEM, wanted)

    async def change(self, actor: Actor, user_id: UserId, change: UserChange) -> User:
        """Change an account; of one's own everybody may change the e-mail and the full name.

        A change of role or activity ends the sessions of that account. Forbidden, NotFound, Conflict.
        """
        own = actor.user_id == user_id
        if not own:
            require(actor, USER_WRITE)
        async with self._transactions.begin() as tx:
            before = await self._users.get(tx, user_id, to_change=True)
            after = change.applied_to(before)
            changes = differences(before, after)
            if not changes:
                return before
            if own and ENDS_SESSIONS.intersection(changes):
                require(actor, USER_WRITE)
            if own and not after.is_active:
                raise Invalid("nobody deactivates their own account", field="isActive")
            outranked(actor, max(before.role, after.role))
            await self._users.save(tx, after)
            await self._keep_an_owner(tx, before)
            if ENDS_SESSIONS.intersection(changes):
                await end_sessions(tx, self._sessions, user_id)
            tx.announce(self._changed(actor, after, changes))
        return after

    async def delete(self, actor: Actor, user_id: UserId) -> None:
        """Delete an account, never one's own nor one above. Invalid, Forbidden, NotFound, Conflict."""
        require(actor, USER_DELETE)
        if actor.user_id == user_id:
            raise Invalid("nobody deletes their own account", field="id")
        async with self._transactions.begin() as tx:
            user = await self._users.get(tx, user_id, to_change=True)
            outranked(actor, user.role)
            await end_sessions(tx, self._sessions, user_id)
            await self._users.remove(tx, user_id)
            await self._keep_an_owner(tx, user)
            tx.announce(UserDeleted(at=self._clock.now(), by=actor.reference, user_id=user_id, username=user.username))

    async def change_password(self, actor: Actor, current: str, new: str) -> None:
        """Replace one's own password; every session of the account ends, this one too.

        Invalid when the current one is wrong or the new one will not do; QuotaExceeded after too many wrong ones.
        """
        if actor.user_id is None:
            raise Unauthenticated("log in first")
        password_of(new, "newPassword")
        user_id = actor.user_id
        with self._limiter.attempt(actor.username, actor.address) as was_wrong:
            async with self._transactions.read() as tx:
                known = await self._users.credentials(tx, user_id)
            if not await self._hasher.verify(current, known.password_hash if known else None):
                was_wrong()
                raise Invalid("currentPassword is wrong", field="currentPassword")
        password_hash = await self._hasher.hash(new)
        async with self._transactions.begin() as tx:
            again = await self._users.credentials(tx, user_id, to_change=True)
            if again is None or known is None or again.password_hash != known.password_hash:
                raise Conflict("the password was changed meanwhile")
            await self._users.set_password(tx, user_id, password_hash)
            await end_sessions(tx, self._sessions, user_id)
            tx.announce(self._password_changed(actor, again.user))

    async def reset_password(self, actor: Actor, username: str, password: str | None = None) -> str | None:
        """Give an account another password, as whoever holds the machine may; its sessions end.

        The password if one was made up, to be shown once. Forbidden, NotFound; Invalid when it will not do.
        """
        require(actor, USER_WRITE)
        chosen = password_of(password or self._ids.secret(GENERATED_BYTES))
        password_hash = await self._hasher.hash(chosen)
        async with self._transactions.begin() as tx:
            known = await self._users.known_as(tx, username.lower(), to_change=True)
            if known is None:
                raise NotFound(f"nobody here is called {username}")
            outranked(actor, known.user.role)
            await self._users.set_password(tx, known.user.id, password_hash)
            await end_sessions(tx, self._sessions, known.user.id)
            tx.announce(self._password_changed(actor, known.user))
        return None if password else chosen

    async def anybody(self) -> bool:
        """Has anybody an account yet?"""
        async with self._transactions.read() as tx:
            return not await self._users.is_empty(tx)

    async def bootstrap(self, username: str = "admin", password: str | None = None) -> str | None:
        """Make the first owner if nobody has an account. The password if one was made up, to be shown once."""
        async with self._transactions.read() as tx:
            if not await self._users.is_empty(tx):
                return None
        chosen = password or self._ids.secret(GENERATED_BYTES)
        wanted = NewUser(username=username, email=f"{username}@localhost", password=chosen, role=Role.OWNER)
        password_hash = await self._hasher.hash(chosen)
        async with self._transactions.begin() as tx:
            if not await self._users.is_empty(tx, to_change=True):
                return None
            await self._add(tx, SYSTEM, wanted.made(self._clock.now()), password_hash)
        return None if password else chosen

    async def _add(self, tx: Transaction, actor: Actor, user: User, password_hash: str) -> User:
        added = await self._users.add(tx, user, password_hash)
        tx.announce(
            UserCreated(
                at=user.created_at,
                by=actor.reference,
                user_id=added.id,
                username=added.username,
                role=added.role.word,
            )
        )
        return added

    async def _keep_an_owner(self, tx: Transaction, before: User) -> None:
        if before.rules and await self._users.count_owners(tx) == 0:
            raise Conflict(NO_OWNER)

    def _changed(self, actor: Actor, user: User, changes: tuple[str, ...]) -> UserChanged:
        return UserChanged(
            at=self._clock.now(),
            by=actor.reference,
            user_id=user.id,
            username=user.username,
            changes=changes,
            role=user.role.word,
            is_active=user.is_active,
        )

    def _password_changed(self, actor: Actor, user: User) -> PasswordChanged:
        return PasswordChanged(
            at=self._clock.now(),
            by=actor.reference,
            user_id=user.id,
            username=user.username,
            address=actor.address,
        )
