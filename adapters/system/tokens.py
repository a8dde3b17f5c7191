"""JSON Web Tokens, signed with one secret by one algorithm. Implements `core.access.TokenSigner`."""

import re
from collections.abc import Mapping
from typing import Any

import jwt
from jwt.types import Options

from core.access import TOKEN_SECRET
from core.errors import Invalid, Unauthenticated

ALGORITHM = "HS256"
SHORTEST_SECRET = 32
FEWEST_CHARACTERS = 8
LONGEST_TOKEN = 4096

# Words that stand in published examples of secrets, the original's among them.
EXAMPLES = ("change-in-production", "change-me", "change_me", "changeme", "your-secret", "your-super-secret", "example")

# RFC 7515 §7.1, with a signature of 32 bytes; decoders forgive padding and line ends, we do not.
_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{43}")

# Time and purpose are checked in core.access, against the clock that is given there.
_SIGNATURE_ONLY: Options = {
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
    "verify_aud": False,
    "verify_iss": False,
    "verify_sub": False,
    "verify_jti": False,
}


class JwtSigner:
    """HS256 by PyJWT. Only tokens with exactly the header that we write are looked at.

    So nothing that stands in a foreign header (`alg`, `kid`, `jwk`, `jku`, `x5u`, `crit`) is ever interpreted.
    """

    def __init__(self, secret: str) -> None:
        """Raises Invalid for a secret that can be guessed."""
        self._secret = _sound(secret)
        try:
            self._header = jwt.encode({}, self._secret, algorithm=ALGORITHM).partition(".")[0] + "."
        except jwt.InvalidKeyError as error:
            raise Invalid(
                f"{TOKEN_SECRET.name} must be a random text, not a key file", field=TOKEN_SECRET.name
            ) from error

    def sign(self, claims: Mapping[str, Any]) -> str:
        """The token."""
        return jwt.encode(dict(claims), self._secret, algorithm=ALGORITHM)

    def verify(self, token: str) -> Mapping[str, Any]:
        """What we signed once. Unauthenticated."""
        if len(token) > LONGEST_TOKEN or not token.startswith(self._header) or not _COMPACT.fullmatch(token):
            raise Unauthenticated("the token is not valid: log in again")
        try:
            claims: Mapping[str, Any] = jwt.decode(token, self._secret, algorithms=[ALGORITHM], options=_SIGNATURE_ONLY)
        except jwt.PyJWTError as error:
            raise Unauthenticated("the token is not valid: log in again") from error
        return claims


def _sound(secret: str) -> str:
    name = TOKEN_SECRET.name
    if len(secret.encode()) < SHORTEST_SECRET:
        raise Invalid(f"{name} must have at least {SHORTEST_SECRET} bytes: try `openssl rand -hex 32`", field=name)
    if any(example in secret.lower() for example in EXAMPLES) or len(set(secret)) < FEWEST_CHARACTERS:
        raise Invalid(f"{name} can be guessed: try `openssl rand -hex 32`", field=name)
    return secret
