"""How long logins last, how passwords are kept, who may sign up."""

from collections.abc import Callable
from datetime import timedelta

from core.settings import AnySetting, Setting, boolean, integer, seconds, text


def _between(lowest: timedelta, highest: timedelta) -> Callable[[str], timedelta]:
    def read(value: str) -> timedelta:
        span = seconds(value)
        if not lowest <= span <= highest:
            raise ValueError(f"{value} is not between {lowest} and {highest}")
        return span

    return read


ACCESS_FOR = Setting(
    name="JWT_ACCESS_TOKEN_EXPIRY",
    read=_between(timedelta(seconds=10), timedelta(days=1)),
    default=timedelta(minutes=15),
    summary="How long an access token is good",
)
REFRESH_FOR = Setting(
    name="JWT_REFRESH_TOKEN_EXPIRY",
    read=_between(timedelta(minutes=1), timedelta(days=365)),
    default=timedelta(days=7),
    summary="How long one stays logged in",
)
TOKEN_SECRET = Setting(
    name="JWT_SECRET",
    read=text,
    default="",
    summary="Secret that signs tokens, at least 32 bytes; generated and kept in the data folder when empty",
    secret=True,
)
HASH_COST = Setting(
    name="PASSWORD_HASH_COST",
    read=integer(4, 16),
    default=12,
    summary="bcrypt cost of passwords; each step doubles the time of a login",
)
ALLOW_SIGNUP = Setting(
    name="ALLOW_SIGNUP", read=boolean, default=False, summary="Whether anybody may make an account, as a viewer"
)
LOGINS_PER_ACCOUNT = Setting(
    name="LOGIN_FAILURES_PER_ACCOUNT",
    read=integer(1, 10_000),
    default=10,
    summary="Wrong passwords for one account from one address before it has to wait",
)
LOGINS_PER_ADDRESS = Setting(
    name="LOGIN_FAILURES_PER_ADDRESS",
    read=integer(1, 100_000),
    default=100,
    summary="Wrong passwords from one address before it has to wait",
)
LOGIN_WINDOW = Setting(
    name="LOGIN_FAILURES_WINDOW",
    read=_between(timedelta(seconds=1), timedelta(days=1)),
    default=timedelta(minutes=15),
    summary="For how long a wrong password counts",
)

SETTINGS: tuple[AnySetting, ...] = (
    ACCESS_FOR,
    REFRESH_FOR,
    TOKEN_SECRET,
    HASH_COST,
    ALLOW_SIGNUP,
    LOGINS_PER_ACCOUNT,
    LOGINS_PER_ADDRESS,
    LOGIN_WINDOW,
)
