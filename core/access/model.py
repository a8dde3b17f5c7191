"""People, their sessions, and the pure decisions about both."""

import re
from datetime import datetime, timedelta

from attrs import evolve, field, frozen

from core.actor import Actor, ActorKind, Role
from core.checks import PlainText
from core.errors import Forbidden, Invalid
from core.ids import SessionId, UserId

SHORTEST_PASSWORD = 8
LONGEST_PASSWORD = 72
LONGEST_EMAIL = 254

_USERNAME = re.compile(r"[A-Za-z0-9._-]{3,64}")
# What browsers accept in <input type=email> (HTML, "valid e-mail address").
_EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})*")


def username_of(text: object) -> str:
    """The canonical form of a username: lower case. Raises Invalid."""
    if not isinstance(text, str) or not _USERNAME.fullmatch(text):
        raise Invalid("username must have 3 to 64 letters, digits, dots, hyphens or underscores", field="username")
    return text.lower()


def email_of(text: object) -> str:
    """The canonical form of an e-mail address: lower case. Raises Invalid."""
    if not isinstance(text, str) or len(text) > LONGEST_EMAIL or not _EMAIL.fullmatch(text):
        raise Invalid("email must be an address such as anna@example.com", field="email")
    return text.lower()


def role_of(word: object) -> Role:
    """The role of that name. Raises Invalid."""
    for role in Role:
        if role.word == word:
            return role
    raise Invalid(f"role must be one of {', '.join(role.word for role in Role)}", field="role")


def password_of(text: object, field_name: str = "password") -> str:
    """A password that may be set. Raises Invalid.

    The upper bound is in bytes: bcrypt reads no further, so that a longer one would only seem stronger.
    """
    try:
        size = len(text.encode()) if isinstance(text, str) else 0
    except UnicodeEncodeError as error:
        raise Invalid(f"{field_name} must be text", field=field_name) from error
    if not SHORTEST_PASSWORD <= size <= LONGEST_PASSWORD:
        raise Invalid(
            f"{field_name} must have {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} bytes, not {size}", field=field_name
        )
    return str(text)


@frozen(kw_only=True)
class User:
    """A person who may log in while active. Knows nothing of their password."""

    id: UserId = UserId(0)
    username: str = field(converter=username_of)
    email: str = field(converter=email_of)
    role: Role
    is_active: bool = True
    full_name: str | None = field(default=None, validator=PlainText(longest=255, optional=True, called="fullName"))
    created_at: datetime
    last_login_at: datetime | None = None
    revision: int = 1

    @property
    def rules(self) -> bool:
        """Whether this is an owner who can log in; there must always be one."""
        return self.is_active and self.role is Role.OWNER


@frozen(kw_only=True)
class Credentials:
    """A person with the verifier of their password."""

    user: User
    password_hash: str = field(repr=False)


@frozen(kw_only=True)
class NewUser:
    """An account to be made."""

    username: str = field(converter=username_of)
    email: str = field(converter=email_of)
    password: str = field(converter=password_of, repr=False)
    role: Role = Role.VIEWER
    full_name: str | None = None

    def made(self, now: datetime) -> User:
        """The account, not yet stored."""
        return User(
            username=self.username, email=self.email, role=self.role, full_name=self.full_name or None, created_at=now
        )


@frozen(kw_only=True)
class UserChange:
    """What is to change of an account. None leaves it as it is."""

    email: str | None = None
    role: Role | None = None
    is_active: bool | None = None
    full_name: str | None = None

    def applied_to(self, user: User) -> User:
        """The account after the change, one revision on."""
        return evolve(
            user,
            email=user.email if self.email is None else self.email,
            role=user.role if self.role is None else self.role,
            is_active=user.is_active if self.is_active is None else self.is_active,
            full_name=user.full_name if self.full_name is None else self.full_name or None,
            revision=user.revision + 1,
        )


def differences(before: User, after: User) -> tuple[str, ...]:
    """The names of the fields that people change and that differ."""
    names = ("email", "role", "is_active", "full_name")
    return tuple(name for name in names if getattr(before, name) != getattr(after, name))


def outranked(actor: Actor, role: Role) -> None:
    """Let pass only who stands as high as this role: nobody grants or touches what is above them. Forbidden."""
    rank = Role.OWNER if actor.kind is ActorKind.SYSTEM else actor.role
    if rank is None or rank < role:
        article = "an" if role in {Role.OWNER, Role.ADMIN} else "a"
        word = actor.role.word if actor.role else None
        raise Forbidden(f"only {article} {role.word} or higher may do this to {article} {role.word}", role=word)


@frozen(kw_only=True)
class Session:
    """From a login until a logout, the end of its time, or a new password. Keeps only a verifier of the token."""

    id: SessionId
    user_id: UserId
    digest: str = field(repr=False)
    created_at: datetime
    expires_at: datetime
    address: str = ""
    user_agent: str = ""


@frozen(kw_only=True)
class Tokens:
    """What a login gives: an access token for each request, a refresh token for the next access token."""

    access: str = field(repr=False)
    refresh: str = field(repr=False)
    user: User


@frozen(kw_only=True)
class WatchToken:
    """What lets a browser watch what happens, and do nothing else, for as long as the session lasts."""

    token: str = field(repr=False)
    lasts: timedelta
