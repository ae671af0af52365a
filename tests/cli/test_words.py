"""What the command line says: one line, in the reader's language, whatever a file has in it."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from server.cli.words import LOCALE, told
from tests.cli.program import PROGRAM, Nursery, run


def test_a_refusal_is_said_in_the_words_of_the_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, file in (("C.UTF-8", "en"), ("zh_CN.UTF-8", "zh_CN"), ("", "en")):
        monkeypatch.setenv("LC_ALL", name)
        monkeypatch.setenv("LC_MESSAGES", "")
        monkeypatch.setenv("LANG", "")
        texts = json.loads((LOCALE / f"{file}.json").read_text("utf-8"))
        happened = texts["refusal.keyfile.passphrase"].split("|")[0].strip()
        assert told("keyfile.passphrase") == f"keyfile.passphrase: {happened}"
        noun = texts["refusal.header.other"].split("|")[0].strip()
        assert told("header.zero", "at 9") == f"header.zero: {noun} (at 9)"
    assert told("unheard.of") == "unheard.of"


def test_a_command_that_cannot_be_read_is_one_line_too(program: Nursery) -> None:
    for words in (["nonsense"], ["inspect"], ["open", "a", "b"], ["seal", "--key"], ["--sealed"]):
        done = program.run(*words)
        assert (done.code, done.out, done.err.count("\n")) == (2, "", 1), done
        assert done.err.startswith("kaibiao: ")


def test_a_name_cannot_write_lines_of_its_own(program: Nursery, tmp_path: Path) -> None:
    done = program.run("inspect", tmp_path / "a\nkaibiao: all is well\x1b[2J")
    assert (done.code, done.err.count("\n")) == (1, 1)
    assert "\x1b" not in done.err


def test_chinese_survives_a_locale_that_has_none() -> None:
    plain = {name: value for name, value in os.environ.items() if not name.startswith("LC_")}
    done = subprocess.run(
        [str(PROGRAM), "--help"],
        env=plain | {"LANG": "C", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
        capture_output=True,
        check=True,
    )
    assert "开标大厅" in done.stdout.decode("utf-8")


def test_a_reader_that_goes_away_is_no_error() -> None:
    command = f"set -o pipefail; '{PROGRAM}' config example | head -c 1 > /dev/null"
    done = subprocess.run(["bash", "-c", command], capture_output=True, check=False)
    assert done.stderr == b""
    assert done.returncode in {0, 141}


VERBS = ("config", "demo", "doctor", "inspect", "keygen", "open", "seal", "serve", "verify")


def test_every_verb_is_told_and_has_help(program: Nursery) -> None:
    told_verbs = run("--help").out
    for verb in VERBS:
        assert f" {verb} " in told_verbs
        assert program.run(verb, "--help").code == 0


def test_the_version_is_the_projects() -> None:
    root = Path(__file__).parents[2]
    version = next(
        line.split('"')[1]
        for line in (root / "pyproject.toml").read_text().splitlines()
        if line.startswith("version")
    )
    assert run("--version").out == f"{version}\n"
