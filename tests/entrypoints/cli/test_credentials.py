"""The file of `iotistic up --credentials`."""

import json
import stat
from pathlib import Path

import pytest

from core.errors import Invalid, Unavailable
from entrypoints.cli.first_credentials import FirstCredentials, write_credentials
from tests.support.application import Api

MADE = FirstCredentials(password="a password", provisioning_key="a key")
MADE_EARLIER = FirstCredentials(password=None, provisioning_key=None)


async def test_the_file_has_the_five_keys_and_is_for_nobody_else(api: Api, tmp_path: Path) -> None:
    path = tmp_path / "credentials.json"
    path.touch(mode=0o644)
    write_credentials(path, api.running, MADE)
    assert json.loads(path.read_text()) == {
        "url": api.running.url,
        "mqttUrl": api.running.mqtt_url,
        "username": "admin",
        "password": "a password",
        "provisioningKey": "a key",
    }
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_a_later_start_keeps_what_it_cannot_know_any_more(api: Api, tmp_path: Path) -> None:
    path = tmp_path / "credentials.json"
    write_credentials(path, api.running, MADE)
    before = path.read_text()
    write_credentials(path, api.running, MADE_EARLIER)
    assert path.read_text() == before


@pytest.mark.parametrize("content", [b"{", b"notes", b"[]", b'{"password": 7}', b"\xff\xfe"])
async def test_a_file_with_something_else_in_it_is_left_alone(api: Api, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "notes.txt"
    path.write_bytes(content)
    with pytest.raises(Invalid, match="something other than credentials"):
        write_credentials(path, api.running, MADE)
    assert path.read_bytes() == content


@pytest.mark.parametrize("name", ["a file/credentials.json", "."])
async def test_a_place_that_cannot_be_written_to_is_named(api: Api, tmp_path: Path, name: str) -> None:
    (tmp_path / "a file").touch()
    with pytest.raises(Unavailable) as refusal:
        write_credentials(tmp_path / name, api.running, MADE)
    assert str(tmp_path / name) in refusal.value.message
