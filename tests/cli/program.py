"""Running `kaibiao` as people do: a process, its exit code, its two streams.

``run`` starts the installed program. ``Nursery`` is for hundreds of runs: one process has imported
the program and forks for each, so that every run is a process with an exit code of its own all the
same.
"""

import importlib
import json
import os
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path
from typing import IO, Any, NamedTuple

ROOT = Path(__file__).parents[2]
PROGRAM = Path(sys.executable).parent / "kaibiao"
ENGLISH = {"LC_ALL": "C.UTF-8"}


class Ran(NamedTuple):
    """One run."""

    code: int
    out: str
    err: str

    @property
    def refusal(self) -> str:
        """The code of the refusal, from the one line that there may be."""
        assert self.code == 1, self
        assert self.err.startswith("kaibiao: "), self
        assert self.err.count("\n") == 1, self
        assert self.err.endswith("\n"), self
        return self.err.removeprefix("kaibiao: ").split()[0].rstrip(":")


def run(*words: object, env: dict[str, str] | None = None, cwd: Path | None = None) -> Ran:
    """`.venv/bin/kaibiao WORDS`, with nobody at the keyboard."""
    done = subprocess.run(
        [str(PROGRAM), *map(str, words)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        env=os.environ | ENGLISH | (env or {}),
        cwd=cwd,
        check=False,
        start_new_session=True,  # no terminal to ask for a passphrase
    )
    return Ran(done.returncode, done.stdout, done.stderr)


class Nursery:
    """Use as a context."""

    def __enter__(self) -> "Nursery":
        self._process: subprocess.Popen[str] = subprocess.Popen(
            [sys.executable, "-m", "tests.cli.program"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | ENGLISH,
        )
        return self

    def __exit__(self, *exc: object) -> None:
        _pipe(self._process.stdin).close()
        _pipe(self._process.stdout).close()
        self._process.wait(10)

    def run(self, *words: object) -> Ran:
        """As ``run``."""
        to, back = _pipe(self._process.stdin), _pipe(self._process.stdout)
        to.write(json.dumps([str(word) for word in words]) + "\n")
        to.flush()
        return Ran(*json.loads(back.readline()))


def _pipe(pipe: IO[str] | None) -> IO[str]:
    assert pipe is not None
    return pipe


def _fork(words: list[str]) -> tuple[int, str, str]:
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = os.fork()
        if child == 0:
            code = 70
            try:
                os.dup2(out.fileno(), 1)
                os.dup2(err.fileno(), 2)
                code = _become(words)
            finally:
                os._exit(code)
        _, status = os.waitpid(child, 0)
        texts: list[str] = []
        for stream in (out, err):
            stream.seek(0)
            texts.append(stream.read().decode("utf-8"))
    return os.waitstatus_to_exitcode(status), texts[0], texts[1]


def _become(words: list[str]) -> int:
    from server.cli import main

    sys.argv = ["kaibiao", *words]
    try:
        main()
    except SystemExit as end:
        return int(end.code or 0)
    except BaseException as error:
        traceback.print_exception(error)
        return 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return 0


def _serve() -> None:
    for name in ("cyclopts.help", "openpyxl", "rich.console", "rich.panel", "rich.table"):
        importlib.import_module(name)
    for name in ("verbs", "bidding", "envelopes", "words", "scoring.commands"):
        importlib.import_module(f"server.cli.{name}")
    for line in sys.stdin:
        words: Any = json.loads(line)
        print(json.dumps(_fork(words)), flush=True)


if __name__ == "__main__":
    _serve()
