"""`python -m tests.snapshots.renew`: write the lists anew. Look at the differences before you commit them."""

import asyncio

from tests.snapshots.lists import FOLDER, LISTS


async def renew() -> None:
    """Write every list."""
    for name, made in LISTS.items():
        (FOLDER / name).write_text(await made(), encoding="utf-8")


if __name__ == "__main__":
    asyncio.run(renew())
