"""Which role holds which permission: the table of contract §6.3."""

import pytest

from core.access import GRANTS, Permissions
from core.actor import Role
from core.errors import Conflict

# From the contract, row by row: o owner, a admin, m manager, p operator, v viewer.
TABLE = """
user:read oampv
user:write oam
user:delete oa
device:read oampv
device:write oam
device:delete oa
device:control oamp
mqtt:user:read oamp
mqtt:user:write oa
mqtt:acl:manage oa
api-key:read oam
api-key:create oa
api-key:revoke oa
data:read oampv
data:export oam
data:delete oa
settings:read oampv
settings:write oa
billing:read o
billing:manage o
"""
LETTERS = {"o": Role.OWNER, "a": Role.ADMIN, "m": Role.MANAGER, "p": Role.OPERATOR, "v": Role.VIEWER}


@pytest.mark.parametrize("letter", LETTERS)
def test_each_role_holds_what_the_contract_says(letter: str) -> None:
    permissions = Permissions()
    permissions.grant(GRANTS)
    rows = [line.split() for line in TABLE.strip().splitlines()]
    assert permissions.of(LETTERS[letter]) == {name for name, holders in rows if letter in holders}


def test_there_are_twenty_permissions_and_each_says_what_it_lets_one_do() -> None:
    assert len(GRANTS) == 20
    assert all(grant.summary for grant in GRANTS)


def test_a_permission_given_twice_is_refused_by_name() -> None:
    with pytest.raises(Conflict, match="user:read"):
        Permissions().grant([*GRANTS, GRANTS[0]])


def test_before_anything_was_granted_nobody_may_do_anything() -> None:
    assert Permissions().of(Role.OWNER) == frozenset()
