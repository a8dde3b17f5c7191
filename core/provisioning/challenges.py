"""Challenges: what makes each registration by v2 a new one, without anything to be kept for those who only ask.

A challenge carries its end, chance, and our own mark (HMAC-SHA-256) over both and over whom it was made for. So it
costs no row until a registration has used it up; strangers who ask for millions of them fill nothing.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from hmac import compare_digest, digest

from attrs import field, frozen

from core.clock import Clock
from core.ids import DeviceUuid, Ids

GOOD_FOR = timedelta(minutes=10)

_CHANCE = 12
_END = 6
_MARK = 16
_SIZE = _END + _CHANCE + _MARK
_LENGTH = len(urlsafe_b64encode(bytes(_SIZE)).rstrip(b"="))


@frozen(kw_only=True)
class Challenge:
    """Good once, until its end, for one device with one public key (an empty fingerprint: with any)."""

    text: str = field(repr=False)
    uuid: DeviceUuid
    fingerprint: str
    expires_at: datetime


class Challenges:
    """Makes challenges and knows its own again: so does every process that has the same secret."""

    def __init__(self, *, secret: str, clock: Clock, ids: Ids) -> None:
        self._secret = secret.encode()
        self._clock = clock
        self._ids = ids

    def issue(self, uuid: DeviceUuid, fingerprint: str = "") -> Challenge:
        """A challenge that nobody has seen yet."""
        end = int((self._clock.now() + GOOD_FOR).timestamp())
        body = end.to_bytes(_END, "big") + bytes.fromhex(self._ids.secret(_CHANCE))
        text = urlsafe_b64encode(body + self._mark(body, uuid, fingerprint)).rstrip(b"=").decode()
        return Challenge(text=text, uuid=uuid, fingerprint=fingerprint, expires_at=datetime.fromtimestamp(end, UTC))

    def recognised(self, text: str, uuid: DeviceUuid, fingerprint: str = "") -> Challenge | None:
        """The challenge if it is ours, made for this device and key, and not past its end; else None, as late."""
        raw = _decoded(text)
        body, mark = raw[:-_MARK], raw[-_MARK:]
        ours = compare_digest(self._mark(body, uuid, fingerprint), mark)
        end = int.from_bytes(body[:_END], "big")
        if not ours or end <= self._clock.now().timestamp():
            return None
        return Challenge(text=text, uuid=uuid, fingerprint=fingerprint, expires_at=datetime.fromtimestamp(end, UTC))

    def _mark(self, body: bytes, uuid: DeviceUuid, fingerprint: str) -> bytes:
        marked = b"|".join((b"iotistic enrolment challenge", uuid.encode(), fingerprint.encode(), body))
        return digest(self._secret, marked, "sha256")[:_MARK]


def _decoded(text: str) -> bytes:
    """Its bytes; as many others where it is not in the one form that we write."""
    decoy = bytes(_SIZE)
    if len(text) != _LENGTH or not text.isascii():
        return decoy
    try:
        raw = urlsafe_b64decode(text + "=" * (-_LENGTH % 4))
    except ValueError:
        return decoy
    return raw if urlsafe_b64encode(raw).rstrip(b"=").decode() == text else decoy
