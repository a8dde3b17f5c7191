"""Our own RSA keys, renewed and honoured for a while. Implements `core.provisioning.ServerKeys`."""

import asyncio
import logging
import os
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Protocol, TypeVar

from attrs import field, frozen
from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import OAEP
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from adapters.system.envelopes import (
    EXPONENT,
    KEY_BYTES,
    NONCE_BYTES,
    OAEP_SHA1,
    OAEP_SHA256,
    TAG_BYTES,
    gcm,
)
from adapters.system.secrets import write_private
from core.clock import Clock
from core.errors import Invalid, Unavailable
from core.provisioning import Block, Envelope, Padding, Sealed, ServerKey

log = logging.getLogger(__name__)

T = TypeVar("T")

BITS = 3072
MOST_WAITING = 256
AT_ONCE = 2
"""How many are opened at a time: OpenSSL works without the interpreter's lock, and there must be time for others."""
LOOK_AGAIN, LOOK_SECONDS = 5.0, 10.0
"""Seconds between two looks for a key that another process may have made, and that a look may take."""

_NAME = re.compile(r"(\d{8}T\d{6}Z)-([0-9a-f]{16})\.pem")
_MOMENT = "%Y%m%dT%H%M%SZ"
_SCHEMES = {Padding.OAEP_SHA1: OAEP_SHA1, Padding.OAEP_SHA256: OAEP_SHA256}
# RFC 8017 §7.1.1: two hashes and two bytes of a block are not the message's.
_OVERHEAD = {Padding.OAEP_SHA1: 2 * 20 + 2, Padding.OAEP_SHA256: 2 * 32 + 2}


@frozen(kw_only=True)
class _Key:
    """One of our keys."""

    id: str
    made_at: datetime
    private: RSAPrivateKey
    modulus: int = field(init=False)

    @modulus.default
    def _(self) -> int:
        return self.private.public_key().public_numbers().n

    @property
    def size(self) -> int:
        return (self.private.key_size + 7) // 8


class KeyCupboard(Protocol):
    """Where keys are kept, each under its name, as PEM. Called in threads. Raises OSError, or Unavailable."""

    def names(self) -> Iterable[str]:
        """The names of all that is there; other things may be there as well."""

    def read(self, name: str) -> bytes:
        """What is kept under the name. ValueError when it cannot be told any more."""

    def write(self, name: str, text: str) -> None:
        """Keep it, for nobody else to read."""

    def remove(self, name: str) -> None:
        """Forget it, if it is there."""


@frozen
class KeyFolder:
    """Keys in files that only their owner can read."""

    path: Path

    def names(self) -> Iterable[str]:
        """The names of the files."""
        return [path.name for path in self.path.glob("*.pem")]

    def read(self, name: str) -> bytes:
        """What the file holds."""
        return (self.path / name).read_bytes()

    def write(self, name: str, text: str) -> None:
        """Make the file, whole or not at all."""
        write_private(self.path / name, text)

    def remove(self, name: str) -> None:
        """Remove the file."""
        (self.path / name).unlink(missing_ok=True)


class RsaServerKeys:
    """Keys of 3072 bits in one cupboard, named by when they were made and by what they are."""

    def __init__(
        self, cupboard: KeyCupboard, clock: Clock, *, lifetime: timedelta, grace: timedelta, bits: int = BITS
    ) -> None:
        self._cupboard = cupboard
        self._clock = clock
        self._lifetime = lifetime
        self._grace = grace
        self._bits = bits
        self._keys: Sequence[_Key] = ()
        self._looked_at: float | None = None
        self._turn = asyncio.Lock()
        self._at_once = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0

    async def current(self) -> ServerKey:
        """The key to tell. Unavailable."""
        return _told(await self._newest())

    async def open(self, sealed: Sealed) -> bytes | None:
        """What was sealed, or None. Invalid for a wrong size, Unavailable when too many wait."""
        newest = await self._newest()
        if self._waiting >= MOST_WAITING:
            raise Unavailable("too many devices register at once", retry_after=2.0)
        self._waiting += 1
        try:
            return await self._opened(sealed, newest)
        finally:
            self._waiting -= 1

    async def renew(self) -> None:
        """Make a new key if it is time, and remove those that are honoured no more."""
        async with self._turn:
            await self._off_loop(self._look)
            if self._keys and self._clock.now() - self._keys[0].made_at >= self._lifetime:
                await self._off_loop(self._make)
            honoured = self._honoured()
            await self._off_loop(lambda: self._remove([key for key in self._keys if key not in honoured]))
            self._keys = honoured

    async def _newest(self) -> _Key:
        if self._is_time_to_look():
            async with self._turn:
                if self._is_time_to_look():
                    await self._look_if_possible()
                if not self._keys:
                    await self._off_loop(self._make)
        return self._keys[0]

    def _is_time_to_look(self) -> bool:
        """Whether another process may have made a key that we do not know."""
        return not self._keys or self._looked_at is None or self._clock.monotonic() - self._looked_at >= LOOK_AGAIN

    async def _look_if_possible(self) -> None:
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                await self._off_loop(self._look)
        except (Unavailable, TimeoutError) as error:
            if not self._keys:
                raise Unavailable("the server keys cannot be looked for right now") from error
            self._looked_at = self._clock.monotonic()
            log.warning("nobody can tell whether there are other server keys by now, going on with those known")

    async def _opened(self, sealed: Sealed, newest: _Key) -> bytes | None:
        known = await self._named(sealed.key_id) if sealed.key_id is not None else self._honoured()
        tried = known or [newest]
        _check_size(sealed, {key.size for key in tried}, newest)
        async with self._at_once:
            opened = await self._off_loop(lambda: _open(sealed, tried))
        return opened if known else None

    async def _named(self, key_id: str) -> Sequence[_Key]:
        named = [key for key in self._honoured() if key.id == key_id]
        if not named and self._is_time_to_look():
            async with self._turn:
                await self._off_loop(self._look)
            named = [key for key in self._honoured() if key.id == key_id]
        return named

    def _honoured(self) -> Sequence[_Key]:
        """The newest, and those whose follower is not older than the grace."""
        now = self._clock.now()
        followed = zip(self._keys[1:], self._keys, strict=False)
        return [*self._keys[:1], *(key for key, follower in followed if now - follower.made_at < self._grace)]

    def _look(self) -> None:
        """See what there is."""
        self._looked_at = self._clock.monotonic()
        known = {key.id: key for key in self._keys}
        names = sorted(self._cupboard.names(), reverse=True)
        found = [match for match in map(_NAME.fullmatch, names) if match]
        read = [known.get(match[2]) or self._read(match) for match in found]
        self._keys = [key for key in read if key is not None]

    def _read(self, name: re.Match[str]) -> _Key | None:
        try:
            private = load_pem_private_key(self._cupboard.read(name[0]), password=None)
        except (OSError, ValueError, TypeError, UnsupportedAlgorithm):
            log.exception("the server key %s cannot be read and is passed over", name[0])
            return None
        if not isinstance(private, RSAPrivateKey):
            log.error("the server key %s is no RSA key and is passed over", name[0])
            return None
        return _Key(id=name[2], made_at=datetime.strptime(name[1], _MOMENT).replace(tzinfo=UTC), private=private)

    def _make(self) -> None:
        private = generate_private_key(EXPONENT, self._bits)
        der = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        key = _Key(id=sha256(der).hexdigest()[:16], made_at=self._clock.now().replace(microsecond=0), private=private)
        text = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        self._cupboard.write(_name_of(key), text)
        self._keys = [key, *self._keys]
        log.info("made the server key %s", key.id)

    def _remove(self, keys: Sequence[_Key]) -> None:
        for key in keys:
            self._cupboard.remove(_name_of(key))
            log.info("the server key %s is honoured no more", key.id)

    async def _off_loop(self, work: Callable[[], T]) -> T:
        try:
            return await asyncio.to_thread(work)
        except OSError as error:
            raise Unavailable(f"the server keys cannot be used: {error.strerror} ({error.filename})") from error


