"""Tags of devices and their definitions (contract §4.10)."""

from typing import Any

import msgspec
from aiohttp import web

from core.devices import DEVICE_READ, DEVICE_WRITE
from core.ids import device_uuid
from core.services import Services
from core.tags import (
    SETTINGS_READ,
    SETTINGS_WRITE,
    NewTagDefinition,
    TagDefinition,
    TagDefinitionEdit,
    TaggedDevice,
)
from entrypoints.http.devices import PAGING, query_of
from entrypoints.http.requests import actor_of, body_as, device_of
from entrypoints.http.responses import json
from entrypoints.http.routing import MIB, Route, user_with


class TagBody(msgspec.Struct):
    """POST /devices/{uuid}/tags."""

    key: str
    value: str


class TagsBody(msgspec.Struct):
    """PUT /devices/{uuid}/tags: all the tags there shall be."""

    tags: dict[str, str]


class SelectorsBody(msgspec.Struct, rename="camel"):
    """POST /devices/query: the tags that a device must have, all of them."""

    tag_selectors: dict[str, str]


class BulkBody(msgspec.Struct, rename="camel"):
    """POST /devices/tags/bulk: the same tags on many devices."""

    device_uuids: list[str]
    tags: dict[str, str]


class NewDefinitionBody(msgspec.Struct, rename="camel"):
    """POST /tags/definitions. No allowed values means any."""

    key: str
    description: str | None = None
    allowed_values: list[str] | None = None
    is_required: bool = False


class DefinitionEditBody(msgspec.Struct, rename="camel"):
    """PUT /tags/definitions/{key}. What is absent stays as it is; an empty list allows any value."""

    description: str | None = None
    allowed_values: list[str] | None = None
    is_required: bool | None = None


class TagRoutes:
    """Handlers for the tags of devices."""

    def __init__(self, services: Services) -> None:
        self._tags = services.tags

    async def show(self, request: web.Request) -> web.Response:
        """Show the tags of a device."""
        uuid = device_of(request)
        return json({"deviceUuid": uuid, "tags": await self._tags.of(actor_of(request), uuid)})

    async def put(self, request: web.Request) -> web.Response:
        """Write one tag."""
        body = await body_as(request, TagBody)
        key, value = await self._tags.put(actor_of(request), device_of(request), body.key, body.value)
        return json({"success": True, "message": f"Tag {key} is set", "tag": {"key": key, "value": value}})

    async def replace(self, request: web.Request) -> web.Response:
        """Replace all tags."""
        wanted = (await body_as(request, TagsBody)).tags
        tags = await self._tags.replace(actor_of(request), device_of(request), wanted)
        return json({"success": True, "message": "The tags are replaced", "tags": tags})

    async def remove(self, request: web.Request) -> web.Response:
        """Take one tag off."""
        key = request.match_info["key"]
        await self._tags.remove(actor_of(request), device_of(request), key)
        return json({"success": True, "message": f"Tag {key} is removed", "key": key})

    async def find(self, request: web.Request) -> web.Response:
        """Find devices by their tags."""
        selectors = (await body_as(request, SelectorsBody)).tag_selectors
        page = await self._tags.find(actor_of(request), selectors, query_of(request))
        found = [tagged_as_json(tagged) for tagged in page.items]
        return json({"count": len(found), "devices": found, "total": page.total, "nextCursor": page.next})

    async def apply(self, request: web.Request) -> web.Response:
        """Write the same tags on many devices."""
        body = await body_as(request, BulkBody)
        uuids = [device_uuid(uuid, "deviceUuids") for uuid in body.device_uuids]
        updated = await self._tags.apply(actor_of(request), uuids, body.tags)
        counted = {"devicesUpdated": updated, "tagsApplied": len(body.tags)}
        message = f"{len(body.tags)} tags are set on {updated} devices"
        return json({"success": True, "message": message, **counted, "totalOperations": updated * len(body.tags)})

    async def keys(self, request: web.Request) -> web.Response:
        """List the keys that are on devices."""
        uses = await self._tags.uses(actor_of(request))
        return json({"count": len(uses), "keys": [{"key": use.key, "deviceCount": use.devices} for use in uses]})

    async def values(self, request: web.Request) -> web.Response:
        """List the values that stand under a key."""
        key = request.match_info["key"]
        values = await self._tags.values(actor_of(request), key)
        return json({"key": key, "count": len(values), "values": values})


