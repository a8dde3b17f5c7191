"""Questions every feature asks first."""

import pytest
from attrs import field, frozen

from core.actor import STRANGER, SYSTEM, Actor, ActorKind, Permission, Role
from core.checks import PlainText, plain_text, printable, require, require_device
from core.errors import Forbidden, Invalid, Unauthenticated
from core.ids import DeviceUuid

READ = Permission("thing:read")
WRITE = Permission("thing:write")
UUID = DeviceUuid("5f3a1deb-f4c3-4e1b-8e76-70de4d2e3f56")
OTHER = DeviceUuid("00000000-0000-4000-8000-000000000002")
DEVICE = Actor(kind=ActorKind.DEVICE, device_uuid=UUID)
READER = Actor(kind=ActorKind.USER, permissions=frozenset({READ}), role=Role.VIEWER)


@frozen
class Named:
    """Something with a name."""

    name: str = field(validator=PlainText(longest=5))
    note: str | None = field(default=None, validator=PlainText(longest=5, shortest=0, optional=True))
    full_name: str = field(default="", validator=PlainText(longest=5, shortest=0, called="fullName"))


def test_who_holds_the_permission_passes_and_so_do_we_ourselves() -> None:
    require(READER, READ)
    require(SYSTEM, READ)


def test_who_lacks_the_permission_is_told_which() -> None:
    with pytest.raises(Forbidden) as refusal:
        require(READER, WRITE)
    assert (refusal.value.needed, refusal.value.missing) == ((WRITE,), (WRITE,))


def test_a_stranger_has_to_log_in_and_a_device_has_no_permissions() -> None:
    with pytest.raises(Unauthenticated):
        require(STRANGER, READ)
    with pytest.raises(Forbidden):
        require(DEVICE, READ)


def test_a_device_speaks_only_for_itself() -> None:
    require_device(DEVICE, UUID)
    with pytest.raises(Forbidden):
        require_device(DEVICE, OTHER)
    with pytest.raises(Unauthenticated):
        require_device(STRANGER, UUID)
    for somebody in (SYSTEM, READER):
        with pytest.raises(Forbidden):
            require_device(somebody, UUID)


def test_text_is_trimmed() -> None:
    assert plain_text("  name\n", "name", longest=5) == "name"


@pytest.mark.parametrize(
    "value", ["", "   ", "too long", None, 7, "a\0b", "a\nb", "a\x7fb", "a\u2028b", "a\ud800b", "a\x85b"]
)
def test_what_people_could_not_read_on_one_line_is_refused(value: object) -> None:
    with pytest.raises(Invalid) as refusal:
        plain_text(value, "name", longest=5)
    assert list(refusal.value.fields) == ["name"]


@pytest.mark.parametrize("name", ["a\n", "\na", "a\x1c", "a\u2028", "a\x85"])
def test_a_value_that_is_kept_untrimmed_has_no_control_character_at_its_ends_either(name: str) -> None:
    """A line break at the end of a name would reach log files and configuration files."""
    with pytest.raises(Invalid, match="control"):
        Named(name)


def test_a_validator_lets_pass_what_may_be_absent() -> None:
    assert Named("ü 七", None).note is None
    assert Named("a", "").note == ""
    with pytest.raises(Invalid):
        Named("a", "longer")
    with pytest.raises(Invalid):
        Named(None)  # type: ignore[arg-type]


def test_what_is_shown_of_text_from_outside_is_short_and_plain() -> None:
    assert printable("a\x1b[31mb\0\n" + "c" * 100, longest=10) == "a[31mbcccc"


def test_a_value_is_refused_under_the_name_that_its_sender_knows() -> None:
    for wrong in ("too long", "a\n"):
        with pytest.raises(Invalid, match="fullName") as refusal:
            Named("name", full_name=wrong)
        assert list(refusal.value.fields) == ["fullName"]
