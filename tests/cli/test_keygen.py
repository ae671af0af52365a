"""`kaibiao keygen`: one key file per tender, readable by its owner, never over another."""

import json
import os
import pty
import subprocess
from pathlib import Path

import pytest

from crypto.keyfile import open_keyfile
from tests.cli.conftest import PASSPHRASE, Tender, keygen
from tests.cli.program import PROGRAM, run


def test_the_key_file_opens_and_its_public_keys_are_shown(tender: Tender, tmp_path: Path) -> None:
    done = keygen(tender, tmp_path / "mine.kbk")
    keys = open_keyfile((tmp_path / "mine.kbk").read_bytes(), PASSPHRASE)
    assert keys.tender_id == tender.rules.tender_id
    assert done.out == f"pk  {keys.signing_key.public.hex()}\nxpk {keys.box_key.public.hex()}\n"
    assert (done.code, done.err) == (0, "")
    assert (tmp_path / "mine.kbk").stat().st_mode & 0o777 == 0o600


def test_two_key_files_share_nothing(tender: Tender, tmp_path: Path) -> None:
    keygen(tender, tmp_path / "other.kbk")
    one = json.loads(tender.path("bidder.kbk").read_bytes())
    two = json.loads((tmp_path / "other.kbk").read_bytes())
    assert one["pk"] != two["pk"]
    assert one["xpk"] != two["xpk"]
    assert one["argon2id"]["salt"] != two["argon2id"]["salt"]


def test_a_key_file_is_never_overwritten(tender: Tender) -> None:
    path = tender.path("bidder.kbk")
    before = path.read_bytes()
    done = keygen(tender, path)
    assert (done.code, done.err.count("\n"), done.out) == (1, 1, "")
    assert str(path) in done.err
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("passphrase", "code"),
    [
        (b"", "keyfile.passphrase_length"),
        (b"1234567\n", "keyfile.passphrase_length"),
        (b"x" * 5000, "keyfile.passphrase_length"),
        (b"\xff" * 12, "keyfile.passphrase"),
    ],
)
def test_a_passphrase_that_will_not_do_is_refused(
    passphrase: bytes, code: str, tender: Tender, tmp_path: Path
) -> None:
    (tmp_path / "phrase").write_bytes(passphrase)
    done = keygen(tender, tmp_path / "k.kbk", **{"passphrase-file": tmp_path / "phrase"})
    assert done.refusal == code
    assert not (tmp_path / "k.kbk").exists()


def test_nobody_at_the_keyboard_is_a_refusal(tender: Tender, tmp_path: Path) -> None:
    done = run("keygen", tender.path("manifest.json"), "--out", tmp_path / "k.kbk")
    assert done.refusal == "keyfile.no_terminal"
    assert list(tmp_path.iterdir()) == []


def typed(tender: Tender, out: Path, *lines: str) -> int:
    """The exit code when these lines are typed on a terminal."""
    terminal, seat = pty.openpty()
    words = ["keygen", str(tender.path("manifest.json")), "--out", str(out)]
    process = subprocess.Popen(
        [str(PROGRAM), *words],
        stdin=seat,
        stdout=seat,
        stderr=seat,
        start_new_session=True,
        preexec_fn=_own_terminal,
    )
    os.close(seat)
    heard = b""
    for prompt, line in zip((b"Passphrase: ", b"Again: "), lines, strict=True):
        while prompt not in heard:
            heard += os.read(terminal, 4096)
        os.write(terminal, line.encode() + b"\n")
    code = process.wait(60)
    os.close(terminal)
    assert not any(line.encode() in heard for line in lines), "a passphrase was shown"
    return code


def _own_terminal() -> None:
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def test_a_typed_passphrase_is_asked_for_twice_and_not_shown(
    tender: Tender, tmp_path: Path
) -> None:
    assert typed(tender, tmp_path / "a.kbk", "correct horse", "correct house") == 1
    assert not (tmp_path / "a.kbk").exists()
    assert typed(tender, tmp_path / "a.kbk", "correct horse", "correct horse") == 0
    open_keyfile((tmp_path / "a.kbk").read_bytes(), "correct horse")


def test_a_manifest_that_is_none_is_refused(tender: Tender, tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_bytes(tender.path("manifest.json").read_bytes() + b" ")
    words = ["--out", tmp_path / "k.kbk", "--passphrase-file", tender.path("passphrase")]
    assert run("keygen", tmp_path / "manifest.json", *words).refusal.startswith("json.")
    assert not (tmp_path / "k.kbk").exists()
