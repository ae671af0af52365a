"""What is measured around a large file (测量): memory of other processes, answers of a busy hall.

Invariant: memory is the kernel's account of another process, never a process's own word.
"""

import asyncio
import hashlib
import statistics
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

MIB = 1 << 20
SAMPLE_S = 0.01
ASK_EVERY_S = 0.02


def status_bytes(pid: int, name: str) -> int:
    """A line of /proc/<pid>/status, such as VmHWM; 0 when the process has ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return next((int(line.split()[1]) << 10 for line in lines if line.startswith(name)), 0)


def forget_peak(pid: int) -> int:
    """From here on VmHWM counts anew. What is resident now."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")
    return status_bytes(pid, "VmRSS")


def peak_growth(pid: int, before: int) -> int:
    """How much more was resident at the peak since ``forget_peak``."""
    return max(0, status_bytes(pid, "VmHWM") - before)


class Watched:
    """Samples what is resident of a process while ``during`` says yes."""

    def __init__(self, pid: int, during: Callable[[], bool]) -> None:
        self._pid, self._during = pid, during
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self.samples: list[int] = []

    def __enter__(self) -> "Watched":
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(SAMPLE_S):
            if self._during() and (resident := status_bytes(self._pid, "RssAnon")):
                self.samples.append(resident)


class Answers:
    """Asks one after the other until told to stop: how long each answer took."""

    def __init__(self, ask: Callable[[], Awaitable[Any]]) -> None:
        self._ask = ask
        self.took_ms: list[float] = []
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "Answers":
        self._task = asyncio.create_task(self._go_on())
        return self

    async def __aexit__(self, *exc: object) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.wait([self._task])
        if not self._task.cancelled():
            self._task.result()

    async def _go_on(self) -> None:
        while True:
            began = time.perf_counter()
            await self._ask()
            self.took_ms.append((time.perf_counter() - began) * 1000)
            await asyncio.sleep(ASK_EVERY_S)

    def summary(self) -> dict[str, float]:
        """Milliseconds."""
        took = sorted(self.took_ms)
        return {
            "answers": len(took),
            "median_ms": round(statistics.median(took), 2),
            "p99_ms": round(took[int(len(took) * 0.99)], 2),
            "worst_ms": round(took[-1], 2),
        }


def write_document(path: Path, size: int) -> str:
    """A document whose every MiB differs, without 2 GiB of randomness: its SHA-256."""
    digest, block = hashlib.sha256(), bytearray(hashlib.shake_256(b"document").digest(MIB))
    with path.open("wb") as file:
        for at in range(0, size, MIB):
            block[:8] = at.to_bytes(8, "big")
            piece = memoryview(block)[: min(MIB, size - at)]
            digest.update(piece)
            file.write(piece)
    return digest.hexdigest()


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, as a person would compare it."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
