"""The yardstick: an aiohttp server whose one handler does nothing. Run as a process of its own."""

import asyncio
import sys

from aiohttp import web


async def _nothing(_request: web.Request) -> web.Response:
    return web.Response(text="ok")


async def serve(port: int) -> None:
    """Serve until killed."""
    app = web.Application()
    app.router.add_get("/", _nothing)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
