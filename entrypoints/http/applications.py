"""The catalogue of applications, and the numbers of apps and services (contract §4.11)."""

from typing import Any

import msgspec
from aiohttp import web

from core.applications import Application, ApplicationChange, IdKind, IssuedId, NewApplication
from core.devices import DEVICE_READ, DEVICE_WRITE
from core.errors import NotFound
from core.services import Services
from entrypoints.http import declarations
from entrypoints.http.requests import Query, actor_of, body_as
from entrypoints.http.responses import json
from entrypoints.http.routing import MIB, Route, user_with
from entrypoints.http.state_history import number_of

APPLICATION = "/applications/{appId}"
REGISTRY = "/apps-services"


class NewApplicationBody(msgspec.Struct, rename="camel"):
    """POST /applications."""

    app_name: str
    slug: str
    description: str | None = None
    default_config: dict[str, Any] = {}


class ApplicationChangeBody(msgspec.Struct, rename="camel"):
    """PATCH /applications/{appId}. What is absent stays as it is."""

    app_name: str | None = None
    slug: str | None = None
    description: str | None = None
    default_config: dict[str, Any] | None = None


class NextAppBody(msgspec.Struct, rename="camel"):
    """POST /apps/next-id."""

    app_name: str
    metadata: dict[str, Any] = {}


class NextServiceBody(msgspec.Struct, rename="camel"):
    """POST /services/next-id."""

    service_name: str
    app_id: int
    image_name: str | None = None
    metadata: dict[str, Any] = {}


class ApplicationRoutes:
    """Handlers."""

    def __init__(self, services: Services) -> None:
        self._applications = services.applications

    async def create(self, request: web.Request) -> web.Response:
        """Put an application into the catalogue."""
        body = await body_as(request, NewApplicationBody)
        wanted = NewApplication(
            appName=body.app_name, slug=body.slug, description=body.description, defaultConfig=body.default_config
        )
        return json(_application_as_json(await self._applications.add(actor_of(request), wanted)), status=201)

    async def index(self, request: web.Request) -> web.Response:
        """The catalogue."""
        found = await self._applications.all(actor_of(request))
        return json({"count": len(found), "applications": [_application_as_json(each) for each in found]})

    async def show(self, request: web.Request) -> web.Response:
        """One application of the catalogue."""
        return json(_application_as_json(await self._applications.get(actor_of(request), number_of(request, "appId"))))

    async def change(self, request: web.Request) -> web.Response:
        """Change what the catalogue says; devices keep what they have."""
        body = await body_as(request, ApplicationChangeBody)
        change = ApplicationChange(
            appName=body.app_name, slug=body.slug, description=body.description, defaultConfig=body.default_config
        )
        changed = await self._applications.change(actor_of(request), number_of(request, "appId"), change)
        return json(_application_as_json(changed))

    async def remove(self, request: web.Request) -> web.Response:
        """Take an application out of the catalogue that no device has."""
        removed = await self._applications.remove(actor_of(request), number_of(request, "appId"))
        message = f"{removed.app_name} is taken out of the catalogue"
        return json({"status": "ok", "message": message, "appId": removed.app_id})

    async def next_app(self, request: web.Request) -> web.Response:
        """Give out a number for an app."""
        body = await body_as(request, NextAppBody)
        issued = await self._applications.next_id(actor_of(request), IdKind.APP, body.app_name, metadata=body.metadata)
        return json({"appId": issued.id, "appName": issued.name, "metadata": issued.metadata})

    async def next_service(self, request: web.Request) -> web.Response:
        """Give out a number for a service."""
        body = await body_as(request, NextServiceBody)
        issued = await self._applications.next_id(
            actor_of(request),
            IdKind.SERVICE,
            body.service_name,
            app_id=body.app_id,
            image_name=body.image_name,
            metadata=body.metadata,
        )
        answer = {"serviceId": issued.id, "serviceName": issued.name, "appId": issued.app_id}
        return json({**answer, "imageName": issued.image_name, "metadata": issued.metadata})

    async def registry(self, request: web.Request) -> web.Response:
        """What numbers were given out for."""
        issued = await self._applications.issued(actor_of(request), Query(request).word("type", IdKind))
        return json({"count": len(issued), "entries": [_issued_as_json(each) for each in issued]})

    async def registered(self, request: web.Request) -> web.Response:
        """What one number was given out for."""
        number = number_of(request, "id")
        issued = await self._applications.issued_for(actor_of(request), _kind_of(request), number)
        return json(_issued_as_json(issued))


