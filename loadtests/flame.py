"""A flame graph of the server under load (火焰图): `python -m loadtests.NAME --flame FILE.svg`.

py-spy looks at the server's threads from outside a few hundred times a second and counts the stacks
of those that run; a thread that waits counts nothing. A sampler inside would not do: uvloop gives
the interpreter lock away between callbacks, and that is when it would see the loop. What runs below
a Python function (the kernel's sends, libsodium) counts as that function's own. FILE.folded lies
beside the picture, one stack a line, for other tools. py-spy needs the right to trace: root, or a
kernel.yama.ptrace_scope of 0.
"""

import html
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from zlib import crc32

RATE = 250
ATTACH_LINES_MAX = 20
END_WITHIN_S = 60
WIDTH, ROW, TEXT_FROM, NARROWEST = 1200, 17, 40, 0.4
LETTER = 6.4


class NotTraced(Exception):
    """py-spy is absent or may not trace."""


class Recorder:
    """Records process ``pid`` from ``__init__`` to ``stop``. Raises NotTraced."""

    def __init__(self, pid: int) -> None:
        beside = Path(sys.executable).with_name("py-spy")
        program = str(beside) if beside.exists() else shutil.which("py-spy")
        if program is None:
            raise NotTraced("py-spy is not installed: make setup")
        self._folder = tempfile.TemporaryDirectory(prefix="kaibiao-flame-")
        self._file = Path(self._folder.name) / "folded"
        how = ["--format", "raw", "--function", "--nonblocking", "--threads"]
        self._process = subprocess.Popen(
            [program, "record", "--pid", str(pid), "--rate", str(RATE), *how, "-o", self._file],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._await_first_sample()

    def _await_first_sample(self) -> None:
        assert self._process.stdout is not None
        said: list[str] = []
        for line in self._process.stdout:
            said.append(line)
            if "Sampling" in line:
                return
            if len(said) > ATTACH_LINES_MAX:
                break
        self._process.kill()
        self._process.wait()
        self._folder.cleanup()
        raise NotTraced("".join(said).strip())

    def stop(self) -> dict[str, int]:
        """How often each stack was seen, from the outermost to the innermost, joined by ";"."""
        self._process.send_signal(signal.SIGINT)
        self._process.communicate(timeout=END_WITHIN_S)
        stacks: dict[str, int] = {}
        if self._file.exists():
            for line in self._file.read_text(encoding="utf-8").splitlines():
                stack, _, count = line.rpartition(" ")
                stacks[stack] = stacks.get(stack, 0) + int(count)
        self._folder.cleanup()
        return stacks


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
    """An SVG: width is time on a CPU, callers below the called; the pointer shows names whole."""
    root, depth = _Node(), 1
    for stack, spent in stacks.items():
        root.spent += spent
        node = root
        for part in stack.split(";"):
            node = node.children.setdefault(part, _Node())
            node.spent += spent
        depth = max(depth, stack.count(";") + 2)
    height = (depth + 2) * ROW
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        'font-family="monospace" font-size="11">',
        f'<text x="4" y="13">{html.escape(title)}: {root.spent} samples</text>',
    ]
    _draw(out, root, "all threads", 0.0, height - ROW, WIDTH / max(1, root.spent))
    return "\n".join([*out, "</svg>\n"])


def _draw(out: list[str], node: _Node, name: str, x: float, y: int, scale: float) -> None:
    width = node.spent * scale
    if width < NARROWEST:
        return
    shown = html.escape(name)
    tint = 35 + crc32(name.encode()) % 30
    share = f"{shown}: {node.spent * scale * 100 / WIDTH:.1f}%"
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
