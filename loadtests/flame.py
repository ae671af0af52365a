"""A flame graph of the server under load (火焰图): `python -m loadtests.NAME --flame FILE.svg`.

A thread of the server process looks at every thread's Python stack a few hundred times a second and
weighs each by the CPU time that the kernel says the thread has spent since the last look; waiting
weighs nothing. Nothing has to be installed and no right to trace is needed. What runs below a
Python function (the kernel's sends, uvloop, libsodium) counts as that function's own. FILE.folded
lies beside the picture, one stack a line, for other tools.
"""

import html
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from zlib import crc32

EVERY_S = 0.003
DEPTH_MAX = 60
WIDTH, ROW, TEXT_FROM, NARROWEST = 1200, 17, 40, 0.4
LETTER = 6.4
FOLDERS = ("server", "signaling", "crypto", "media", "loadtests")


class Sampler:
    """Collects stacks of this process from ``__init__`` to ``stop``."""

    def __init__(self) -> None:
        self._over = threading.Event()
        self._spent_us: Counter[str] = Counter()
        self._clocks: dict[int, tuple[int, int]] = {}  # thread -> (its CPU clock, ns when looked)
        self._thread = threading.Thread(target=self._look, name="sampler", daemon=True)
        self._thread.start()

    def stop(self) -> dict[str, int]:
        """Microseconds of CPU by stack, from the outermost to the innermost, joined by ";"."""
        self._over.set()
        self._thread.join()
        return dict(self._spent_us)

    def _look(self) -> None:
        own = threading.get_ident()
        while not self._over.wait(EVERY_S):
            names = {thread.ident: thread.name for thread in threading.enumerate()}
            for ident, frame in sys._current_frames().items():
                if ident != own:
                    self._weigh(ident, names.get(ident, "thread"), frame)

    def _weigh(self, ident: int, name: str, frame: FrameType) -> None:
        try:
            if ident not in self._clocks:
                clock = time.pthread_getcpuclockid(ident)
                self._clocks[ident] = clock, time.clock_gettime_ns(clock)
                return
            clock, before_ns = self._clocks[ident]
            now_ns = time.clock_gettime_ns(clock)
        except OSError:  # the thread has ended; its number may be given to another
            self._clocks.pop(ident, None)
            return
        self._clocks[ident] = clock, now_ns
        if spent_us := (now_ns - before_ns) // 1000:
            self._spent_us[_folded(name, frame)] += spent_us


def _folded(name: str, frame: FrameType | None) -> str:
    parts: list[str] = []
    while frame is not None and len(parts) < DEPTH_MAX:
        path = Path(frame.f_code.co_filename)
        inside = [at for at, part in enumerate(path.parts) if part in FOLDERS]
        place = "/".join(path.parts[inside[0] :]) if inside else path.name
        parts.append(f"{place}:{frame.f_code.co_qualname}")
        frame = frame.f_back
    return ";".join([name.split("_")[0], *reversed(parts)])


@dataclass(slots=True)
class _Node:
    spent: int = 0
    children: dict[str, "_Node"] = field(default_factory=dict)


def write(stacks: dict[str, int], target: Path, title: str) -> None:
    """The picture, and the folded stacks beside it."""
    lines = [f"{stack} {spent}\n" for stack, spent in sorted(stacks.items())]
    target.with_suffix(".folded").write_text("".join(lines), encoding="utf-8")
    target.write_text(picture(stacks, title), encoding="utf-8")


def picture(stacks: dict[str, int], title: str) -> str:
    """An SVG: width is CPU time, callers below what they call; the pointer shows names whole."""
    root, depth = _Node(), 1
    for stack, spent in stacks.items():
        root.spent += spent
        node = root
        for part in stack.split(";"):
            node = node.children.setdefault(part, _Node())
            node.spent += spent
        depth = max(depth, stack.count(";") + 2)
    height = (depth + 2) * ROW
    seconds = root.spent / 1e6
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        'font-family="monospace" font-size="11">',
        f'<text x="4" y="13">{html.escape(title)}: {seconds:.2f} s of CPU</text>',
    ]
    _draw(out, root, "all threads", 0.0, height - ROW, WIDTH / max(1, root.spent))
    return "\n".join([*out, "</svg>\n"])


def _draw(out: list[str], node: _Node, name: str, x: float, y: int, scale: float) -> None:
    width = node.spent * scale
    if width < NARROWEST:
        return
    shown = html.escape(name)
    tint = 35 + crc32(name.encode()) % 30
    share = f"{shown}: {node.spent / 1000:.1f} ms"
    out.append(
        f'<g><title>{share}</title><rect x="{x:.1f}" y="{y}" width="{width:.1f}" '
        f'height="{ROW - 1}" fill="hsl({tint},75%,{60 + tint % 15}%)"/>'
    )
    if width > TEXT_FROM:
        short = name.rsplit("/", 1)[-1][: int(width / LETTER)]
        out.append(f'<text x="{x + 2:.1f}" y="{y + 12}">{html.escape(short)}</text>')
    out.append("</g>")
    for child, below in sorted(node.children.items()):
        _draw(out, below, child, x, y - ROW, scale)
        x += below.spent * scale
