"""Sessions: who is logged in, and how they prove it with each request."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from attrs import evolve, field, frozen

from core.access.claims import REFUSED, Claims, TokenKind, believed, claims_for
from core.access.events import LoggedIn, LoggedOut, LoginFailed
from core.access.model import Credentials, Session, Tokens, User, WatchToken
from core.access.permissions import Permissions
from core.access.ports import LoginLimiter, PasswordHasher, SessionStore, TokenSigner, UserStore
from core.access.settings import ACCESS_FOR, REFRESH_FOR
from core.actor import STRANGER, Actor, ActorKind
from core.caches import Cache
from core.checks import printable
from core.clock import Clock
from core.digests import digest_of, matches
from core.errors import Unauthenticated
from core.ids import Ids, SessionId, UserId
from core.settings import Settings
from core.transactions import ELSEWHERE, Signals, Transaction, Transactions

SESSIONS = "sessions"
WRONG_LOGIN = "the username or the password is wrong"

MOST_SESSIONS = 50
REMEMBERED = 10_000
REMEMBERED_FOR = 60.0
LONGEST_NAME = 254
LONGEST_SHOWN_NAME = 64
LONGEST_USER_AGENT = 256


@frozen(kw_only=True)
class _Standing:
    """What is remembered of a session to spare the database."""

    actor: Actor
    expires_at: datetime


@frozen(kw_only=True)
class _Attempt:
    """A login as it was tried."""

    name: str
    password: str = field(repr=False)
    address: str
    user_agent: str


async def end_sessions(tx: Transaction, sessions: SessionStore, user_id: UserId, *, but_newest: int = 0) -> None:
    """End a person's sessions, everywhere at once."""
    for ended in await sessions.end_all(tx, user_id, but_newest=but_newest):
        tx.signal(SESSIONS, ended)


