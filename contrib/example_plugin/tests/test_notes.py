"""What the plugin does inside a running control plane."""

from urllib.request import urlopen
from uuid import uuid4

from conftest import Plane, iotistic


def test_a_new_device_gets_one_welcome_note(plane: Plane) -> None:
    device = plane.register()
    (note,) = plane.notes(device["uuid"], at_least=1)
    assert note["text"] == f"hello {device['deviceName']}"
    assert note["writtenBy"] == "notes"


def test_a_new_device_is_told_where_its_notes_are(plane: Plane) -> None:
    device = plane.register()
    assert device["notes"] == {"path": f"/api/v1/devices/{device['uuid']}/notes"}


def test_people_write_read_and_remove_notes(plane: Plane) -> None:
    device = plane.register()
    path = f"/api/v1/devices/{device['uuid']}/notes"
    status, made = plane.as_owner("POST", path, {"text": "moved to hall 3"})
    assert status == 201
    assert "moved to hall 3" in [note["text"] for note in plane.notes(device["uuid"])]
    assert plane.as_owner("DELETE", f"{path}/{made['id']}")[0] == 204
    assert "moved to hall 3" not in [note["text"] for note in plane.notes(device["uuid"])]


def test_strangers_read_no_notes(plane: Plane) -> None:
    device = plane.register()
    assert plane.call("GET", f"/api/v1/devices/{device['uuid']}/notes")[0] == 401


def test_there_are_no_notes_on_what_is_no_device(plane: Plane) -> None:
    assert plane.as_owner("GET", f"/api/v1/devices/{uuid4()}/notes")[0] == 404


def test_an_empty_note_is_refused_by_name(plane: Plane) -> None:
    device = plane.register()
    status, answer = plane.as_owner("POST", f"/api/v1/devices/{device['uuid']}/notes", {"text": " "})
    assert status == 400
    assert "text" in answer["fields"]


def test_notes_go_with_their_device(plane: Plane) -> None:
    device = plane.register()
    plane.notes(device["uuid"], at_least=1)
    assert plane.as_owner("DELETE", f"/api/v1/devices/{device['uuid']}")[0] in {200, 204}
    assert plane.as_owner("GET", f"/api/v1/devices/{device['uuid']}/notes")[0] == 404


def test_the_plugin_is_part_of_being_ready(plane: Plane) -> None:
    with urlopen(f"{plane.url}/ready", timeout=5) as response:
        assert b'"notes":"ok"' in response.read()


def test_the_command_prints_notes(plane: Plane) -> None:
    device = plane.register()
    plane.notes(device["uuid"], at_least=1)
    process = iotistic("notes", "list", device["uuid"], "--url", plane.url, IOTISTIC_TOKEN=plane.as_token())
    printed, _ = process.communicate(timeout=30)
    assert process.returncode == 0, printed
    assert f"hello {device['deviceName']}" in printed
