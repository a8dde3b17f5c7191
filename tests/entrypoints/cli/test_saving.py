"""A backup brings everything back, on another machine too, and one that is not sound changes nothing."""

import asyncio
import hashlib
import io
import json
import sqlite3
import stat
import tarfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from adapters.system.lock import sole_tenant
from core.errors import Conflict, Invalid, NotFound, Refusal
from entrypoints.cli.saving import bring_back, save, save_as
from tests.entrypoints.cli.folders import FOLDERS, a_data_folder, unnoticed
from tests.support.application import Api, Caller, running_api
from tests.support.mqtt import connected


@pytest.fixture
def folder(tmp_path: Path, migrated: Path) -> Path:
    """A data folder that nobody runs on."""
    return a_data_folder(tmp_path / "data", migrated)


def saved(folder: Path) -> bytes:
    """A backup."""
    stream = io.BytesIO()
    save(folder, stream, unnoticed)
    return stream.getvalue()


def restored(backup: bytes, data: Path, *, force: bool = False) -> Path | None:
    """Where that is now which was there before."""
    return bring_back(io.BytesIO(backup), data, FOLDERS, unnoticed, force=force).aside


async def test_a_device_goes_on_with_a_machine_that_was_restored_into_an_empty_folder(api: Api, tmp_path: Path) -> None:
    """Contract 12.3: registered before the backup, it polls and logs in to MQTT after it, and knows no difference."""
    device = await api.device()
    polled = await device.caller.get(f"/device/{device.uuid}/state")
    await asyncio.to_thread(save_as, api.data, tmp_path / "b.tar.gz", unnoticed)
    with (tmp_path / "b.tar.gz").open("rb") as stream:
        await asyncio.to_thread(bring_back, stream, tmp_path / "new" / "data", FOLDERS, unnoticed)
    async with running_api(tmp_path / "new" / "data") as again:
        caller = Caller(again.http, again.running.url, device.caller.headers)
        answers = [
            await caller.get(f"/device/{device.uuid}/state"),
            await caller.get(f"/device/{device.uuid}/state", headers={"If-None-Match": polled.headers["ETag"]}),
        ]
        async with connected({**device.mqtt, "broker": again.running.mqtt_url}) as client:
            await client.publish(f"iot/device/{device.uuid}/sensor/modbus", b'{"value": 1}', qos=1)
        assert await again.log_in("admin", "a password for tests")
    assert [answer.status for answer in answers] == [200, 304]
    assert answers[0].body == polled.body


async def test_a_backup_under_load_is_one_moment_and_holds_all_that_was_acknowledged_before(
    api: Api, tmp_path: Path
) -> None:
    device, acknowledged, enough, stop = await api.device(), 0, asyncio.Event(), asyncio.Event()
    uuid = device.uuid

    async def write() -> None:
        nonlocal acknowledged
        while not stop.is_set():
            line = json.dumps({"message": f"{acknowledged}:" + "x" * 5000}).encode() + b"\n"
            answer = await device.caller.post(
                f"/device/{uuid}/logs", data=line * 20, headers={"Content-Type": "application/x-ndjson"}
            )
            assert answer.status == 200
            acknowledged += 1
            if acknowledged == 60:
                enough.set()

    writing = asyncio.create_task(write())
    await asyncio.wait_for(enough.wait(), timeout=30)
    before = acknowledged
    steps: list[int] = []
    with (tmp_path / "b.tar.gz").open("wb") as stream:
        await asyncio.to_thread(save, api.data, stream, lambda done, _total: steps.append(done))
    after = acknowledged
    stop.set()
    await writing
    restored((tmp_path / "b.tar.gz").read_bytes(), tmp_path / "new")
    with closing(sqlite3.connect(tmp_path / "new" / "iotistic.db")) as copy:
        kept = [int(row[0].partition(":")[0]) for row in copy.execute("SELECT message FROM device_logs ORDER BY id")]
    batches = len(kept) // 20
    assert kept == [number for number in range(batches) for _ in range(20)], "nothing is missing in between"
    assert before <= batches <= after + 1
    assert steps == sorted(steps), "it never began anew"


def test_a_backup_can_be_read_by_its_owner_only_and_so_can_what_comes_back(folder: Path, tmp_path: Path) -> None:
    save_as(folder, tmp_path / "b.tar.gz", unnoticed)
    restored((tmp_path / "b.tar.gz").read_bytes(), tmp_path / "new")
    modes = {
        path.name: stat.S_IMODE(path.stat().st_mode) for path in [tmp_path / "new", *(tmp_path / "new").rglob("*")]
    }
    assert stat.S_IMODE((tmp_path / "b.tar.gz").stat().st_mode) == 0o600
    assert modes == {"new": 0o700, "secrets": 0o700, "jwt": 0o600, "iotistic.db": 0o600}
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == [], "nothing is left behind"


