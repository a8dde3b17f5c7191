"""Which role holds which permission (contract §6.3)."""

from collections.abc import Iterable

from core.actor import Permission, PermissionGrant, Role
from core.errors import Conflict

USER_READ = Permission("user:read")
USER_WRITE = Permission("user:write")
USER_DELETE = Permission("user:delete")


def _grant(name: str, lowest: Role, summary: str) -> PermissionGrant:
    return PermissionGrant(Permission(name), lowest, summary)


# The features that ask for these name them again themselves: a feature does not depend on this table.
GRANTS: tuple[PermissionGrant, ...] = (
    PermissionGrant(USER_READ, Role.VIEWER, "See who has an account"),
    PermissionGrant(USER_WRITE, Role.MANAGER, "Make and change accounts, up to one's own role"),
    PermissionGrant(USER_DELETE, Role.ADMIN, "Delete accounts, up to one's own role"),
    _grant("device:read", Role.VIEWER, "See devices, their state and their tags"),
    _grant("device:write", Role.MANAGER, "Change devices and what they should run"),
    _grant("device:delete", Role.ADMIN, "Remove devices"),
    _grant("device:control", Role.OPERATOR, "Deploy, run jobs on and update devices"),
    _grant("mqtt:user:read", Role.OPERATOR, "See the accounts of the MQTT broker"),
    _grant("mqtt:user:write", Role.ADMIN, "Make, change and delete accounts of the MQTT broker"),
    _grant("mqtt:acl:manage", Role.ADMIN, "Say which MQTT topics an account may use"),
    _grant("api-key:read", Role.MANAGER, "See provisioning keys, without their secrets"),
    _grant("api-key:create", Role.ADMIN, "Make provisioning keys"),
    _grant("api-key:revoke", Role.ADMIN, "Revoke provisioning keys"),
    _grant("data:read", Role.VIEWER, "See metrics, logs and readings"),
    _grant("data:export", Role.MANAGER, "Take metrics, logs and readings out in bulk"),
    _grant("data:delete", Role.ADMIN, "Delete metrics, logs and readings"),
    _grant("settings:read", Role.VIEWER, "See settings, rules and images"),
    _grant("settings:write", Role.ADMIN, "Change settings, rules and images"),
    _grant("billing:read", Role.OWNER, "See the licence and its bills"),
    _grant("billing:manage", Role.OWNER, "Change the licence"),
)


class Permissions:
    """What each role may do, once everybody has been asked which permissions there are."""

    def __init__(self) -> None:
        self.grants: tuple[PermissionGrant, ...] = ()
        self._held: dict[Role, frozenset[Permission]] = {}

    def grant(self, grants: Iterable[PermissionGrant]) -> None:
        """Let these be the permissions there are. Conflict when one is given twice, by name."""
        self.grants = tuple(grants)
        names = [grant.permission for grant in self.grants]
        doubles = sorted({name for name in names if names.count(name) > 1})
        if doubles:
            raise Conflict(f"permissions given twice: {', '.join(doubles)}")
        self._held = {
            role: frozenset(grant.permission for grant in self.grants if grant.lowest <= role) for role in Role
        }

    def of(self, role: Role) -> frozenset[Permission]:
        """Everything the role may do."""
        return self._held.get(role, frozenset())
