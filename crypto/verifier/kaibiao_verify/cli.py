"""The command line (命令行): `verify BUNDLE [--tender-id HEX] [--trust FILE] [--receipt FILE]...`

Exit code 0: all agree; 1: a named mismatch; 2: unreadable. Never a traceback.
"""

from __future__ import annotations

import argparse
import io
import json
import locale
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from .authority import Trust
from .report import Report, UnreadableBundle
from .verification import verify
from .words import as_json, as_text

TRUST_FILE_MAX = 1 << 20
UNREADABLE_EXIT = 2


def default_language() -> str:
    """zh where the environment says so, else en."""
    names = [os.environ.get(name, "") for name in ("LC_ALL", "LC_MESSAGES", "LANG")]
    name = next((name for name in names if name), locale.getlocale()[0] or "")
    return "zh" if name.lower().startswith(("zh", "chinese")) else "en"


def read_trust(path: Path) -> Trust:
    """Lines `name hex-pk`; empty lines and lines that begin with # are skipped, a name may have
    several keys.

    Raises UnreadableBundle.
    """
    trust: Trust = {}
    try:
        with path.open("rb") as file:
            text = file.read(TRUST_FILE_MAX).decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UnreadableBundle("trust.file", type(error).__name__) from error
    for line in text.splitlines():
        name, _, key = line.strip().rpartition(" ")
        if line.strip() and not line.startswith("#"):
            if not name or re.fullmatch("[0-9a-f]{64}", key) is None:
                raise UnreadableBundle("trust.file", line[:80])
            trust.setdefault(name.strip(), set()).add(bytes.fromhex(key))
    return trust


def _tender_id(text: str) -> bytes:
    if re.fullmatch("[0-9a-f]{64}", text) is None:
        raise argparse.ArgumentTypeError("64 characters 0-9a-f")
    return bytes.fromhex(text)


def parser() -> argparse.ArgumentParser:
    """The arguments of formats §8."""
    found = argparse.ArgumentParser(
        prog="kaibiao-verify",
        description="Check an opening bundle offline, trusting nobody. 离线验证开标包。",
    )
    found.add_argument("bundle", metavar="BUNDLE", type=Path)
    known = "the tender that it must be 应为此项目"
    found.add_argument("--tender-id", metavar="HEX", type=_tender_id, help=known)
    known = "lines `name hex-pk`: officers, log, witnesses whose keys you know 您已知的公钥"
    found.add_argument("--trust", metavar="FILE", type=Path, help=known)
    known = "a bidder's receipt, *.receipt.json; may be repeated 投标人的回执"
    found.add_argument(
        "--receipt", metavar="FILE", type=Path, action="append", default=[], help=known
    )
    found.add_argument("--json", action="store_true", help="the report as JSON")
    found.add_argument("--lang", choices=("zh", "en"), default=default_language())
    return found


def _report(arguments: argparse.Namespace) -> Report:
    try:
        trust = read_trust(arguments.trust) if arguments.trust is not None else None
        return verify(arguments.bundle, arguments.tender_id, trust, arguments.receipt)
    except UnreadableBundle as error:
        return Report(unreadable=error)
    except Exception as error:  # A fault of ours must not look like a verdict, nor like a crash.
        return Report(unreadable=UnreadableBundle("verifier.fault", repr(error)[:200]))


def run(arguments: Sequence[str]) -> int:
    """Verify as the arguments say, print the report, give the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # an old console may know no Chinese
    words = list(arguments)
    if words[:1] == ["verify"]:  # The same words as `kaibiao verify BUNDLE`.
        del words[0]
    try:
        parsed = parser().parse_args(words)
    except SystemExit as stop:  # argparse has printed its help or complaint.
        return UNREADABLE_EXIT if stop.code else 0
    report = _report(parsed)
    if parsed.json:
        value = as_json(report, parsed.lang)
        text = json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    else:
        text = as_text(report, parsed.lang)
    return report.exit_code if _print(text) else UNREADABLE_EXIT


def _print(text: str) -> bool:
    """Whether whoever reads it could: a full disk must not look like a verdict."""
    if sys.stdout is None:  # the caller closed it: only the exit code is asked for
        return True
    try:
        sys.stdout.buffer.write(text.encode("utf-8"))
        sys.stdout.buffer.flush()
    except OSError as error:
        # Keep the interpreter from complaining once more at its exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            if sys.stderr is not None:
                sys.stderr.write(f"kaibiao-verify: {error.strerror}\n")
            return False
    return True
