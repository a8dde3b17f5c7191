"""What stands in our tokens (contract §6.1), and when it is believed.

The signer only says that we wrote it. Everything else is checked here, strictly: a claim of another type than the one
we write is no claim of ours.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from attrs import frozen

from core.access.model import User
from core.errors import Unauthenticated
from core.ids import SessionId, UserId

ISSUER = "iotistic-api"
AUDIENCE = "iotistic-dashboard"
REFUSED = "the token is not valid, or not any more: log in again"

# Clocks of several servers differ a little.
LEEWAY = 60
LONGEST_LIFE = int(timedelta(days=366).total_seconds())


class TokenKind(Enum):
    """What a token is for."""

    ACCESS = "access"
    REFRESH = "refresh"
    WATCH = "watch"


@frozen(kw_only=True)
class Claims:
    """What a token says, once it is believed."""

    user_id: UserId
    session_id: SessionId
    token_id: str


def claims_for(
    kind: TokenKind, user: User, session_id: SessionId, *, token_id: str, now: datetime, until: datetime
) -> dict[str, Any]:
    """The claims of a new token."""
    return {
        "userId": user.id,
        "username": user.username,
        "email": user.email,
        "role": user.role.word,
        "type": kind.value,
        "sid": session_id,
        "jti": token_id,
        "iat": int(now.timestamp()),
        "exp": int(until.timestamp()),
        "iss": ISSUER,
        "aud": AUDIENCE,
    }


def believed(claims: Mapping[str, Any], kind: TokenKind, now: datetime) -> Claims:
    """What the claims say, if they are for this purpose and this moment. Raises Unauthenticated, in the same words."""
    moment = now.timestamp()
    issued, expires = _whole(claims, "iat"), _whole(claims, "exp")
    not_before = _whole(claims, "nbf") if "nbf" in claims else issued
    for_us = claims.get("iss") == ISSUER and claims.get("aud") == AUDIENCE and claims.get("type") == kind.value
    in_time = max(issued, not_before) <= moment + LEEWAY and moment < expires <= issued + LONGEST_LIFE
    if not for_us or not in_time:
        raise Unauthenticated(REFUSED)
    return Claims(
        user_id=UserId(_whole(claims, "userId")),
        session_id=SessionId(_text(claims, "sid")),
        token_id=_text(claims, "jti"),
    )


def _whole(claims: Mapping[str, Any], name: str) -> int:
    value = claims.get(name)
    if type(value) is not int or value < 0:
        raise Unauthenticated(REFUSED)
    return value


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or not value:
        raise Unauthenticated(REFUSED)
    return value
