"""Groups of devices: saved questions and who answers to them now."""

from typing import Any

import msgspec
from aiohttp import web

from core.devices import DEVICE_READ, DEVICE_WRITE
from core.errors import NotFound
from core.groups import DeviceSelector, Group, GroupEdit, NewGroup
from core.ids import GroupId
from core.services import Services
from entrypoints.http.devices import PAGING, page_as_json, query_of
from entrypoints.http.requests import actor_of, body_as
from entrypoints.http.responses import json
from entrypoints.http.routing import MIB, Route, user_with

LONGEST_NUMBER = 18


class NewGroupBody(msgspec.Struct):
    """POST /groups. `query` knows the words tags, type, fleetId, status, provisioningState, online and search."""

    name: str
    query: dict[str, Any]
    description: str | None = None


class GroupEditBody(msgspec.Struct):
    """PUT /groups/{id}. What is absent stays as it is."""

    name: str | None = None
    query: dict[str, Any] | None = None
    description: str | None = None


class GroupRoutes:
    """Handlers."""

    def __init__(self, services: Services) -> None:
        self._groups = services.groups

    async def index(self, request: web.Request) -> web.Response:
        """List groups."""
        groups = await self._groups.all(actor_of(request))
        return json({"count": len(groups), "groups": [group_as_json(group) for group in groups]})

    async def create(self, request: web.Request) -> web.Response:
        """Make a group."""
        body = await body_as(request, NewGroupBody)
        wanted = NewGroup(name=body.name, description=body.description, selector=DeviceSelector.of(body.query))
        group = await self._groups.create(actor_of(request), wanted)
        return json({"success": True, "group": group_as_json(group)}, status=201)

    async def show(self, request: web.Request) -> web.Response:
        """Show a group."""
        return json({"group": group_as_json(await self._groups.get(actor_of(request), group_of(request)))})

    async def edit(self, request: web.Request) -> web.Response:
        """Change a group."""
        body = await body_as(request, GroupEditBody)
        selector = None if body.query is None else DeviceSelector.of(body.query)
        edit = GroupEdit(name=body.name, description=body.description, selector=selector)
        group = await self._groups.edit(actor_of(request), group_of(request), edit)
        return json({"success": True, "group": group_as_json(group)})

    async def remove(self, request: web.Request) -> web.Response:
        """Forget a group."""
        group = await self._groups.remove(actor_of(request), group_of(request))
        return json({"success": True, "message": f"Group {group.name} is removed"})

    async def members(self, request: web.Request) -> web.Response:
        """List the devices of a group."""
        query = query_of(request)
        page = await self._groups.page(actor_of(request), group_of(request), query)
        return json(page_as_json(page, query))


def group_of(request: web.Request) -> GroupId:
    """The group that the path names. NotFound when it is no number."""
    text = request.match_info["id"]
    if not (text.isascii() and text.isdigit() and len(text) <= LONGEST_NUMBER):
        raise NotFound("there is no such group")
    return GroupId(int(text))


def group_as_json(group: Group) -> dict[str, Any]:
    """A group with its question."""
    return {
        "id": group.id,
        "name": group.name,
        "description": group.description,
        "query": group.selector.document(),
        "createdAt": group.created_at,
        "createdBy": group.created_by,
        "updatedAt": group.updated_at,
    }


def group_routes(services: Services) -> list[Route]:
    """The routes of groups."""
    own = GroupRoutes(services)
    read, write = user_with(DEVICE_READ), user_with(DEVICE_WRITE)
    one = "/groups/{id}"
    taken = "Another group has this name"
    return [
        Route(method="GET", path="/groups", handler=own.index, allow=read, summary="List groups of devices"),
        Route(
            method="POST",
            path="/groups",
            handler=own.create,
            allow=write,
            summary="Save a question for devices as a group",
            body=NewGroupBody,
            answers={201: "The group", 409: taken},
            body_limit=MIB,
        ),
        Route(method="GET", path=one, handler=own.show, allow=read, summary="Show a group of devices"),
        Route(
            method="PUT",
            path=one,
            handler=own.edit,
            allow=write,
            summary="Change a group of devices",
            body=GroupEditBody,
            answers={409: taken},
            body_limit=MIB,
        ),
        Route(
            method="DELETE",
            path=one,
            handler=own.remove,
            allow=write,
            summary="Remove a group; its devices stay",
            body=None,
        ),
        Route(
            method="GET",
            path=one + "/devices",
            handler=own.members,
            allow=read,
            summary="List the devices that are in a group now",
            query=PAGING,
        ),
    ]
