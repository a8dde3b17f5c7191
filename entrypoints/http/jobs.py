"""Jobs, as agents ask for them (contract §2.10)."""

from aiohttp import web

from entrypoints.http.requests import device_of
from entrypoints.http.responses import json
from entrypoints.http.routing import DEVICE, Route


async def next_job(request: web.Request) -> web.Response:
    """Tell the device that there is nothing to do."""
    message = f"there is no job for the device {device_of(request)}"
    return json({"error": "No pending jobs", "message": message}, status=404)


def job_routes() -> list[Route]:
    """The routes of jobs."""
    return [
        Route(
            method="GET",
            path="/devices/{uuid}/jobs/next",
            handler=next_job,
            allow=DEVICE,
            summary="Ask for the next job (agents)",
            answers={200: "The job", 404: "There is nothing to do"},
        )
    ]
