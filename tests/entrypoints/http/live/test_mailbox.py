"""What waits to be sent has bounds."""

import asyncio

from entrypoints.http.live.mailbox import Mailbox


async def everything(mailbox: Mailbox, count: int) -> list[bytes]:
    """What waits."""
    return [await mailbox.next() for _ in range(count)]


async def test_messages_come_in_their_order() -> None:
    mailbox = Mailbox()
    for message in (b"1", b"2", b"3"):
        mailbox.put(message)
    assert await everything(mailbox, 3) == [b"1", b"2", b"3"]


async def test_a_reader_waits_for_a_message() -> None:
    mailbox = Mailbox()
    reading = asyncio.create_task(mailbox.next())
    await asyncio.sleep(0)
    mailbox.put(b"1")
    assert await reading == b"1"


async def test_the_newest_are_kept_for_a_reader_who_is_slow() -> None:
    mailbox = Mailbox(most=2)
    for message in (b"1", b"2", b"3"):
        mailbox.put(message)
    assert (await everything(mailbox, 2), mailbox.dropped) == ([b"2", b"3"], 1)


async def test_bytes_count_as_well_but_the_newest_is_always_kept() -> None:
    mailbox = Mailbox(most_bytes=10)
    for message in (b"1" * 6, b"2" * 6, b"3" * 60):
        mailbox.put(message)
    assert (await everything(mailbox, 1), mailbox.dropped) == ([b"3" * 60], 2)
