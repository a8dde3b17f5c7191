"""Backups as one file: a compressed tar whose first member says what is in it."""

import gzip
import shutil
import tarfile
import zlib
from collections.abc import Callable
from hashlib import sha256
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO

import msgspec

from adapters.system.secrets import OWNER_ONLY, OWNER_ONLY_FOLDER
from core.errors import Invalid, Unavailable

MANIFEST = "manifest.json"
FORMAT = 1
LARGEST_MANIFEST = 16 * 1024**2
CHUNK = 1024**2
PACKED = 5

Progress = Callable[[int, int], None]


class ArchivedFile(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """One file, so that whoever unpacks it can tell whether it is whole."""

    path: str
    size: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, rename="camel"):
    """What a backup holds, and who made it when."""

    format: int
    version: str
    made_at: str
    files: tuple[ArchivedFile, ...]

    @property
    def size(self) -> int:
        """The bytes of all files."""
        return sum(file.size for file in self.files)


def described(root: Path) -> tuple[ArchivedFile, ...]:
    """All files below the folder, as a manifest lists them."""
    paths = sorted(path for path in root.rglob("*") if path.is_file())
    return tuple(_described(path.relative_to(root).as_posix(), path) for path in paths)


def pack(stream: BinaryIO, manifest: Manifest, root: Path, progress: Progress) -> None:
    """Write the backup of the files below `root`. They must not change meanwhile."""
    done = 0
    # tarfile would pack as hard as it can, which takes a gateway three times as long for next to nothing.
    with (
        gzip.GzipFile(fileobj=stream, mode="wb", filename="", compresslevel=PACKED) as packed,
        tarfile.open(fileobj=packed, mode="w|") as archive,
    ):
        words = msgspec.json.format(msgspec.json.encode(manifest))
        archive.addfile(_member(MANIFEST, len(words)), BytesIO(words))
        for file in manifest.files:
            with (root / file.path).open("rb") as content:
                archive.addfile(_member(file.path, file.size), _Counted(content, done, manifest.size, progress))
            done += file.size


def unpack(stream: BinaryIO, folder: Path, progress: Progress) -> Manifest:
    """Write the files of a backup into the folder, each checked.

    Raises Invalid for what is no whole backup of ours, and Unavailable when there is no room for it. Nothing is ever
    written outside of the folder, and nothing but files and folders into it.
    """
    try:
        with tarfile.open(fileobj=stream, mode="r|gz") as archive:
            manifest = _manifest(archive)
            if manifest.size > shutil.disk_usage(folder).free:
                raise Unavailable(f"there is no room for {manifest.size} bytes at {folder}")
            _unpack(archive, manifest, folder, progress)
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise Invalid(f"this is no backup, or not all of it: {error}") from error
    except OSError as error:
        raise Unavailable(f"the backup cannot be unpacked: {error}") from error
    return manifest


def _manifest(archive: tarfile.TarFile) -> Manifest:
    first = archive.next()
    if first is None or first.name != MANIFEST or not first.isreg() or first.size > LARGEST_MANIFEST:
        raise Invalid("this is no backup: it does not begin with its manifest")
    content = archive.extractfile(first)
    try:
        manifest = msgspec.json.decode(content.read() if content else b"", type=Manifest)
    except msgspec.DecodeError as error:
        raise Invalid(f"this is no backup: {error}") from error
    if manifest.format != FORMAT:
        raise Invalid(f"this backup has the format {manifest.format}; a newer iotistic made it ({manifest.version})")
    return manifest


def _unpack(archive: tarfile.TarFile, manifest: Manifest, folder: Path, progress: Progress) -> None:
    expected = {file.path: file for file in manifest.files}
    done = 0
    while (member := archive.next()) is not None:
        file = expected.pop(member.name, None)
        if file is None or not member.isreg() or member.size != file.size:
            raise Invalid(f"the backup holds something that its manifest does not know: {member.name!r}")
        content = archive.extractfile(member)
        if content is not None:
            _write(_Counted(content, done, manifest.size, progress), folder / _inside(file.path), file)
        done += file.size
    if expected:
        raise Invalid(f"the backup lacks {', '.join(sorted(expected))}")


def _inside(path: str) -> PurePosixPath:
    """The path, if it can lead nowhere but below the folder."""
    inside = PurePosixPath(path)
    odd = inside.is_absolute() or not inside.parts or ".." in inside.parts or str(inside) != path
    if odd or "\\" in path or not path.isprintable():
        raise Invalid(f"the backup holds a path that leads elsewhere: {path!r}")
    return inside


def _write(content: "_Counted", path: Path, file: ArchivedFile) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=OWNER_ONLY_FOLDER)
    digest = sha256()
    path.touch(mode=OWNER_ONLY, exist_ok=False)
    with path.open("wb") as written:
        while chunk := content.read(CHUNK):
            digest.update(chunk)
            written.write(chunk)
    if digest.hexdigest() != file.sha256:
        raise Invalid(f"{file.path} is damaged in the backup")


def _described(name: str, path: Path) -> ArchivedFile:
    with path.open("rb") as content:
        digest = sha256()
        while chunk := content.read(CHUNK):
            digest.update(chunk)
    return ArchivedFile(path=name, size=path.stat().st_size, sha256=digest.hexdigest())


def _member(name: str, size: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size, member.mode = size, OWNER_ONLY
    return member


class _Counted:
    """Reads, and tells how far that is."""

    def __init__(self, content: IO[bytes], done: int, total: int, progress: Progress) -> None:
        self._content = content
        self._done = done
        self._total = total
        self._progress = progress

    def read(self, size: int = -1, /) -> bytes:
        """The next bytes."""
        chunk = self._content.read(size)
        self._done += len(chunk)
        self._progress(self._done, self._total)
        return chunk
