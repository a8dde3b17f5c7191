"""Passwords that people chose for the broker: checked slowly once, from memory from then on (contract §10.3 item 7)."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from hashlib import sha256
from hmac import digest as hmac

from core.access import PasswordHasher
from core.caches import Cache
from core.clock import Clock
from core.errors import Unavailable
from core.ids import Ids

REMEMBERED = 10_000
PROVED_FOR = 24 * 3600.0
WRONG_FOR = 300.0
FAILURES_FOR = 900.0

# Of one username one check runs at a time, and few wait: a broker gives up on an answer after ten seconds.
MOST_WAITING = 4
# Half of what the hasher takes, so that people can log in elsewhere. Those that only wait for their pause to pass do
# not count: a few names that are guessed at must not use up what there is for all others.
MOST_HASHING = 32
FREE_FAILURES = 5
FIRST_PAUSE = 0.25
LONGEST_PAUSE = 2.0

Pause = Callable[[float], Awaitable[None]]


class PeoplesPasswords:
    """Whether a password is the right one.

    Right ones are remembered as an HMAC under a key of this process, so that all clients of an account may come back
    at once. The HMAC covers the verifier: a new password makes the old one unknown by itself. Nobody is locked out by
    the guesses of others: what was right before is right at once, and of what must be checked only the pace is bounded.
    """

    def __init__(self, *, hasher: PasswordHasher, clock: Clock, ids: Ids, pause: Pause = asyncio.sleep) -> None:
        self._hasher = hasher
        self._clock = clock
        self._pause = pause
        self._key = bytes.fromhex(ids.secret())
        self._proved: Cache[bytes, bool] = Cache(clock, size=REMEMBERED, ttl=PROVED_FOR)
        self._wrong: Cache[bytes, bool] = Cache(clock, size=REMEMBERED, ttl=WRONG_FOR)
        self._failures: Cache[str, tuple[int, float]] = Cache(clock, size=REMEMBERED, ttl=FAILURES_FOR)
        self._checks: dict[bytes, asyncio.Task[bool]] = {}
        self._waiting: Counter[str] = Counter()
        self._turns: dict[str, asyncio.Lock] = {}
        self._hashing = 0

    async def is_right(self, username: str, password: str, verifier: str | None) -> bool:
        """Whether it is; None, for an account that there is not, is treated like a wrong password, and as slowly.

        Raises Unavailable, which is no answer, when too many wait: a No could be kept by the broker that asked.
        """
        mark = self._mark(username, password, verifier)
        if self._proved.get(mark):
            return True
        if self._wrong.get(mark):
            return False
        check = self._checks.get(mark) or self._begin(username, password, verifier, mark)
        # Who asked may give up; the answer is for the next one who asks with the same password.
        return await asyncio.shield(check)

    def _mark(self, username: str, password: str, verifier: str | None) -> bytes:
        text = "\0".join((username, verifier or "", password))
        return hmac(self._key, text.encode("utf-8", "surrogatepass"), sha256)

    def _begin(self, username: str, password: str, verifier: str | None, mark: bytes) -> "asyncio.Task[bool]":
        if self._waiting[username] >= MOST_WAITING:
            raise _too_many()
        self._waiting[username] += 1
        check = asyncio.create_task(self._check(username, password, verifier, mark))
        self._checks[mark] = check
        check.add_done_callback(lambda done: self._ended(username, mark, done))
        return check

    async def _check(self, username: str, password: str, verifier: str | None, mark: bytes) -> bool:
        async with self._turns.setdefault(username, asyncio.Lock()):
            failures, opens_at = self._failures.get(username) or (0, 0.0)
            if (wait := opens_at - self._clock.monotonic()) > 0:
                await self._pause(wait)
            right = await self._verified(password, verifier)
            if right:
                self._proved.put(mark, right)
            else:
                self._wrong.put(mark, True)  # noqa: FBT003 - the cache holds a bare fact
                self._failures.put(username, (failures + 1, self._clock.monotonic() + pause_after(failures + 1)))
            return right

    async def _verified(self, password: str, verifier: str | None) -> bool:
        if self._hashing >= MOST_HASHING:
            raise _too_many()
        self._hashing += 1
        try:
            return await self._hasher.verify(password, verifier)
        finally:
            self._hashing -= 1

    def _ended(self, username: str, mark: bytes, check: "asyncio.Task[bool]") -> None:
        del self._checks[mark]
        self._waiting[username] -= 1
        if not self._waiting[username]:
            del self._waiting[username]
            self._turns.pop(username, None)
        if not check.cancelled():
            check.exception()  # whoever asked was told, if they still waited


def _too_many() -> Unavailable:
    return Unavailable("too many logins at once", retry_after=LONGEST_PAUSE)


def pause_after(failures: int) -> float:
    """For how many seconds the next check of the same username has to wait after so many wrong ones."""
    beyond = failures - FREE_FAILURES
    return min(FIRST_PAUSE * 2.0 ** min(beyond - 1, 16), LONGEST_PAUSE) if beyond > 0 else 0.0
