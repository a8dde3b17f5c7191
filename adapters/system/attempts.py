"""Who tried how often lately, in the memory of this process. Moving windows by the library limits."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from ipaddress import IPv6Address, ip_address

from limits import RateLimitItem, RateLimitItemPerSecond
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from core.digests import digest_of
from core.errors import QuotaExceeded

QUARTER = timedelta(minutes=15)
HOUR = timedelta(hours=1)
IPV6_NETWORK_BITS = 64


class Window:
    """At most `most` in `span`, per key."""

    def __init__(self, most: int, span: timedelta) -> None:
        self._item: RateLimitItem = RateLimitItemPerSecond(most, max(1, int(span.total_seconds())))
        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        self._tell: Callable[[str], None] | None = None

    def tell_others(self, tell: Callable[[str], None]) -> None:
        """Call this with the key of whatever is counted here from now on."""
        self._tell = tell

    def count(self, key: str) -> bool:
        """Count one; False, uncounted, when it would be too many."""
        counted = self._limiter.hit(self._item, key)
        if counted and self._tell is not None:
            self._tell(key)
        return counted

    def counted_elsewhere(self, key: str) -> None:
        """Another process has counted one."""
        self._limiter.hit(self._item, key)

    def require_room(self, key: str, *, under_way: int = 0) -> None:
        """QuotaExceeded when one more, beside those under way, would be too many."""
        if not self._limiter.test(self._item, key, cost=under_way + 1):
            raise self.refusal(key)

    def refusal(self, key: str) -> QuotaExceeded:
        """Too many, and when there is room again."""
        reset = self._limiter.get_window_stats(self._item, key).reset_time
        return QuotaExceeded("too many attempts: try again later", retry_after=max(1.0, reset - time.time()))


class GuessLimiter:
    """Implements `core.provisioning.AttemptLimiter`: wrong guesses per address."""

    def __init__(self, most: int = 20, span: timedelta = QUARTER) -> None:
        self._window = Window(most, span)

    def windows(self) -> Mapping[str, Window]:
        """What is counted, by name."""
        return {"guesses": self._window}

    def failed(self, address: str) -> None:
        """Count one more wrong guess."""
        self._window.count(network_of(address))

    def check(self, address: str) -> None:
        """QuotaExceeded after too many."""
        self._window.require_room(network_of(address))


class SignupAttempts:
    """Implements `core.access.SignupLimiter`: tries per address, right or wrong."""

    def __init__(self, most: int = 3, span: timedelta = HOUR) -> None:
        self._window = Window(most, span)

    def windows(self) -> Mapping[str, Window]:
        """What is counted, by name."""
        return {"signups": self._window}

    def admit(self, address: str) -> None:
        """Count one more try. QuotaExceeded when it is one too many."""
        network = network_of(address)
        if not self._window.count(network):
            raise self._window.refusal(network)


class LoginAttempts:
    """Implements `core.access.LoginLimiter`. Nothing is counted per account alone: that would lock its owner out."""

    def __init__(self, *, per_account: int = 10, per_address: int = 100, span: timedelta = QUARTER) -> None:
        self._by_account = Window(per_account, span)
        self._by_address = Window(per_address, span)
        self._under_way: Counter[str] = Counter()

    def windows(self) -> Mapping[str, Window]:
        """What is counted, by name."""
        return {"logins.account": self._by_account, "logins.address": self._by_address}

    @contextmanager
    def attempt(self, account: str, address: str) -> Iterator[Callable[[], None]]:
        """One check of a password; see the port."""
        network = network_of(address)
        # A digest, so that what somebody typed takes no more memory than a name, and is not kept.
        pair = digest_of(f"{network} {account}")
        self._by_account.require_room(pair, under_way=self._under_way[pair])
        self._by_address.require_room(network, under_way=self._under_way[network])
        self._under_way.update((pair, network))

        def was_wrong() -> None:
            self._by_account.count(pair)
            self._by_address.count(network)

        try:
            yield was_wrong
        finally:
            self._under_way -= Counter((pair, network))


def network_of(address: str) -> str:
    """Whom an address stands for: itself, or all of an IPv6 network, where one customer has 2⁶⁴ addresses to use."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(IPv6Address(int(parsed) >> IPV6_NETWORK_BITS << IPV6_NETWORK_BITS))
    return str(parsed)
