"""How random secrets are remembered: as SHA-256, compared in constant time.

The secrets are 256 random bits, so a slow hash would add nothing but cost. People's passwords are another matter:
see core.access.
"""

from hashlib import sha256
from hmac import compare_digest


def digest_of(secret: str) -> str:
    """The verifier of a random secret, 64 hexadecimal digits."""
    return sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def matches(secret: str, digest: str) -> bool:
    """Whether the secret is the one with this digest, in a time that does not tell how nearly."""
    return compare_digest(digest_of(secret), digest)
