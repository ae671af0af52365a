"""The command: exit codes, JSON, languages, both layouts, and never a traceback."""

import json
import os
import subprocess
import sys
import zipapp
from pathlib import Path
from typing import Any

import pytest

import crypto.verifier
from crypto.verifier.command import run
from crypto.verifier.kaibiao_verify import cli
from tests.verifier.bundle_file import signed, write
from tests.verifier.bundle_maker import Opening
from tests.verifier.receipt_maker import submit_receipt
from tests.verifier.tender_maker import AGENCY, SUPERVISOR, signing

FOLDER = Path(crypto.verifier.__file__).parent


@pytest.fixture
def bundle(members: dict[str, bytes], tmp_path: Path) -> Path:
    return write(signed(members), tmp_path / "opening.zip")


@pytest.fixture
def edited(members: dict[str, bytes], tmp_path: Path) -> Path:
    changed = members["readout.json"].replace(b"71000001.00", b"61000001.00")
    return write(signed(members | {"readout.json": changed}), tmp_path / "edited.zip")


def test_json_has_the_members_of_the_format(
    bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["verify", str(bundle), "--json", "--lang", "en"]) == 0
    value = json.loads(capsys.readouterr().out)
    assert set(value) == {"verdict", "checked", "word_of", "not_checkable", "mismatches"}
    assert (value["verdict"], value["mismatches"]) == ("agree", [])
    assert all(set(one) == {"check", "count", "text"} for one in value["checked"])
    assert all(one["count"] > 0 for one in value["checked"])
    assert any("no witnesses" in text for text in value["word_of"])


def test_a_mismatch_names_member_and_check(
    edited: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([str(edited), "--json"]) == 1
    value = json.loads(capsys.readouterr().out)
    assert value["verdict"] == "mismatch"
    found = {(one["member"], one["check"]) for one in value["mismatches"]}
    assert ("readout.json", "readout.row") in found
    assert all(
        set(one) == {"member", "check", "expected", "found", "text"} and one["text"]
        for one in value["mismatches"]
    )


@pytest.mark.parametrize(
    ("language", "verdict", "lists"),
    [
        (
            "zh",
            "✘ 有 2 处不符 (没有见证人)",
            ("不符之处", "已核对（比对次数）", "凭人所言", "任何人都无法核对"),
        ),
        (
            "en",
            "✘ 2 mismatches (no witnesses)",
            (
                "What differs",
                "Checked (number of comparisons)",
                "Taken on the word of others",
                "Not checkable by anybody",
            ),
        ),
    ],
)
def test_the_report_for_people_begins_with_the_verdict(
    language: str,
    verdict: str,
    lists: tuple[str, ...],
    edited: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run([str(edited), "--lang", language]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == verdict
    assert [line for line in lines if line in lists] == list(lists)


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({"LC_ALL": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh_TW"}, "zh"),
        ({"LC_ALL": "en_GB.UTF-8", "LANG": "zh_CN.UTF-8"}, "en"),
        ({"LANG": "C"}, "en"),
    ],
)
def test_the_language_follows_the_environment(
    environment: dict[str, str], language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert cli.default_language() == language


def test_what_the_reader_knows_is_compared(
    honest: Opening, bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trust = tmp_path / "trust.txt"
    keys = (("经办agency", AGENCY), ("经办supervisor", SUPERVISOR))
    good = "".join(f"{name} {key.public.hex()}\n" for name, key in keys)
    trust.write_text(f"# known keys\n\n{good}", encoding="utf-8")
    receipt = submit_receipt(honest, honest.bidders[0], tmp_path)
    arguments = [str(bundle), "--tender-id", honest.manifest.tender_id.hex()]
    arguments += ["--trust", str(trust), "--receipt", str(receipt)]
    assert run(arguments) == 0
    assert run([str(bundle), "--tender-id", "00" * 32]) == 1
    trust.write_text(f"经办agency {signing('x').public.hex()}\n", encoding="utf-8")
    assert run([str(bundle), "--trust", str(trust)]) == 1
    capsys.readouterr()


@pytest.mark.parametrize("line", ["经办agency", "经办agency 00", "00" * 32, "name " + "AB" * 32])
def test_an_unreadable_trust_file_gives_no_verdict(
    line: str, bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trust = tmp_path / "trust.txt"
    trust.write_text(line + "\n", encoding="utf-8")
    assert run([str(bundle), "--trust", str(trust), "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["verdict"] == "unreadable"
    assert run([str(bundle), "--trust", str(tmp_path / "nothing")]) == 2
    capsys.readouterr()


@pytest.mark.parametrize("arguments", [[], ["--nothing"], ["a", "b"], ["a", "--tender-id", "xyz"]])
def test_wrong_arguments_are_told_and_give_no_verdict(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 2
    assert "usage" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["--help"], [], ["没有", "--tender-id", "没有"], ["没有.zip"]])
def test_a_console_without_chinese_is_no_failure(words: list[str], tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "crypto.verifier", *words],
        env=os.environ | {"PYTHONIOENCODING": "ascii:strict", "PYTHONUTF8": "1"},
        capture_output=True,
        check=False,
    )
    assert done.returncode == (0 if "--help" in words else 2)
    assert b"Traceback" not in done.stdout + done.stderr


def test_help_is_no_failure(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    assert "--tender-id" in capsys.readouterr().out


def test_a_fault_of_the_verifier_is_no_verdict_and_no_traceback(
    bundle: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("a fault")

    monkeypatch.setattr(cli, "verify", broken)
    assert run([str(bundle), "--lang", "en"]) == 2
    shown = capsys.readouterr()
    assert "verifier.fault" in shown.out
    assert shown.err == ""


def outcome(command: list[str], folder: Path) -> tuple[int, dict[str, Any], str]:
    done = subprocess.run(command, cwd=folder, capture_output=True, timeout=60, check=False)
    return done.returncode, json.loads(done.stdout), done.stderr.decode()


def test_the_zipped_folder_and_the_module_give_the_same_report(
    bundle: Path, edited: Path, tmp_path: Path
) -> None:
    zipped = tmp_path / "kaibiao-verify.pyz"
    zipapp.create_archive(FOLDER, zipped, main="command:main")
    root = FOLDER.parent.parent
    for file, code in ((bundle, 0), (edited, 1), (tmp_path, 2)):
        # -I: no environment, no site-packages of the user, no current folder on the path.
        alone = outcome([sys.executable, "-I", "-S", str(zipped), str(file), "--json"], tmp_path)
        inside = outcome([sys.executable, "-m", "crypto.verifier", str(file), "--json"], root)
        assert alone == inside
        assert (alone[0], alone[2]) == (code, "")


def test_a_reader_that_goes_away_is_no_traceback(bundle: Path, tmp_path: Path) -> None:
    script = f"{sys.executable} -m crypto.verifier {bundle} | true"
    done = subprocess.run(
        script, shell=True, cwd=FOLDER.parent.parent, capture_output=True, timeout=60, check=False
    )
    assert b"Traceback" not in done.stderr