def _kind_of(request: web.Request) -> IdKind:
    known = {each.value: each for each in IdKind}
    kind = known.get(request.match_info["type"].removesuffix("s"))
    if kind is None:
        raise NotFound(f"there are numbers of {' and '.join(known)} only")
    return kind


def _application_as_json(application: Application) -> dict[str, Any]:
    return {
        "appId": application.app_id,
        "appName": application.app_name,
        "slug": application.slug,
        "description": application.description,
        "defaultConfig": application.default_config,
        "createdAt": application.created_at,
        "modifiedAt": application.modified_at,
    }


def _issued_as_json(issued: IssuedId) -> dict[str, Any]:
    return {
        "type": issued.kind.value,
        "id": issued.id,
        "name": issued.name,
        "appId": issued.id if issued.kind is IdKind.APP else issued.app_id,
        "imageName": issued.image_name,
        "metadata": issued.metadata,
        "createdAt": issued.created_at,
        "createdBy": issued.created_by,
    }


def application_routes(services: Services) -> list[Route]:
    """The routes of the catalogue."""
    own = ApplicationRoutes(services)
    return [*_reading(own), *_writing(own), *_numbering(own)]


def _reading(own: ApplicationRoutes) -> list[Route]:
    kinds = (declarations.word("type", "Only numbers of this kind", IdKind),)
    reading = [
        ("/applications", own.index, "List the catalogue", ()),
        (APPLICATION, own.show, "Show an application of the catalogue", ()),
        (REGISTRY + "/registry", own.registry, "List what numbers were given out for", kinds),
        (REGISTRY + "/{type}/{id}", own.registered, "Show what a number was given out for", ()),
    ]
    return [
        Route(method="GET", path=path, handler=handler, allow=user_with(DEVICE_READ), summary=summary, query=query)
        for path, handler, summary, query in reading
    ]


def _writing(own: ApplicationRoutes) -> list[Route]:
    write = user_with(DEVICE_WRITE)
    taken = "The slug is taken"
    return [
        Route(
            method="POST",
            path="/applications",
            handler=own.create,
            allow=write,
            summary="Put an application into the catalogue",
            body=NewApplicationBody,
            body_limit=MIB,
            answers={201: "The application", 409: taken},
        ),
        Route(
            method="PATCH",
            path=APPLICATION,
            handler=own.change,
            allow=write,
            summary="Change an application of the catalogue",
            body=ApplicationChangeBody,
            body_limit=MIB,
            answers={409: taken},
        ),
        Route(
            method="DELETE",
            path=APPLICATION,
            handler=own.remove,
            allow=write,
            summary="Take an application out of the catalogue",
            body=None,
            answers={409: "A device runs it, or has it in its draft"},
        ),
    ]


def _numbering(own: ApplicationRoutes) -> list[Route]:
    write = user_with(DEVICE_WRITE)
    return [
        Route(
            method="POST",
            path="/apps/next-id",
            handler=own.next_app,
            allow=write,
            summary="Get a number for an app",
            body=NextAppBody,
            body_limit=MIB,
        ),
        Route(
            method="POST",
            path="/services/next-id",
            handler=own.next_service,
            allow=write,
            summary="Get a number for a service",
            body=NextServiceBody,
            body_limit=MIB,
        ),
    ]
