"""The threads that do blocking disk work (磁盘线程), and what their errors mean.

Invariant: the loop never waits in a system call on a file, and the number of threads is fixed, so
uploads queue among themselves and never take a thread that something else needs.
"""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, TypeVar

from server.storage.errors import StorageFull

THREADS: Final = 3
FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})

T = TypeVar("T")


class Disk:
    """A small pool of its own; ``close`` waits for what is under way."""

    def __init__(self, threads: int = THREADS) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="disk")

    async def run(self, work: Callable[..., T], *arguments: Any) -> T:
        """Runs ``work`` in a thread. A cancelled caller returns only when the thread is done."""
        running = asyncio.get_running_loop().run_in_executor(self._pool, work, *arguments)
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            # A thread cannot be stopped. Whoever was cancelled still holds the file until then.
            await _ended(running)
            raise

    def close(self) -> None:
        self._pool.shutdown(wait=True)


async def _ended(running: asyncio.Future[Any]) -> None:
    while not running.done():
        with suppress(asyncio.CancelledError):
            await asyncio.wait([running])
    if not running.cancelled():
        running.exception()  # looked at, so that nobody logs it as forgotten


def reserve(handle: int, size: int) -> None:
    """Takes the room for the whole file now, so that a full disk says so before the first byte."""
    try:
        os.posix_fallocate(handle, 0, size)
    except OSError as error:
        raise full(error, size) from error


def full(error: OSError, wanted: int) -> BaseException:
    """StorageFull when that is what the disk said, else the error as it is."""
    return StorageFull(wanted) if error.errno in FULL else error


def sync_directory(directory: Path) -> None:
    """A new name is only there after a power cut if the directory that holds it was synced."""
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_whole(path: Path, *parts: bytes, durable: bool, mode: int = 0o600) -> None:
    """Puts a small file under its name complete or not at all, replacing what was there."""
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)  # of a crash; it may be read-only
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    with os.fdopen(handle, "wb") as file:
        for part in parts:
            file.write(part)
        if durable:
            file.flush()
            os.fsync(file.fileno())
    fresh.rename(path)
    if durable:
        sync_directory(path.parent)
