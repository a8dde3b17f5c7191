"""The first account and the first provisioning key, made at the first start and shown once."""

from pathlib import Path

import msgspec
from attrs import field, frozen

from adapters.system.secrets import write_private
from core.actor import SYSTEM
from core.errors import Invalid, Unavailable
from core.provisioning import DEFAULT_FLEET, NewProvisioningKey
from core.services import Services
from entrypoints.wiring import settings as declared
from entrypoints.wiring.running import Running

ADMIN = "admin"
PASSWORD_BYTES = 12
FIRST_KEY = NewProvisioningKey(fleet_id=DEFAULT_FLEET, max_uses=10_000, description="made at the first start")


@frozen(kw_only=True)
class FirstCredentials:
    """Secrets that are to become good. None where they had been made at an earlier start.

    They are written down before they are made good: a crash in between must not leave an account with a password that
    nobody knows.
    """

    password: str | None = field(repr=False)
    provisioning_key: str | None = field(repr=False)

    async def make_good(self, services: Services) -> None:
        """Make the account and the key, as far as they are not there."""
        if self.password is not None:
            await services.accounts.bootstrap(ADMIN, self.password)
        if self.provisioning_key is not None:
            await services.provisioning_keys.create(SYSTEM, FIRST_KEY, secret=self.provisioning_key)


async def first_credentials(services: Services) -> FirstCredentials:
    """What has to be made at this start."""
    password = None
    if not await services.accounts.anybody():
        password = services.settings[declared.ADMIN_PASSWORD] or services.ids.secret(PASSWORD_BYTES)
    keys = await services.provisioning_keys.of_fleet(SYSTEM, None)
    return FirstCredentials(password=password, provisioning_key=None if keys else services.ids.secret())


def write_credentials(path: Path, running: Running, first: FirstCredentials) -> None:
    """Write the addresses and the credentials as JSON, for nobody else to read.

    What was made at an earlier start is not known any more: of that the file keeps what it had. Raises Invalid when
    there is something else in the file, Unavailable when it cannot be read or written.
    """
    try:
        known = _known(path) | {"url": running.url, "mqttUrl": running.mqtt_url, "username": ADMIN}
        if first.password:
            known["password"] = first.password
        if first.provisioning_key:
            known["provisioningKey"] = first.provisioning_key
        write_private(path, msgspec.json.format(msgspec.json.encode(known)).decode() + "\n", replace=True)
    except OSError as error:
        raise Unavailable(f"the credentials cannot be written to {path}: {error.strerror}") from error


def _known(path: Path) -> dict[str, str]:
    """What the file says. It may be empty, as those are that `mktemp` makes."""
    try:
        return msgspec.json.decode(path.read_bytes().strip() or b"{}", type=dict[str, str])
    except FileNotFoundError:
        return {}
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Invalid(f"{path} holds something other than credentials: name another file") from error
