"""The entry point of `kaibiao-verify.pyz` and of `python -m crypto.verifier` (入口).

The one file that knows the two layouts: zipped, this is a top-level module.
"""

import sys

if sys.version_info < (3, 10):  # noqa: UP036 - people run the zip with whatever Python they have
    sys.stderr.write("Python 3.10 or newer is needed. 需要 Python 3.10 以上。\n")
    sys.exit(2)
if __package__:
    from .kaibiao_verify.cli import run
else:
    from kaibiao_verify.cli import run

__all__ = ["main", "run"]


def main() -> None:
    """Run with the process's arguments and leave with the exit code of formats §8."""
    try:
        code = run(sys.argv[1:])
    except KeyboardInterrupt:
        code = 2
    raise SystemExit(code)
