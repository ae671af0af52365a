"""Files of a bidder's own machine (本机文件): read within limits, written only where nothing is.

Invariant: no existing file is ever overwritten, and a name stands only over whole, durable bytes:
a key file or a card may be the only way to a bid.
"""

import contextlib
import errno
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from crypto.errors import Rejected


def read_within(path: Path, size_max: int, code: str) -> bytes:
    """The whole of a small file. Raises Rejected ``code`` when it is larger, OSError."""
    with path.open("rb") as file:
        raw = file.read(size_max + 1)
    if len(raw) > size_max:
        raise Rejected(code, f"more than {size_max} bytes")
    return raw


@dataclass(frozen=True, slots=True)
class Document:
    """An open file that is to be sealed, as it was when it was opened."""

    file: BinaryIO
    size: int
    mtime_ns: int

    def check_unchanged(self) -> None:
        """Raises Rejected seal.file_changed if somebody wrote to it since (C10)."""
        now = os.fstat(self.file.fileno())
        if (now.st_size, now.st_mtime_ns) != (self.size, self.mtime_ns):
            raise Rejected("seal.file_changed")


@contextlib.contextmanager
def document(path: Path) -> Iterator[Document]:
    """Raises Rejected seal.not_a_file (a folder, a pipe, a device)."""
    # A pipe nobody writes to would let us wait for ever; it is not opened at all.
    if not path.is_file():
        path.stat()
        raise Rejected("seal.not_a_file", str(path))
    with path.open("rb") as file:
        found = os.fstat(file.fileno())
        yield Document(file, found.st_size, found.st_mtime_ns)


def with_ending(path: Path, ending: str) -> Path:
    """OUT.kbh of OUT. Raises IsADirectoryError for what names no file, such as ``/`` or ``..``."""
    if path.name in ("", ".."):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    return path.with_name(path.name + ending)


@contextlib.contextmanager
def new_files(*paths: Path) -> Iterator[list[BinaryIO]]:
    """All of ``paths``, to be written and read; they get their names together at the end, or none
    does.

    Until then they lie beside, under names of their own. Raises FileExistsError before anything is
    written where one of the names is taken, and at the end where it was taken meanwhile.
    """
    for path in paths:
        _refuse_taken(path)
    with contextlib.ExitStack() as stack:
        fresh = [_beside(path, stack) for path in paths]
        yield [file for _, file in fresh]
        for _, file in fresh:
            file.flush()
            os.fsync(file.fileno())
        with contextlib.ExitStack() as undo:
            for (name, _), path in zip(fresh, paths, strict=True):
                _take_name(path)
                undo.callback(path.unlink, missing_ok=True)
                name.replace(path)
            undo.pop_all()
        for folder in {path.parent for path in paths}:
            _sync_folder(folder)


def _refuse_taken(path: Path) -> None:
    if os.path.lexists(path):
        raise FileExistsError(errno.EEXIST, "is there already and stays as it is", str(path))
    if not path.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, "no such folder", str(path.parent))


def _beside(path: Path, stack: contextlib.ExitStack) -> tuple[Path, BinaryIO]:
    """A new file in the same folder, for its owner alone, gone with the stack unless renamed."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    stack.callback(Path(name).unlink, missing_ok=True)
    return Path(name), stack.enter_context(os.fdopen(handle, "w+b"))


def _take_name(path: Path) -> None:
    """Claims a name that nobody has; a memory stick has no hard links to do it with."""
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        _refuse_taken(path)
        raise


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