class TagDefinitionRoutes:
    """Handlers for what may be written under which key."""

    def __init__(self, services: Services) -> None:
        self._definitions = services.tag_definitions

    async def index(self, request: web.Request) -> web.Response:
        """List the definitions."""
        definitions = await self._definitions.all(actor_of(request))
        return json({"count": len(definitions), "definitions": [definition_as_json(each) for each in definitions]})

    async def create(self, request: web.Request) -> web.Response:
        """Make a definition."""
        body = await body_as(request, NewDefinitionBody)
        wanted = NewTagDefinition(
            key=body.key,
            description=body.description,
            allowed_values=body.allowed_values or (),
            is_required=body.is_required,
        )
        definition = await self._definitions.create(actor_of(request), wanted)
        return json({"success": True, "definition": definition_as_json(definition)}, status=201)

    async def edit(self, request: web.Request) -> web.Response:
        """Change a definition."""
        body = await body_as(request, DefinitionEditBody)
        edit = TagDefinitionEdit(
            description=body.description, allowed_values=body.allowed_values, is_required=body.is_required
        )
        definition = await self._definitions.edit(actor_of(request), request.match_info["key"], edit)
        return json({"success": True, "definition": definition_as_json(definition)})

    async def remove(self, request: web.Request) -> web.Response:
        """Remove a definition that no device needs."""
        key = request.match_info["key"]
        await self._definitions.remove(actor_of(request), key)
        return json({"success": True, "message": f"The definition of {key} is removed"})


def tagged_as_json(tagged: TaggedDevice) -> dict[str, Any]:
    """A device as a search by tags shows it."""
    device = tagged.device
    return {
        "uuid": device.uuid,
        "deviceName": device.name,
        "deviceType": device.type,
        "isOnline": device.is_online,
        "tags": tagged.tags,
    }


def definition_as_json(definition: TagDefinition) -> dict[str, Any]:
    """A definition."""
    return {
        "id": definition.id,
        "key": definition.key,
        "description": definition.description,
        "allowedValues": definition.allowed_values,
        "isRequired": definition.is_required,
        "createdAt": definition.created_at,
        "createdBy": definition.created_by,
        "updatedAt": definition.updated_at,
    }


def tag_routes(services: Services) -> list[Route]:
    """The routes of tags and their definitions."""
    tags, definitions = TagRoutes(services), TagDefinitionRoutes(services)
    return [*_device_tag_routes(tags), *_search_routes(tags), *_definition_routes(definitions)]


def _device_tag_routes(own: TagRoutes) -> list[Route]:
    tags = "/devices/{uuid}/tags"
    read, write = user_with(DEVICE_READ), user_with(DEVICE_WRITE)
    return [
        Route(method="GET", path=tags, handler=own.show, allow=read, summary="Show the tags of a device"),
        Route(
            method="POST",
            path=tags,
            handler=own.put,
            allow=write,
            summary="Write one tag on a device",
            body=TagBody,
            body_limit=MIB,
        ),
        Route(
            method="PUT",
            path=tags,
            handler=own.replace,
            allow=write,
            summary="Replace the tags of a device",
            body=TagsBody,
            body_limit=MIB,
        ),
        Route(
            method="DELETE",
            path=tags + "/{key}",
            handler=own.remove,
            allow=write,
            summary="Take a tag off a device",
            body=None,
            answers={409: "Every device must have this tag"},
        ),
    ]


def _search_routes(own: TagRoutes) -> list[Route]:
    read, write = user_with(DEVICE_READ), user_with(DEVICE_WRITE)
    return [
        Route(
            method="POST",
            path="/devices/query",
            handler=own.find,
            allow=read,
            summary="Find the devices that have all of some tags",
            body=SelectorsBody,
            query=PAGING,
            body_limit=MIB,
        ),
        Route(
            method="POST",
            path="/devices/tags/bulk",
            handler=own.apply,
            allow=write,
            summary="Write the same tags on many devices, on all or none",
            body=BulkBody,
            answers={404: "Names the devices that do not exist; nothing was written"},
            body_limit=MIB,
        ),
        Route(method="GET", path="/tags/keys", handler=own.keys, allow=read, summary="Keys of tags in use"),
        Route(
            method="GET", path="/tags/values/{key}", handler=own.values, allow=read, summary="Values of a tag in use"
        ),
    ]


def _definition_routes(own: TagDefinitionRoutes) -> list[Route]:
    definitions, one = "/tags/definitions", "/tags/definitions/{key}"
    read, write = user_with(SETTINGS_READ), user_with(SETTINGS_WRITE)
    return [
        Route(method="GET", path=definitions, handler=own.index, allow=read, summary="List the definitions of tags"),
        Route(
            method="POST",
            path=definitions,
            handler=own.create,
            allow=write,
            summary="Say what may be written under a key",
            body=NewDefinitionBody,
            answers={201: "The definition", 409: "The tag is defined already"},
            body_limit=MIB,
        ),
        Route(
            method="PUT",
            path=one,
            handler=own.edit,
            allow=write,
            summary="Say something else of what may be written under a key",
            body=DefinitionEditBody,
            body_limit=MIB,
        ),
        Route(
            method="DELETE",
            path=one,
            handler=own.remove,
            allow=write,
            summary="Remove the definition of a tag that no device has",
            body=None,
            answers={409: "Devices have the tag"},
        ),
    ]
