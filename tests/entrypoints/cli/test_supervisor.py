"""Several processes of a kind: they are kept alive, and leave together."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from entrypoints.cli.supervisor import FIRST_PAUSE, Supervisor

# Says that it is there by making a file, and stays until SIGTERM.
STAYS = """
import os, pathlib, signal, sys
signal.signal(signal.SIGTERM, lambda *_: (pathlib.Path(sys.argv[1], f"left-{os.getpid()}").touch(), sys.exit(0)))
pathlib.Path(sys.argv[1], f"{os.environ['IOTISTIC_WORKER']}-{os.getpid()}").touch()
while True:
    signal.pause()
"""
DIES = """
import os, pathlib, sys
pathlib.Path(sys.argv[1], f"{os.environ['IOTISTIC_WORKER']}-{os.getpid()}").touch()
sys.exit(3)
"""
# As a real one does: leaves when its supervisor is gone.
FOLLOWS = """
import asyncio, os, pathlib, sys
sys.path.insert(0, sys.argv[2])
from entrypoints.cli.supervisor import orphaned
pathlib.Path(sys.argv[1], f"{os.environ['IOTISTIC_WORKER']}-{os.getpid()}").touch()
stopping = asyncio.Event()
asyncio.run(orphaned(stopping))
pathlib.Path(sys.argv[1], f"left-{os.getpid()}").touch()
"""
SUPERVISES = """
import asyncio, os, sys
sys.path.insert(0, sys.argv[2])
from entrypoints.cli.supervisor import Supervisor
command = [sys.executable, "-c", sys.argv[3], sys.argv[1], sys.argv[2]]
asyncio.run(Supervisor(command, dict(os.environ), 2).run(asyncio.Event()))
"""
ROOT = Path(__file__).parents[3]


async def until(folder: Path, enough: Callable[[list[str]], bool]) -> list[str]:
    """The names of the files in the folder, once they are enough. Other processes make them: there is no event."""
    async with asyncio.timeout(20):
        while True:
            names = await asyncio.to_thread(lambda: sorted(path.name for path in folder.iterdir()))
            if enough(names):
                return names
            await asyncio.sleep(0.02)


def running(names: list[str]) -> dict[str, int]:
    """Process ids by number of the worker; the last one made."""
    return {name.partition("-")[0]: int(name.partition("-")[2]) for name in names if not name.startswith("left")}


async def test_each_has_its_number_and_leaves_when_told(tmp_path: Path) -> None:
    supervisor = Supervisor([sys.executable, "-c", STAYS, str(tmp_path)], os.environ, 3)
    stopping = asyncio.Event()
    task = asyncio.create_task(supervisor.run(stopping))
    names = await until(tmp_path, lambda names: len(names) == 3)
    assert set(running(names)) == {"1", "2", "3"}
    stopping.set()
    await task
    assert len(await until(tmp_path, lambda names: len(names) == 6)) == 6


async def test_one_that_is_killed_is_started_again(tmp_path: Path) -> None:
    supervisor = Supervisor([sys.executable, "-c", STAYS, str(tmp_path)], os.environ, 2, first_pause=0.01)
    stopping = asyncio.Event()
    task = asyncio.create_task(supervisor.run(stopping))
    first = running(await until(tmp_path, lambda names: len(names) == 2))
    os.kill(first["1"], signal.SIGKILL)
    names = await until(tmp_path, lambda names: len(names) == 3)
    assert sum(name.startswith("1-") for name in names) == 2
    stopping.set()
    await task


async def test_one_that_dies_at_once_is_given_ever_more_time(tmp_path: Path) -> None:
    supervisor = Supervisor([sys.executable, "-c", DIES, str(tmp_path)], os.environ, 1)
    stopping = asyncio.Event()
    task = asyncio.create_task(supervisor.run(stopping))
    await until(tmp_path, lambda names: len(names) >= 2)
    assert supervisor.workers[0].pause > FIRST_PAUSE
    stopping.set()
    await task


async def test_nobody_stays_behind_when_the_supervisor_is_killed(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SUPERVISES, str(tmp_path), str(ROOT), FOLLOWS, stderr=asyncio.subprocess.DEVNULL
    )
    await until(tmp_path, lambda names: len(names) == 2)
    process.kill()
    await process.wait()
    await until(tmp_path, lambda names: sum(name.startswith("left") for name in names) == 2)