def test_a_backup_has_what_plugins_keep_but_no_simulated_devices_drafts_or_links(folder: Path) -> None:
    for name in ("demo/device.json", "images/list.txt", "secrets/.jwt.77", "running"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("x", encoding="utf-8")
    (folder / "link").symlink_to("/etc/passwd")
    with tarfile.open(fileobj=io.BytesIO(saved(folder))) as archive:
        assert sorted(archive.getnames()) == ["images/list.txt", "iotistic.db", "manifest.json", "secrets/jwt"]


def test_a_backup_is_not_kept_inside_of_what_it_saves_and_is_made_of_data_folders_only(
    folder: Path, tmp_path: Path
) -> None:
    with pytest.raises(Conflict, match="inside"):
        save_as(folder, folder / "secrets" / "b.tar.gz", unnoticed)
    with pytest.raises(NotFound, match=r"iotistic\.db"):
        save_as(tmp_path / "nothing", tmp_path / "b.tar.gz", unnoticed)
    assert not (tmp_path / "b.tar.gz").exists()


def test_a_folder_with_something_in_it_is_left_alone_or_moved_aside(folder: Path, tmp_path: Path) -> None:
    backup = saved(folder)
    (folder / "mine.txt").write_text("dear to me", encoding="utf-8")
    with pytest.raises(Conflict, match="not empty"):
        restored(backup, folder)
    aside = restored(backup, folder, force=True)
    assert aside is not None
    assert (aside / "mine.txt").read_text(encoding="utf-8") == "dear to me"
    assert not (folder / "mine.txt").exists()
    assert (folder / "iotistic.db").exists()


def test_a_folder_somebody_runs_on_is_left_alone(folder: Path) -> None:
    backup = saved(folder)
    with sole_tenant(folder), pytest.raises(Conflict, match="stop it first"):
        restored(backup, folder, force=True)


def changed(backup: bytes, change: Callable[[dict[str, Any], dict[str, bytes]], None]) -> bytes:
    """The backup with other contents and a manifest that fits them as far as `change` lets it."""
    with tarfile.open(fileobj=io.BytesIO(backup)) as archive:
        contents = {member.name: (archive.extractfile(member) or io.BytesIO()).read() for member in archive}
    manifest = json.loads(contents.pop("manifest.json"))
    change(manifest, contents)
    return packed(manifest, [(tarfile.TarInfo(name), content) for name, content in contents.items()])


def packed(manifest: dict[str, Any], members: list[tuple[tarfile.TarInfo, bytes]]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for member, content in [(tarfile.TarInfo("manifest.json"), json.dumps(manifest).encode()), *members]:
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return stream.getvalue()


def _put(manifest: dict[str, Any], contents: dict[str, bytes], name: str, content: bytes) -> None:
    contents[name] = content
    manifest["files"] = [file for file in manifest["files"] if file["path"] != name]
    manifest["files"].append({"path": name, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()})


def _newer(manifest: dict[str, Any], contents: dict[str, bytes]) -> None:
    with closing(sqlite3.connect(":memory:")) as database:
        database.deserialize(contents["iotistic.db"].replace(b"\x02\x02\x00\x40\x20", b"\x01\x01\x00\x40\x20", 1))
        database.execute("INSERT INTO migrations (name, checksum) VALUES ('999_tomorrow.sql', 'x')")
        database.commit()
        _put(manifest, contents, "iotistic.db", database.serialize())


UNSOUND: dict[str, Callable[[dict[str, Any], dict[str, bytes]], None]] = {
    "elsewhere": lambda manifest, contents: _put(manifest, contents, "../evil", b"x"),
    "absolute": lambda manifest, contents: _put(manifest, contents, "/tmp/evil", b"x"),
    "in disguise": lambda manifest, contents: _put(manifest, contents, "secrets/../../evil", b"x"),
    "unknown to the manifest": lambda _manifest, contents: contents.update({"extra": b"x"}),
    "missing": lambda _manifest, contents: contents.__delitem__("secrets/jwt"),
    "altered": lambda _manifest, contents: contents.update({"secrets/jwt": b"y" * len(contents["secrets/jwt"])}),
    "longer": lambda _manifest, contents: contents.update({"secrets/jwt": contents["secrets/jwt"] + b"y"}),
    "another format": lambda manifest, _contents: manifest.update({"format": 2}),
    "no manifest": lambda manifest, _contents: manifest.clear(),
    "no database": lambda manifest, contents: _put(manifest, contents, "iotistic.db", b"x" * 100),
    "newer": _newer,
}


@pytest.mark.parametrize("fault", sorted(UNSOUND))
def test_a_backup_that_is_not_sound_changes_nothing(folder: Path, tmp_path: Path, fault: str) -> None:
    bad = changed(saved(folder), UNSOUND[fault])
    new = tmp_path / "deep" / "new"
    with pytest.raises(Invalid):
        restored(bad, new)
    assert list((tmp_path / "deep").iterdir()) == []
    assert not (tmp_path / "evil").exists()


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_only_files_come_out_of_a_backup(tmp_path: Path, kind: bytes) -> None:
    member = tarfile.TarInfo("secrets")
    member.type, member.linkname = kind, "/etc"
    files = [{"path": "secrets", "size": 0, "sha256": hashlib.sha256(b"").hexdigest()}]
    manifest = {"format": 1, "version": "2", "madeAt": "now", "files": files}
    with pytest.raises(Invalid, match="does not know"):
        restored(packed(manifest, [(member, b"")]), tmp_path / "new")
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("part", [0.0, 0.1, 0.5, 0.9])
def test_a_backup_that_was_cut_off_is_refused(folder: Path, tmp_path: Path, part: float) -> None:
    backup = saved(folder)
    with pytest.raises(Refusal):
        restored(backup[: int(len(backup) * part)], tmp_path / "new")
    with pytest.raises(Invalid):
        restored(b"not a tar at all" * 100, tmp_path / "new")
    assert not (tmp_path / "new").exists()
