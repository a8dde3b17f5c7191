"""A change of contract shows in a review: what others rely on stands in text files."""

import pytest

from tests.snapshots.lists import FOLDER, LISTS


@pytest.mark.parametrize("name", sorted(LISTS))
async def test_nothing_that_others_rely_on_changed_unseen(name: str) -> None:
    written = (FOLDER / name).read_text(encoding="utf-8")
    assert await LISTS[name]() == written, "if it is meant: python -m tests.snapshots.renew, and look at the difference"
