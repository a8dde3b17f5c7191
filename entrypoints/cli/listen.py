"""`iotistic listen`: messages of devices from the broker."""

from typing import Annotated

import typer


def listen(*, supervised: Annotated[bool, typer.Option("--supervised", hidden=True)] = False) -> None:
    """Take what devices publish, and acknowledge it to the broker when it is stored.

    Any number of them share the readings; one of them has the reports of state, whose order matters. When one dies
    another takes what the broker had kept for it. Needs [bold]DATABASE_URL[/bold], [bold]JWT_SECRET[/bold] and
    [bold]MQTT_URL[/bold].
    """
    import asyncio

    from entrypoints.cli.processes import environment_with, run_until_stopped
    from entrypoints.wiring.processes import listener_process

    environment = environment_with()

    async def run(stopping: asyncio.Event) -> None:
        async with listener_process(environment):
            await stopping.wait()

    run_until_stopped(run, environment, role="listen", supervised=supervised)
