"""What a store of settings promises."""

from typing import Any

import pytest

from core.settings import StoredSettings
from core.transactions import Transactions


class StoredSettingsContract:
    """The tests."""

    @pytest.mark.parametrize("value", [0, False, "", [], {"apps": {}, "text": "ü\u2028"}, [1.5, None], 2**53])
    async def test_a_value_comes_back_as_it_was_put(
        self, stored: StoredSettings, transactions: Transactions, value: Any
    ) -> None:
        async with transactions.begin() as tx:
            await stored.put(tx, "key", value)
        async with transactions.read() as tx:
            assert await stored.get(tx, "key") == value

    async def test_what_was_never_set_is_none(self, stored: StoredSettings, transactions: Transactions) -> None:
        async with transactions.read() as tx:
            assert await stored.get(tx, "key") is None

    async def test_the_last_value_counts_and_other_keys_are_left_alone(
        self, stored: StoredSettings, transactions: Transactions
    ) -> None:
        async with transactions.begin() as tx:
            await stored.put(tx, "other", "kept")
            await stored.put(tx, "key", {"a": 1, "b": 2})
            await stored.put(tx, "key", {"b": 3})
            assert await stored.get(tx, "key") == {"b": 3}
            assert await stored.get(tx, "other") == "kept"
