"""A disk of files whose power can be cut (断电): the store's own calls of the system, watched.

After a cut the names of a folder are those of its last sync, or those of the moment: a file system
may have written them by itself. What a file holds is what it held at its own last sync (nothing, if
it never had one), or what it holds at the moment. Either may come with either, so every cut is
played in several ways. A rename is one step, as every file system with a journal has it.
"""

import os
import random
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

Names = dict[str, int]  # of one folder: file name -> inode
Tree = dict[str, bytes]  # by path; a folder's ends with a slash
RANDOM_WAYS = 2


@dataclass(frozen=True)
class Disk:
    """What is on it: names by folder and bytes by file, both by inode."""

    folders: dict[int, Names] = field(default_factory=dict)
    files: dict[int, bytes] = field(default_factory=dict)

    def tree(self, folder: int, at: str = "") -> Tree:
        found: Tree = {}
        for name, inode in self.folders.get(folder, {}).items():
            if inode in self.folders:
                found |= {f"{at}{name}/": b""} | self.tree(inode, f"{at}{name}/")
            else:
                found[at + name] = self.files.get(inode, b"")
        return found


@dataclass(frozen=True)
class Moment:
    """After one call: what is safe, what is there, and what had been promised by then."""

    call: str
    safe: Disk
    there: Disk
    promised: tuple[Any, ...]


@dataclass
class Watched:
    """Everything below ``root``. ``deaf_to``: kinds of sync that are taken for nothing."""

    root: Path
    deaf_to: frozenset[str] = frozenset()
    fails_at: int = 0  # the call before which the process is killed; 0: none
    moments: list[Moment] = field(default_factory=list)
    calls: int = 0
    _safe: Disk = field(default_factory=Disk)
    _promised: tuple[Any, ...] = ()

    def __post_init__(self) -> None:
        self.inode = self.root.stat().st_ino

    def promise(self, what: Any) -> None:
        """From here on somebody relies on it."""
        self._promised = (*self._promised, what)
        self._note("promise")

    def install(self, patch: pytest.MonkeyPatch) -> None:
        for name in ("open", "pwrite", "ftruncate", "fsync", "fdatasync"):
            patch.setattr(os, name, self._watching(name, getattr(os, name)))
        for name in ("rename", "replace", "unlink", "mkdir"):
            patch.setattr(os, name, self._watching(name, getattr(os, name)))

    def _watching(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def watched(target: Any, *more: Any, **named: Any) -> Any:
            path = _path_of(target)
            if not path.is_relative_to(self.root):
                return call(target, *more, **named)
            makes = name == "open" and bool(more[0] & os.O_CREAT)
            if name != "open" or makes:
                self.calls += 1
                if self.calls == self.fails_at:
                    raise OSError("killed")
            answer = call(target, *more, **named)
            if makes:
                self._safe.files.pop(os.fstat(answer).st_ino, None)  # the number was another's
            if name in ("fsync", "fdatasync"):
                self._sync(name, path)
            if name != "open" or makes:
                self._note(f"{name} {path.suffix or path.name}")
            return answer

        return watched

    def _sync(self, name: str, path: Path) -> None:
        found = path.stat()
        kind = "folder" if stat.S_ISDIR(found.st_mode) else name
        if kind in self.deaf_to:
            return
        if kind == "folder":
            self._safe.folders[found.st_ino] = _names(path)
        else:
            self._safe.files[found.st_ino] = path.read_bytes()

    def _note(self, call: str) -> None:
        safe = Disk(dict(self._safe.folders), dict(self._safe.files))
        self.moments.append(Moment(call, safe, _contents(self.root), self._promised))

    # ---- what a cut leaves

    def cuts(self, into: Path) -> Iterator[tuple[Moment, Path]]:
        """Every moment, and every way in which a cut there may have ended, as a tree on which a
        store can be opened; what comes out the same for the same promises comes once.
        """
        seen: set[Any] = set()
        for number, moment in enumerate(self.moments):
            for way in range(2 * (2 + RANDOM_WAYS)):
                tree = self._cut(moment, way)
                result = (frozenset(tree.items()), moment.promised)
                if result not in seen:
                    seen.add(result)
                    yield moment, write_out(tree, into / f"{number}-{way}")

    def _cut(self, moment: Moment, way: int) -> Tree:
        names = moment.there.folders if way % 2 else moment.safe.folders
        # A folder without names of its own is still a folder.
        known: dict[int, Names] = {inode: {} for inode in moment.there.folders} | dict(names)
        chance = random.Random(way // 2)
        files = dict(moment.safe.files)
        for inode, newest in moment.there.files.items():
            is_newest = way // 2 == 1 if way < 4 else chance.random() < 0.5
            files[inode] = newest if is_newest else moment.safe.files.get(inode, b"")
        return Disk(known, files).tree(self.inode)


def write_out(tree: Tree, into: Path) -> Path:
    into.mkdir()
    for name, data in tree.items():
        if name.endswith("/"):
            (into / name).mkdir()
        else:
            (into / name).write_bytes(data)
    return into


def _path_of(target: Any) -> Path:
    return Path(os.readlink(f"/proc/self/fd/{target}") if isinstance(target, int) else target)


def _names(folder: Path) -> Names:
    return {path.name: path.stat().st_ino for path in folder.iterdir()}


def _contents(root: Path) -> Disk:
    found = Disk({root.stat().st_ino: _names(root)})
    for path in root.rglob("*"):
        if path.is_dir():
            found.folders[path.stat().st_ino] = _names(path)
        else:
            found.files[path.stat().st_ino] = path.read_bytes()
    return found
