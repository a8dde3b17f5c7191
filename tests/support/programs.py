"""Programs of the system that some tests are about."""

import shutil

import pytest

# Debian's daemons are not on everybody's PATH.
DAEMONS = "/usr/sbin:/usr/local/sbin"


def program(name: str, package: str = "") -> str:
    """Where the program is. The test is skipped, saying what to install, where it is not; `.ci/run` takes no skips."""
    found = shutil.which(name) or shutil.which(name, path=DAEMONS)
    if found is None:
        pytest.skip(f"{name} is not installed: apt install {package or name}")
    return found