def carry_keys(source: KeyCupboard, target: KeyCupboard) -> int:
    """Keep a copy of every key of the source in the target; how many keys. What was honoured there is honoured here."""
    names = [name for name in source.names() if _NAME.fullmatch(name)]
    for name in names:
        target.write(name, source.read(name).decode("ascii"))
    return len(names)


def _name_of(key: _Key) -> str:
    return f"{key.made_at:{_MOMENT}}-{key.id}.pem"


def _told(key: _Key) -> ServerKey:
    pem = key.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    return ServerKey(id=key.id, pem=pem, largest={name: key.size - bytes_ for name, bytes_ in _OVERHEAD.items()})


def _check_size(sealed: Sealed, sizes: set[int], newest: _Key) -> None:
    """Refuse what cannot be a block of these keys. Sizes are public: this tells nobody anything."""
    field, block = ("encryptedPayload", sealed.content) if isinstance(sealed, Block) else ("encKey", sealed.wrapped_key)
    if len(block) not in sizes:
        largest = ", ".join(f"{room} with {name.value}" for name, room in _told(newest).largest.items())
        raise Invalid(
            f"{field} must be one block of {newest.size} bytes, not {len(block)}: a payload of more bytes than fit "
            f"({largest}) goes into an envelope with v, keyId, encKey, iv, ct and tag",
            field=field,
        )
    if isinstance(sealed, Envelope) and len(sealed.nonce) != NONCE_BYTES:
        raise Invalid(f"iv must have {NONCE_BYTES} bytes", field="iv")
    if isinstance(sealed, Envelope) and len(sealed.tag) != TAG_BYTES:
        raise Invalid(f"tag must have {TAG_BYTES} bytes", field="tag")


def _open(sealed: Sealed, keys: Sequence[_Key]) -> bytes | None:
    """All that may be tried is tried, whether or not something has fitted before."""
    if isinstance(sealed, Envelope):
        return next(filter(None, [_from_envelope(key, sealed) for key in keys]), None)
    schemes = [_SCHEMES[sealed.padding]] if sealed.padding else list(_SCHEMES.values())
    found = [_from_block(key, scheme, sealed.content) for key in keys for scheme in schemes]
    return next(filter(None, found), None)


def _from_envelope(key: _Key, sealed: Envelope) -> bytes | None:
    # As TLS 1.3's predecessors had to learn (RFC 5246 §7.4.7.1): without a key we go on with one that nobody has.
    decoy = os.urandom(KEY_BYTES)
    unwrapped = _from_block(key, OAEP_SHA256, sealed.wrapped_key) or decoy
    try:
        return gcm(unwrapped if len(unwrapped) == KEY_BYTES else decoy).decrypt(
            sealed.nonce, sealed.content + sealed.tag, None
        )
    except InvalidTag:
        return None


def _from_block(key: _Key, scheme: OAEP, block: bytes) -> bytes | None:
    # OpenSSL refuses a number past the modulus at once: something else is worked on in its place.
    fits = int.from_bytes(block, "big") < key.modulus
    try:
        opened = key.private.decrypt(block if fits else bytes(len(block)), scheme)
    except ValueError:
        return None
    return opened if fits else None
