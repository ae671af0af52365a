"""What the machine says about itself (机器): CPU and memory of processes, the disk's fsync.

CPU is the kernel's accounting of all threads of a process, never a process's own word.
"""

import os
import resource
import statistics
import time
from collections.abc import Sequence
from pathlib import Path

# Of any process besides its seats: its modules, its journal, its pipes.
FILES_BESIDES = 500
TICKS_PER_S = os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
PROBE_BYTES = 8192


def cpu_s(pid: int) -> float:
    """CPU seconds (user and system) of all threads that live, also of the processes that it has
    begun, to the nanosecond where the kernel counts so; else by /proc/<pid>/stat, to the hundredth
    of a second and of the one process.
    """
    try:
        spent, begun = 0, list[str]()
        for task in Path(f"/proc/{pid}/task").iterdir():
            spent += int((task / "schedstat").read_text().split()[0])
            begun += (task / "children").read_text().split()
        return spent / 1e9 + sum(cpu_s(int(child)) for child in begun)
    except (OSError, IndexError):
        return _stat_cpu_s(pid)


def _stat_cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S


def core_wait_s(pid: int) -> float:
    """Seconds that a process's first thread was ready to run and had no core; 0 where the kernel
    does not count it.
    """
    try:
        return int(Path(f"/proc/{pid}/task/{pid}/schedstat").read_text().split()[1]) / 1e9
    except (OSError, IndexError):
        return 0.0


def rss_bytes(pid: int) -> int:
    """Resident memory of a process."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE_BYTES


def fsync_s(directory: Path, times: int = 40) -> list[float]:
    """How long ``fdatasync`` of a few appended KiB takes on this disk, sorted."""
    path = directory / "fsync.probe"
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
    took: list[float] = []
    try:
        for number in range(times):
            os.pwrite(handle, os.urandom(PROBE_BYTES), number * PROBE_BYTES)
            started = time.perf_counter()
            os.fdatasync(handle)
            took.append(time.perf_counter() - started)
    finally:
        os.close(handle)
        path.unlink()
    return sorted(took)


def cpus() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0))


def allow_files(seats: int) -> None:
    """This process and those that it starts may hold open what the machine allows at all, which
    must be enough for so many seats in one process; a login's usual limit is 1,024.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if hard != resource.RLIM_INFINITY and hard < seats + FILES_BESIDES:
        raise SystemExit(f"{seats} seats need more open files than {hard}: raise ulimit -Hn")


def quantile(values: Sequence[float], share: float) -> float:
    """Nearest rank; ``values`` in any order, not empty."""
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, int(share * len(ranked)))]


def spread_ms(seconds: Sequence[float]) -> dict[str, float]:
    """Median and tails in milliseconds."""
    return {
        "p50": round(quantile(seconds, 0.5) * 1000, 3),
        "p90": round(quantile(seconds, 0.9) * 1000, 3),
        "p99": round(quantile(seconds, 0.99) * 1000, 3),
        "max": round(max(seconds) * 1000, 3),
    }


def median(values: Sequence[float]) -> float:
    return statistics.median(values)
