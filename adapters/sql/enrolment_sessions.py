"""Challenges that registrations have used up, in SQL. Implements `core.provisioning.UsedChallenges`."""

from datetime import datetime

from sqlalchemy import Column, Index, Table, Text, bindparam, delete

from adapters.sql.transactions import sql
from adapters.sql.types import Instant, metadata
from adapters.sql.upserts import InsertOnce
from core.digests import digest_of
from core.provisioning import Challenge
from core.transactions import Transaction

enrolment_sessions = Table(
    "enrolment_sessions",
    metadata,
    Column("challenge", Text, primary_key=True),
    Column("device_uuid", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("used_at", Instant, nullable=False),
    Index("ix_enrolment_sessions_expires_at", "expires_at"),
)

_USE = InsertOnce(enrolment_sessions, key="challenge")
_EXPIRED = delete(enrolment_sessions).where(enrolment_sessions.c.expires_at <= bindparam("now"))


class SqlUsedChallenges:
    """Stateless; everything is in the table, as digests."""

    async def use(self, tx: Transaction, challenge: Challenge, now: datetime) -> bool:
        """Note that it is used up; whether it was not before. The primary key is the judge."""
        row = {
            "challenge": digest_of(challenge.text),
            "device_uuid": challenge.uuid,
            "fingerprint": challenge.fingerprint,
            "expires_at": challenge.expires_at,
            "used_at": now,
        }
        return await _USE.run(tx, row)

    async def forget_expired(self, tx: Transaction, now: datetime) -> int:
        """Forget those that nobody would accept any more."""
        return await sql(tx).run(_EXPIRED, {"now": now})
