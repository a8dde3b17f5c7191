"""Who runs on a data folder: caches and the broker live in one process, so there must be only one."""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from adapters.system.secrets import OWNER_ONLY
from core.errors import Conflict, Unavailable

RUNNING = "running"


class Tenure:
    """Held by the process that runs on the folder. It ends with the process, however that ends."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def tell(self, facts: Mapping[str, Any]) -> None:
        """Leave word where we can be reached."""
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, json.dumps({"pid": os.getpid(), **facts}).encode(), 0)


@contextmanager
def sole_tenant(folder: Path) -> Iterator[Tenure]:
    """Be the only one who runs on the folder. Conflict if somebody else does, Unavailable if it is not writable."""
    try:
        descriptor = os.open(folder / RUNNING, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, OWNER_ONLY)
    except OSError as error:
        raise Unavailable(f"the data folder {folder} is not ours to write: {error.strerror}") from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            pid = _word(descriptor).get("pid", "unknown")
            raise Conflict(f"iotistic runs on {folder} already (process {pid})") from error
        tenure = Tenure(descriptor)
        tenure.tell({})
        yield tenure
    finally:
        os.close(descriptor)


def tenant_of(folder: Path) -> Mapping[str, Any] | None:
    """What the process that runs on the folder said of itself; None if there is none."""
    try:
        descriptor = os.open(folder / RUNNING, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _word(descriptor)
    finally:
        os.close(descriptor)
    return None


def _word(descriptor: int) -> Mapping[str, Any]:
    try:
        said = json.loads(os.pread(descriptor, 4096, 0))
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}
