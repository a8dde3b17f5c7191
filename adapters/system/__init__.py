"""What the operating system gives: time, chance, password hashing, files for secrets."""

from adapters.system.chance import SystemIds
from adapters.system.clock import SystemClock
from adapters.system.secrets import SecretFiles

__all__ = ["SecretFiles", "SystemClock", "SystemIds"]
