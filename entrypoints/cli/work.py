"""`iotistic work`: reactions to what happened, and what is done again and again."""

from typing import Annotated

import typer


def work(
    *,
    concurrency: Annotated[int, typer.Option(help="How many deliveries run at the same time.", min=1, max=64)] = 8,
    supervised: Annotated[bool, typer.Option("--supervised", hidden=True)] = False,
) -> None:
    """Take what happened to those who react to it, and do what has to be done again and again.

    Any number of them share the work; one of them, the leader, runs the periodic tasks, and when it dies another does.
    Needs [bold]DATABASE_URL[/bold], [bold]JWT_SECRET[/bold], [bold]MQTT_URL[/bold] and a queue: [bold]REDIS_URL[/bold]
    or [bold]QUEUE_URL[/bold].
    """
    import asyncio

    from entrypoints.cli.processes import environment_with, run_until_stopped
    from entrypoints.wiring.processes import worker_process

    environment = environment_with()

    async def run(stopping: asyncio.Event) -> None:
        async with worker_process(environment, concurrency=concurrency):
            await stopping.wait()

    run_until_stopped(run, environment, role="work", supervised=supervised)
