"""A disk whose power can be cut: SQLite's writes are recorded, and replayed up to any of them.

What was written before a sync of its file is there after the cut. What was written since is lost,
or torn: of each write, every 512-byte sector is there or not by itself, and later writes may be
there without earlier ones. The shared-memory index of the WAL is never on a disk.
"""

import asyncio
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import apsw

from server.storage.disk import sync_directory

SECTOR = 512
_names = count()


@dataclass(frozen=True, slots=True)
class Op:
    """``kind``: write (at, data), truncate (at), sync, delete, sync directory, mark (what)."""

    kind: str
    file: str
    at: int = 0
    data: bytes = b""
    what: Any = None


class Recorder(apsw.VFS):
    """A VFS that does what the default one does and notes it. ``before_sync`` may raise."""

    def __init__(self, before_sync: Callable[[str], None] | None = None) -> None:
        self.vfs_name = f"recorder-{next(_names)}"
        self.ops: list[Op] = []
        self.before_sync = before_sync
        super().__init__(self.vfs_name, "")

    def xOpen(self, name, flags):
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        assert path is not None, "no temporary files are expected"
        return RecordedFile(self, path, name, flags)

    def xDelete(self, filename, syncdir):
        super().xDelete(filename, syncdir)
        self.ops.append(Op("delete", Path(filename).name))

    def sync_directory(self, directory: Path) -> None:
        """To be put in the place of the server's own, which no VFS sees."""
        sync_directory(directory)
        self.ops.append(Op("sync directory", directory.name))

    def mark(self, what: Any) -> None:
        """Notes something of the test's own at this place in the order of writes."""
        self.ops.append(Op("mark", "", what=what))

    def syncs(self, suffix: str) -> int:
        return sum(op.kind == "sync" and op.file.endswith(suffix) for op in self.ops)


class RecordedFile(apsw.VFSFile):
    def __init__(self, recorder: Recorder, path: str, name, flags) -> None:
        self._recorder = recorder
        self._file = Path(path).name
        super().__init__("", name, flags)

    def xWrite(self, data, offset):
        super().xWrite(data, offset)
        self._recorder.ops.append(Op("write", self._file, offset, bytes(data)))

    def xTruncate(self, newsize):
        super().xTruncate(newsize)
        self._recorder.ops.append(Op("truncate", self._file, newsize))

    def xSync(self, flags):
        if self._recorder.before_sync is not None:
            self._recorder.before_sync(self._file)
        super().xSync(flags)
        self._recorder.ops.append(Op("sync", self._file))


class TellingLoop:
    """The loop as the journal sees it: notes, in the writer's thread, that a group is now told.

    ``watch`` names a future; the names of those that a group resolved are in its mark's set.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, recorder: Recorder) -> None:
        self._loop = loop
        self._recorder = recorder
        self._watched: dict[asyncio.Future[Any], Any] = {}

    def create_future(self) -> asyncio.Future[Any]:
        return self._loop.create_future()

    def is_closed(self) -> bool:
        return self._loop.is_closed()

    def watch(self, future: asyncio.Future[Any], name: Any) -> asyncio.Future[Any]:
        self._watched[future] = name
        return future

    def call_soon_threadsafe(self, callback, *arguments) -> None:
        told: set[Any] = set()
        self._recorder.mark(told)

        def run() -> None:
            callback(*arguments)
            for future in [future for future in self._watched if future.done()]:
                told.add(self._watched.pop(future))

        self._loop.call_soon_threadsafe(run)


@dataclass
class CutDisk:
    """The files as they would be found after a cut; ``step`` moves the cut one operation on.

    ``names`` are those the directory durably has: those of its last sync. (Some file systems and
    SQLite's own VFS are kinder, with a new WAL for example; nobody is to depend on it.)
    """

    durable: dict[str, bytearray] = field(default_factory=dict)
    unsynced: dict[str, list[Op]] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)

    def step(self, op: Op) -> None:
        if op.kind == "sync directory":
            self._sync_directory()
        elif op.kind == "sync":
            for earlier in self.unsynced.pop(op.file, []):
                _apply(self.durable, earlier)
            self.durable.setdefault(op.file, bytearray())
        elif op.kind != "mark":
            self.unsynced.setdefault(op.file, []).append(op)

    def _sync_directory(self) -> None:
        for file, ops in list(self.unsynced.items()):
            deleted = max((at for at, op in enumerate(ops) if op.kind == "delete"), default=-1)
            if deleted >= 0:
                self.durable.pop(file, None)
                self.unsynced[file] = ops[deleted + 1 :]
            if self.unsynced[file]:
                self.durable.setdefault(file, bytearray())
        self.names = set(self.durable)

    def lost(self) -> dict[str, bytearray]:
        """Nothing that was not synced is there."""
        return {name: content for name, content in self.durable.items() if name in self.names}

    def torn(self, chance: random.Random) -> dict[str, bytearray]:
        """Some of what was not synced is there, in no order."""
        files = {name: bytearray(content) for name, content in self.lost().items()}
        for name in sorted({*self.durable, *self.unsynced} - self.names):
            if chance.random() < 0.5:
                files[name] = bytearray(self.durable.get(name, b""))
        pieces = [piece for ops in self.unsynced.values() for op in ops for piece in _sectors(op)]
        chance.shuffle(pieces)
        for piece in pieces:
            if piece.file in files and chance.random() < 0.5:
                _apply(files, piece)
        return files

    def put(self, directory: Path, files: dict[str, bytearray]) -> None:
        """Lays the files into an empty or used directory, and nothing beside them."""
        directory.mkdir(exist_ok=True)
        for old in directory.iterdir():
            old.unlink()
        for name, content in files.items():
            (directory / name).write_bytes(content)


def _sectors(op: Op) -> Iterator[Op]:
    if op.kind != "write":
        yield op
        return
    at, end = op.at, op.at + len(op.data)
    while at < end:
        until = min(end, (at // SECTOR + 1) * SECTOR)
        yield Op("write", op.file, at, op.data[at - op.at : until - op.at])
        at = until


def _apply(files: dict[str, bytearray], op: Op) -> None:
    if op.kind == "delete":
        files.pop(op.file, None)
        return
    content = files.setdefault(op.file, bytearray())
    if op.kind == "truncate":
        del content[op.at :]
        content.extend(bytes(op.at - len(content)))
        return
    end = op.at + len(op.data)
    if len(content) < end:
        content.extend(bytes(end - len(content)))
    content[op.at : end] = op.data
