"""The fixture `tagging`: the real use cases of tags and groups on the test's own SQLite file."""

from collections.abc import Mapping
from typing import Any

import pytest
from attrs import frozen

from adapters.sql.device_overviews import SqlDeviceOverviews
from adapters.sql.groups import SqlGroupStore
from adapters.sql.tags import SqlTagDefinitionStore, SqlTagStore
from core.actor import SYSTEM
from core.groups import Groups
from core.ids import DeviceUuid
from core.tags import NewTagDefinition, TagDefinitions, Tags
from tests.support.enrolment import Enrolling, a_registration


@frozen(kw_only=True)
class Tagging:
    """Devices that can be tagged, and found by it."""

    enrolling: Enrolling
    tags: Tags
    definitions: TagDefinitions
    groups: Groups

    async def device(self, tags: Mapping[str, str] | None = None, **fields: Any) -> DeviceUuid:
        """A device that has enrolled, with these tags."""
        _, secret = await self.enrolling.key()
        uuid = (await self.enrolling.register(secret, a_registration(**fields))).device.uuid
        if tags:
            await self.tags.replace(SYSTEM, uuid, tags)
        return uuid

    async def define(self, key: str, **wanted: Any) -> None:
        """Say what may be written under a key."""
        await self.definitions.create(SYSTEM, NewTagDefinition(key=key, **wanted))


@pytest.fixture
def tagging(enrolling: Enrolling) -> Tagging:
    """Tags and groups."""
    transactions, clock = enrolling.transactions, enrolling.clock
    store, definitions = SqlTagStore(), SqlTagDefinitionStore()
    return Tagging(
        enrolling=enrolling,
        tags=Tags(
            transactions=transactions, store=store, definitions=definitions, devices=enrolling.devices, clock=clock
        ),
        definitions=TagDefinitions(transactions=transactions, store=definitions, tags=store, clock=clock),
        groups=Groups(transactions=transactions, store=SqlGroupStore(), overviews=SqlDeviceOverviews(), clock=clock),
    )
