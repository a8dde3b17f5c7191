"""What happens to accounts and sessions."""

from typing import ClassVar

from attrs import frozen

from core.events import Event
from core.ids import UserId


@frozen(kw_only=True)
class AccountEvent(Event):
    """Something happened to an account."""

    user_id: UserId
    username: str


@frozen(kw_only=True)
class UserCreated(AccountEvent):
    """Somebody got an account."""

    NAME: ClassVar[str] = "user.created"
    role: str


@frozen(kw_only=True)
class UserChanged(AccountEvent):
    """An account was changed; `changes` names the fields, `role` is the role after it."""

    NAME: ClassVar[str] = "user.changed"
    SEVERITY: ClassVar[str] = "warning"
    changes: tuple[str, ...]
    role: str
    is_active: bool


@frozen(kw_only=True)
class UserDeleted(AccountEvent):
    """An account is gone, with its sessions."""

    NAME: ClassVar[str] = "user.deleted"
    SEVERITY: ClassVar[str] = "warning"


@frozen(kw_only=True)
class PasswordChanged(AccountEvent):
    """Somebody has a new password; all their sessions ended."""

    NAME: ClassVar[str] = "user.password_changed"
    SEVERITY: ClassVar[str] = "warning"
    address: str


@frozen(kw_only=True)
class LoggedIn(AccountEvent):
    """A session began."""

    NAME: ClassVar[str] = "user.logged_in"
    address: str
    user_agent: str


@frozen(kw_only=True)
class LoggedOut(AccountEvent):
    """A session was ended by whoever began it."""

    NAME: ClassVar[str] = "user.logged_out"
    address: str


@frozen(kw_only=True)
class LoginFailed(Event):
    """Somebody tried to log in and was refused. The reason is for the audit log; it was not told."""

    NAME: ClassVar[str] = "user.login_failed"
    SEVERITY: ClassVar[str] = "warning"
    username: str
    address: str
    reason: str