class Sessions:
    """Logs people in and out, and tells who asks."""

    def __init__(
        self,
        *,
        transactions: Transactions,
        users: UserStore,
        store: SessionStore,
        hasher: PasswordHasher,
        signer: TokenSigner,
        limiter: LoginLimiter,
        permissions: Permissions,
        settings: Settings,
        clock: Clock,
        ids: Ids,
        signals: Signals,
    ) -> None:
        self._transactions = transactions
        self._users = users
        self._store = store
        self._hasher = hasher
        self._signer = signer
        self._limiter = limiter
        self._permissions = permissions
        self._access_for = settings[ACCESS_FOR]
        self._refresh_for = settings[REFRESH_FOR]
        self._clock = clock
        self._ids = ids
        self._standing: Cache[SessionId, _Standing] = Cache(clock, size=REMEMBERED, ttl=REMEMBERED_FOR)
        signals.on(SESSIONS, lambda key: self._standing.forget(SessionId(key)))
        signals.on(ELSEWHERE, lambda _key: self._standing.clear())

    async def login(self, name: str, password: str, address: str, user_agent: str = "") -> Tokens:
        """Begin a session, known by username or e-mail.

        Unauthenticated in the same words, after the same time, whether the name, the password or the account's state
        is at fault; QuotaExceeded after too many wrong passwords.
        """
        known_as = printable(name, longest=LONGEST_NAME).lower()
        attempt = _Attempt(
            name=known_as,
            password=password,
            address=address,
            user_agent=printable(user_agent, longest=LONGEST_USER_AGENT),
        )
        with self._limiter.attempt(known_as, address) as was_wrong:
            try:
                return await self._open(await self._recognised(attempt), attempt)
            except Unauthenticated as refusal:
                was_wrong()
                await self._note_failure(attempt, str(refusal.context.get("reason", "")))
                raise

    async def refresh(self, token: str) -> str:
        """A new access token for a refresh token; that one stays good until its session ends. Unauthenticated."""
        now = self._clock.now()
        claims = believed(self._signer.verify(token), TokenKind.REFRESH, now)
        session, user = await self._session_of(claims)
        if not matches(claims.token_id, session.digest):
            raise Unauthenticated(REFUSED)
        return self._access_token(user, session, now)

    async def logout(self, actor: Actor, refresh_token: str | None = None) -> None:
        """End the session the actor speaks in, and that of the refresh token if it is theirs. No other."""
        mine = {actor.session_id, self._own_session(actor, refresh_token)}
        async with self._transactions.begin() as tx:
            for session_id in mine:
                if session_id is not None and await self._store.end(tx, session_id):
                    tx.signal(SESSIONS, session_id)
            tx.announce(
                LoggedOut(
                    at=self._clock.now(),
                    by=actor.reference,
                    user_id=actor.user_id or UserId(0),
                    username=actor.username,
                    address=actor.address,
                )
            )

    async def actor(self, token: str, address: str) -> Actor:
        """Who sends this access token from this address. Answers from memory when it can. Unauthenticated."""
        return await self._actor(believed(self._signer.verify(token), TokenKind.ACCESS, self._clock.now()), address)

    async def watcher(self, token: str, address: str) -> Actor:
        """Who sends this watch token from this address: to be let watch, never to be let do. Unauthenticated."""
        return await self._actor(believed(self._signer.verify(token), TokenKind.WATCH, self._clock.now()), address)

    async def again(self, actor: Actor) -> Actor:
        """The same person as they stand now, for who stays connected for long. Unauthenticated when the session ended.

        SESSIONS is signalled with the id of each session that is ended before its time.
        """
        if actor.user_id is None or actor.session_id is None:
            raise Unauthenticated(REFUSED)
        claims = Claims(user_id=actor.user_id, session_id=actor.session_id, token_id="")
        return await self._actor(claims, actor.address)

    async def watch_token(self, access: str) -> WatchToken:
        """A token to watch with, in the session of this access token. Unauthenticated."""
        now = self._clock.now()
        claims = believed(self._signer.verify(access), TokenKind.ACCESS, now)
        session, user = await self._session_of(claims)
        watch = claims_for(
            TokenKind.WATCH, user, session.id, token_id=self._ids.uuid(), now=now, until=session.expires_at
        )
        return WatchToken(token=self._signer.sign(watch), lasts=session.expires_at - now)

    async def prune(self) -> int:
        """Forget sessions whose time is over; how many."""
        async with self._transactions.begin() as tx:
            return await self._store.end_expired(tx, self._clock.now())

    def caches(self) -> Mapping[str, Cache[Any, Any]]:
        """What is remembered, to be counted."""
        return {"sessions": self._standing}

    async def _actor(self, claims: Claims, address: str) -> Actor:
        async def load() -> _Standing:
            session, user = await self._session_of(claims)
            return _Standing(actor=self._actor_for(user, session), expires_at=session.expires_at)

        standing = await self._standing.get_or(claims.session_id, load)
        if standing.actor.user_id != claims.user_id or standing.expires_at <= self._clock.now():
            raise Unauthenticated(REFUSED)
        return evolve(standing.actor, address=address)

    async def _recognised(self, attempt: _Attempt) -> Credentials:
        async with self._transactions.read() as tx:
            found = await self._users.known_as(tx, attempt.name)
        right = await self._hasher.verify(attempt.password, found.password_hash if found else None)
        if found is None:
            raise Unauthenticated(WRONG_LOGIN, context={"reason": "unknown account"})
        if not right:
            raise Unauthenticated(WRONG_LOGIN, context={"reason": "wrong password"})
        return found

    async def _open(self, proved: Credentials, attempt: _Attempt) -> Tokens:
        now = self._clock.now()
        token_id = self._ids.secret()
        session = Session(
            id=SessionId(self._ids.uuid()),
            user_id=proved.user.id,
            digest=digest_of(token_id),
            created_at=now,
            expires_at=now + self._refresh_for,
            address=attempt.address,
            user_agent=attempt.user_agent,
        )
        async with self._transactions.begin() as tx:
            user = await self._still_proved(tx, proved)
            await self._store.add(tx, session)
            await self._users.logged_in(tx, user.id, now)
            await end_sessions(tx, self._store, user.id, but_newest=MOST_SESSIONS)
            tx.announce(_logged_in(user, session))
        refresh = claims_for(TokenKind.REFRESH, user, session.id, token_id=token_id, now=now, until=session.expires_at)
        return Tokens(access=self._access_token(user, session, now), refresh=self._signer.sign(refresh), user=user)

    async def _still_proved(self, tx: Transaction, proved: Credentials) -> User:
        """The account as it is now: checking a password takes so long that it may have changed meanwhile."""
        known = await self._users.credentials(tx, proved.user.id, to_change=True)
        if known is None or known.password_hash != proved.password_hash:
            raise Unauthenticated(WRONG_LOGIN, context={"reason": "changed meanwhile"})
        if not known.user.is_active:
            raise Unauthenticated(WRONG_LOGIN, context={"reason": "inactive account"})
        return known.user

    async def _session_of(self, claims: Claims) -> tuple[Session, User]:
        async with self._transactions.read() as tx:
            found = await self._store.standing(tx, claims.session_id)
        if found is None:
            raise Unauthenticated(REFUSED)
        session, user = found
        if user.id != claims.user_id or not user.is_active or session.expires_at <= self._clock.now():
            raise Unauthenticated(REFUSED)
        return session, user

    def _own_session(self, actor: Actor, refresh_token: str | None) -> SessionId | None:
        if refresh_token is None:
            return None
        try:
            claims = believed(self._signer.verify(refresh_token), TokenKind.REFRESH, self._clock.now())
        except Unauthenticated:
            return None  # it is of no use to anybody any more, which is all one wanted
        return claims.session_id if claims.user_id == actor.user_id else None

    def _access_token(self, user: User, session: Session, now: datetime) -> str:
        until = min(now + self._access_for, session.expires_at)
        claims = claims_for(TokenKind.ACCESS, user, session.id, token_id=self._ids.uuid(), now=now, until=until)
        return self._signer.sign(claims)

    def _actor_for(self, user: User, session: Session) -> Actor:
        return Actor(
            kind=ActorKind.USER,
            permissions=self._permissions.of(user.role),
            user_id=user.id,
            username=user.username,
            role=user.role,
            session_id=session.id,
        )

    async def _note_failure(self, attempt: _Attempt, reason: str) -> None:
        async with self._transactions.begin() as tx:
            tx.announce(
                LoginFailed(
                    at=self._clock.now(),
                    by=STRANGER.reference,
                    username=printable(attempt.name, longest=LONGEST_SHOWN_NAME),
                    address=attempt.address,
                    reason=reason,
                )
            )


def _logged_in(user: User, session: Session) -> LoggedIn:
    return LoggedIn(
        at=session.created_at,
        by=f"user:{user.id}:{user.username}",
        user_id=user.id,
        username=user.username,
        address=session.address,
        user_agent=session.user_agent,
    )
