"""What the command line is called with, and where it prints: devices, pipes, closed streams, a full
disk, words that are no text, Ctrl-C. Always an exit code that says it, and no traceback.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Tender, seal_words
from tests.cli.program import ENGLISH, PROGRAM, Nursery, Ran
from tests.crypto.vector_files import GOOD

PATIENCE_S = 60  # whoever reads a device to its end is not back by then
HEADER = bytes.fromhex(GOOD["kbid1.json"]["envelopes"][1]["header"])


def shell(line: str, *words: object) -> Ran:
    """`LINE` of a shell, in which the words are "$@" behind the program."""
    done = subprocess.run(
        ["bash", "-c", line, "bash", str(PROGRAM), *map(str, words)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env=os.environ | ENGLISH,
        check=False,
        timeout=PATIENCE_S,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize("kind", ["device", "pipe"])
def test_what_has_no_end_is_no_bundle(kind: str, tmp_path: Path) -> None:
    path = Path("/dev/zero") if kind == "device" else tmp_path / "pipe"
    if kind == "pipe":
        os.mkfifo(path)
    done = shell('"$@"', "verify", path, "--json")
    assert (done.code, done.err) == (2, "")
    assert '"verdict": "unreadable"' in done.out


def test_a_configuration_has_an_end() -> None:
    done = shell('"$@"', "config", "show", "--config", "/dev/zero")
    assert done.refusal == "config.invalid"


def test_a_report_that_could_not_be_written_is_no_verdict(tmp_path: Path) -> None:
    (tmp_path / "opening.zip").write_bytes(b"rubbish")
    done = shell('"$@" > /dev/full', "verify", tmp_path / "opening.zip")
    assert (done.code, done.err) == (2, "kaibiao-verify: No space left on device\n")


def test_a_full_disk_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "bid.kbh").write_bytes(HEADER)
    done = shell('"$@" > /dev/full', "inspect", tmp_path / "bid.kbh")
    assert (done.code, done.err) == (1, "kaibiao: No space left on device\n")


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-", "<&-"])
def test_a_closed_stream_changes_neither_the_code_nor_the_files(
    closed: str, tender: Tender, tmp_path: Path
) -> None:
    key, phrase = tmp_path / "k.kbk", tender.path("passphrase")
    words = ("keygen", tender.path("manifest.json"), "--out", key, "--passphrase-file", phrase)
    done = shell(f'"$@" {closed}', *words)
    assert (done.code, done.err) == (0, "")
    assert key.read_bytes().startswith(b'{"argon2id"')
    assert shell(f'"$@" {closed}', *words).code == 1
    assert shell(f'"$@" {closed}', "verify", key).code == 2


@pytest.mark.parametrize("out", ["/", "..", "."])
def test_what_names_no_file_is_no_output(
    out: str, tender: Tender, program: Nursery, tmp_path: Path
) -> None:
    words = seal_words(tender, Path(out), envelope=2, file=tender.path("form.json"))
    done = program.run(*words)
    assert (done.code, "Traceback" in done.err) == (1, False)
    assert done.err.splitlines()[-1] == f"kaibiao: {out}: Is a directory"


def test_a_trustees_key_cannot_expire_before_time_began(program: Nursery, tmp_path: Path) -> None:
    words = ["--role", "agency", "--org", "1", "--org-name", "a", "--name", "b"]
    words += ["--expiry", "1969-12-31T23:59:59+00:00", "--out", str(tmp_path / "key")]
    done = program.run("tender", "trustee", *words)
    assert done.refusal == "template.settings"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("words", [["inspect"], ["verify"], ["keygen", "--out", "x"]])
def test_a_name_that_is_no_text_is_a_name(words: list[str], tmp_path: Path) -> None:
    done = shell('"$@" "$(printf \'bad\\xff\')"', *words)
    assert done.code == (2 if words == ["verify"] else 1)
    assert "Traceback" not in done.err


def test_a_setting_that_is_no_text_is_one_line() -> None:
    done = shell('KAIBIAO_SITE__DATA="$(printf \'\\xff\')" "$@"', "config", "show")
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert done.err.startswith("kaibiao: not UTF-8")


# Somebody presses Ctrl-C at the moment when this module is asked for.
PRESSED = """
import sys
class Ctrl:
    def find_spec(self, name, *rest):
        if name == "WHERE":
            raise KeyboardInterrupt
sys.meta_path.insert(0, Ctrl())
from server.cli import main
sys.argv = ["kaibiao", "inspect", "nothing"]
main()
"""


@pytest.mark.parametrize("where", ["cyclopts", "server.cli.verbs", "server.cli.envelopes"])
def test_ctrl_c_is_quiet_from_the_first_import_on(where: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PRESSED.replace("WHERE", where)], capture_output=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, b"", b"")
