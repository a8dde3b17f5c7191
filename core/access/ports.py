"""What access needs from outside."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, Protocol

from core.access.model import Credentials, Session, User
from core.ids import SessionId, UserId
from core.transactions import Transaction


class UserStore(Protocol):
    """Remembers people. tests/contracts/user_store.py says exactly how."""

    async def add(self, tx: Transaction, user: User, password_hash: str) -> User:
        """Remember a new account; it comes back with its number. Conflict if its username or e-mail is taken."""

    async def all(self, tx: Transaction) -> Sequence[User]:
        """Every account, by username."""

    async def get(self, tx: Transaction, user_id: UserId, *, to_change: bool = False) -> User:
        """The account as last saved. NotFound.

        `to_change`, within `begin()`, holds it until the end.
        """

    async def credentials(self, tx: Transaction, user_id: UserId, *, to_change: bool = False) -> Credentials | None:
        """The account with its password's verifier, or None. `to_change`, within `begin()`, holds it until the end."""

    async def known_as(self, tx: Transaction, name: str, *, to_change: bool = False) -> Credentials | None:
        """The account with this username or e-mail, in lower case, or None.

        `to_change`, within `begin()`, holds it until the end.
        """

    async def save(self, tx: Transaction, user: User) -> None:
        """Replace the previous revision. Conflict if someone else did first or the e-mail is taken; NotFound."""

    async def set_password(self, tx: Transaction, user_id: UserId, password_hash: str) -> None:
        """Let this be the verifier of the account's password."""

    async def logged_in(self, tx: Transaction, user_id: UserId, now: datetime) -> None:
        """Note when the account was last used; this makes no new revision."""

    async def remove(self, tx: Transaction, user_id: UserId) -> None:
        """Forget the account and its sessions; its number is never given again. NotFound if there is none."""

    async def count_owners(self, tx: Transaction) -> int:
        """How many active owners there are. Inside `begin()` the answer holds until the transaction ends."""

    async def is_empty(self, tx: Transaction, *, to_change: bool = False) -> bool:
        """Whether nobody has an account yet. `to_change`, within `begin()`: nobody else asks so until the end."""


class SessionStore(Protocol):
    """Remembers sessions. tests/contracts/session_store.py says exactly how."""

    async def add(self, tx: Transaction, session: Session) -> None:
        """Remember a new session."""

    async def standing(self, tx: Transaction, session_id: SessionId) -> tuple[Session, User] | None:
        """The session and whose it is, or None if it has ended."""

    async def end(self, tx: Transaction, session_id: SessionId) -> bool:
        """End the session; whether it was still standing."""

    async def end_all(self, tx: Transaction, user_id: UserId, *, but_newest: int = 0) -> Sequence[SessionId]:
        """End the person's sessions, except so many of the newest; those that ended are the answer."""

    async def end_expired(self, tx: Transaction, now: datetime) -> int:
        """Forget sessions whose time is over; how many."""


class PasswordHasher(Protocol):
    """Makes and checks verifiers of people's passwords: slowly, and never on the event loop.

    Both raise Unavailable when too many are waiting already.
    """

    async def hash(self, password: str) -> str:
        """A new verifier."""

    async def verify(self, password: str, password_hash: str | None) -> bool:
        """Whether the password is the right one.

        None, for an account that does not exist, takes as long as a wrong password and is False: the time must not
        tell who has an account.
        """


class TokenSigner(Protocol):
    """Signs claims, as a JWT (RFC 7519) by HS256 and nothing else."""

    def sign(self, claims: Mapping[str, Any]) -> str:
        """The token."""

    def verify(self, token: str) -> Mapping[str, Any]:
        """What we signed once. Says nothing about time or purpose. Unauthenticated for anything else."""


class LoginLimiter(Protocol):
    """Slows down those who guess passwords, without locking out those whose password they guess."""

    def attempt(self, account: str, address: str) -> AbstractContextManager[Callable[[], None]]:
        """Put around one check of a password; call what it gives when the password was wrong.

        Raises QuotaExceeded with `retry_after` on entering when there were too many wrong ones for this account from
        this address, or from this address altogether. Checks under way count as wrong until they end, so that many
        at once are no way around it; right ones do not count.
        """


class SignupLimiter(Protocol):
    """Bounds how many accounts strangers make for themselves."""

    def admit(self, address: str) -> None:
        """Count one more try from this address. QuotaExceeded with `retry_after` when there were too many."""
