"""Tags: what people write on devices to find them again, and the definitions that say what may be written."""

from core.tags.definitions import SETTINGS_READ, SETTINGS_WRITE, TagDefinitions
from core.tags.events import DeviceTagged, TagDefinitionCreated, TagDefinitionEdited, TagDefinitionRemoved
from core.tags.model import (
    MOST_DEVICES_AT_ONCE,
    MOST_TAGS,
    NewTagDefinition,
    TagDefinition,
    TagDefinitionEdit,
    TaggedDevice,
    TagUse,
    selectors_of,
    tag_key,
    tag_value,
    tags_of,
)
from core.tags.ports import TagDefinitionStore, TagStore
from core.tags.service import Tags

__all__ = [
    "MOST_DEVICES_AT_ONCE",
    "MOST_TAGS",
    "SETTINGS_READ",
    "SETTINGS_WRITE",
    "DeviceTagged",
    "NewTagDefinition",
    "TagDefinition",
    "TagDefinitionCreated",
    "TagDefinitionEdit",
    "TagDefinitionEdited",
    "TagDefinitionRemoved",
    "TagDefinitionStore",
    "TagDefinitions",
    "TagStore",
    "TagUse",
    "TaggedDevice",
    "Tags",
    "selectors_of",
    "tag_key",
    "tag_value",
    "tags_of",
]
