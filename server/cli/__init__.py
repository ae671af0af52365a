"""The command line (命令行): `kaibiao VERB`. A refusal is one line on stderr and exit code 1, a
command that cannot be read is one line and exit code 2; never a traceback.

The verbs are in `verbs`, which `main` loads: whoever presses Ctrl-C meanwhile is left alone, too.
"""

import os
import sys
from typing import NoReturn


def main() -> None:
    """Entry point of the `kaibiao` program."""
    try:
        _have_streams()
        _run()
    except KeyboardInterrupt:
        sys.exit(130)


def _run() -> None:
    import cyclopts

    from crypto.errors import Rejected
    from server.cli.verbs import app

    try:
        app(exit_on_error=False, print_error=False)
        sys.stdout.flush()
    except cyclopts.CycloptsError as error:
        _end(2, str(error))
    except Rejected as refused:
        from server.cli.words import told

        _end(1, told(refused.code, refused.detail))
    except BrokenPipeError:
        _reader_went_away()
    except UnicodeError as error:  # in a word of the command line or of the environment
        _end(2, f"not UTF-8: {error}")
    except OSError as error:
        name = f"{error.filename}: " if error.filename else ""
        _end(1, f"{name}{error.strerror or error}")


def _have_streams() -> None:
    """Whoever redirects our output reads it in the language of the law, whatever the locale; and
    where a caller closed a stream, no file of ours may get its number and be written into.
    """
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115 - as long as we run
        getattr(sys, name).reconfigure(encoding="utf-8", errors="backslashreplace")


def _end(code: int, text: str) -> NoReturn:
    """One line, whatever a hostile file has put into the text."""
    line = " ".join(text.split())
    shown = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in line)
    print(f"kaibiao: {shown}", file=sys.stderr)
    sys.exit(code)


def _reader_went_away() -> NoReturn:
    """`kaibiao inspect | head`: not a failure, and nothing to complain about at our own end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(0)
