"""Topics in SQL."""

import pytest

from adapters.sql.monitoring import SqlTopicStore
from tests.contracts.topic_store import TopicStoreContract


class TestTopics(TopicStoreContract):
    """Topics and their histories."""

    @pytest.fixture
    def store(self) -> SqlTopicStore:
        """The store."""
        return SqlTopicStore()
