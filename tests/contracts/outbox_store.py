"""What a store of announced events promises."""

from datetime import datetime, timedelta
from typing import Any

from core.devices import DeviceOnline
from core.events import Announced
from core.outbox import Failure, OutboxStore, lane_of
from core.transactions import Transactions
from tests.support.clock import NOON
from tests.support.enrolment import new_uuid


def an_event() -> DeviceOnline:
    """Something that happened."""
    return DeviceOnline(at=NOON, by="system", uuid=new_uuid())


def a_failure(event: Announced[Any], reaction: str = "mail", *, retry_at: datetime | None = NOON) -> Failure:
    """A reaction that failed once."""
    return Failure(event_id=event.id, reaction=reaction, attempts=1, error="no", retry_at=retry_at)


class OutboxStoreContract:
    """The tests."""

    async def announced(self, store: OutboxStore, transactions: Transactions, count: int) -> list[Announced[Any]]:
        """Events that nobody has been told of."""
        async with transactions.begin() as tx:
            for _ in range(count):
                tx.announce(an_event())
        async with transactions.read() as tx:
            return list(await store.pending(tx, 100))

    async def test_events_wait_in_the_order_of_their_announcement(
        self, store: OutboxStore, transactions: Transactions
    ) -> None:
        events = [an_event() for _ in range(3)]
        async with transactions.begin() as tx:
            for event in events:
                tx.announce(event)
        async with transactions.read() as tx:
            pending = await store.pending(tx, 2)
            assert [announced.event for announced in pending] == events[:2]
            assert pending[0].id < pending[1].id
            assert await store.pending(tx, 2) == pending
            assert await store.backlog(tx) == 3
            assert await store.oldest(tx) == NOON

    async def test_what_every_reaction_has_had_is_forgotten(
        self, store: OutboxStore, transactions: Transactions
    ) -> None:
        first, second = await self.announced(store, transactions, 2)
        async with transactions.begin() as tx:
            await store.relayed(tx, [first.id], [])
            assert await store.pending(tx, 10) == [second]
            assert await store.backlog(tx) == 1
            await store.relayed(tx, [], [])
            await store.relayed(tx, [second.id], [])
            assert (await store.backlog(tx), await store.oldest(tx)) == (0, None)

    async def test_a_failure_is_due_when_its_time_has_come_the_longest_waiting_first(
        self, store: OutboxStore, transactions: Transactions
    ) -> None:
        [event] = await self.announced(store, transactions, 1)
        late = a_failure(event, "late", retry_at=NOON + timedelta(seconds=2))
        early, never = a_failure(event, "early"), a_failure(event, "never", retry_at=None)
        async with transactions.begin() as tx:
            await store.relayed(tx, [event.id], [late, early, never])
            assert await store.pending(tx, 10) == []
            assert await store.due(tx, NOON - timedelta(seconds=1), 10) == []
            assert await store.due(tx, NOON, 10) == [(early, event)]
            assert await store.due(tx, NOON + timedelta(hours=1), 10) == [(early, event), (late, event)]
            assert await store.due(tx, NOON + timedelta(hours=1), 1) == [(early, event)]

    async def test_an_event_stays_until_its_last_failure_is_settled(
        self, store: OutboxStore, transactions: Transactions
    ) -> None:
        [event] = await self.announced(store, transactions, 1)
        one, two = a_failure(event, "one"), a_failure(event, "two")
        async with transactions.begin() as tx:
            await store.relayed(tx, [event.id], [one, two])
            await store.settle(tx, one, None)
            assert await store.due(tx, NOON, 10) == [(two, event)]
            await store.settle(tx, two, None)
            assert await store.due(tx, NOON, 10) == []
            # Nothing of it is left: a failure cannot be booked for it any more.
            await store.relayed(tx, [event.id], [])
            assert await store.dead(tx, 10) == []

    async def test_lanes_are_told_apart(self, store: OutboxStore, transactions: Transactions) -> None:
        first, second = await self.announced(store, transactions, 2)
        while lane_of(second.event) == lane_of(first.event):
            async with transactions.begin() as tx:
                await store.relayed(tx, [second.id], [])
            _, second = await self.announced(store, transactions, 1)
        lanes = sorted(lane_of(each.event) for each in (first, second))
        async with transactions.begin() as tx:
            assert await store.lanes(tx) == lanes
            assert await store.pending(tx, 10, lane_of(second.event)) == [second]
            await store.relayed(tx, [first.id, second.id], [a_failure(first), a_failure(second)])
            assert await store.lanes(tx) == []
            assert await store.lanes_due(tx, NOON - timedelta(seconds=1)) == []
            assert await store.lanes_due(tx, NOON) == lanes
            assert await store.due(tx, NOON, 10, lane_of(second.event)) == [(a_failure(second), second)]

    async def test_what_somebody_else_has_settled_is_passed_over(
        self, store: OutboxStore, transactions: Transactions
    ) -> None:
        first, second = await self.announced(store, transactions, 2)
        async with transactions.begin() as tx:
            await store.relayed(tx, [first.id], [])
            await store.relayed(tx, [first.id, second.id], [a_failure(first), a_failure(second)])
            assert await store.due(tx, NOON, 10) == [(a_failure(second), second)]

    async def test_a_failure_is_replaced_by_its_successor(self, store: OutboxStore, transactions: Transactions) -> None:
        [event] = await self.announced(store, transactions, 1)
        again = Failure(event_id=event.id, reaction="mail", attempts=2, error="still no", retry_at=NOON)
        async with transactions.begin() as tx:
            await store.relayed(tx, [event.id], [a_failure(event), a_failure(event, "other")])
            await store.settle(tx, a_failure(event), again)
            assert {failure for failure, _ in await store.due(tx, NOON, 10)} == {again, a_failure(event, "other")}

    async def test_dead_letters_are_listed_newest_first_and_can_be_revived(
        self, store: OutboxStore, transactions: Transactions
    ) -> None:
        old, new = await self.announced(store, transactions, 2)
        async with transactions.begin() as tx:
            dead = [a_failure(event, retry_at=None) for event in (old, new)]
            await store.relayed(tx, [old.id, new.id], [*dead, a_failure(old, "living")])
            letters = await store.dead(tx, 10)
            assert [letter.failure.event_id for letter in letters] == [new.id, old.id]
            assert (letters[0].event, letters[0].announced_at) == ("device.online", NOON)
            assert (len(await store.dead(tx, 1)), await store.count_dead(tx)) == (1, 2)
            assert await store.revive(tx, old.id, "mail", NOON)
            [(revived, _)] = [each for each in await store.due(tx, NOON, 10) if each[0].reaction == "mail"]
            assert (revived.event_id, revived.attempts) == (old.id, 0)

    async def test_only_dead_letters_can_be_revived(self, store: OutboxStore, transactions: Transactions) -> None:
        [event] = await self.announced(store, transactions, 1)
        async with transactions.begin() as tx:
            await store.relayed(tx, [event.id], [a_failure(event, "living"), a_failure(event, "dead", retry_at=None)])
            assert not await store.revive(tx, event.id, "living", NOON)
            assert not await store.revive(tx, event.id, "unknown", NOON)
            assert not await store.revive(tx, 99, "dead", NOON)
            assert await store.revive(tx, event.id, "dead", NOON)
            assert not await store.revive(tx, event.id, "dead", NOON)
