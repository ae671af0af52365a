"""Files that are no bundles, or bundles that lie about their own size: a verdict, never a crash."""

import json
import random
import struct
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crypto.verifier import verify
from crypto.verifier.kaibiao_verify import bundle as limits
from tests.verifier.bundle_file import signed, write
from tests.verifier.judging import assert_named

Members = dict[str, bytes]


@pytest.mark.parametrize("content", [b"", b"PK", b"not a zip", b"\x89KBID", b"PK\5\6" + bytes(17)])
def test_what_is_no_zip_file_is_unreadable(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "opening.zip"
    file.write_bytes(content)
    report = verify(file)
    assert (report.exit_code, report.verdict) == (2, "unreadable")


def test_a_file_that_is_not_there_or_a_folder_is_unreadable(tmp_path: Path) -> None:
    assert verify(tmp_path / "nothing.zip").exit_code == 2
    assert verify(tmp_path).exit_code == 2


def test_an_empty_zip_misses_everything(tmp_path: Path) -> None:
    report = verify(write({}, tmp_path / "opening.zip"))
    assert_named(report, "bundle.missing", "manifest.json")


@pytest.mark.parametrize(
    "name",
    [
        "verify.py",
        "../manifest.json",
        "/manifest.json",
        "manifest.json/",
        "MANIFEST.json",
        "submit/zz.bin",
        "log/window-end-0-1.txt",
        "log/window-end-1-1.txt\n",
        "清单.json",
        "a\x1b[31mred.txt",
    ],
)
def test_a_member_that_no_bundle_has_is_named(name: str, members: Members, tmp_path: Path) -> None:
    report = verify(write(signed(members) | {name: b"x"}, tmp_path / "opening.zip"))
    assert_named(report, "bundle.name")
    assert all(one.member.isprintable() for one in report.mismatches)


def test_a_member_twice_is_named(members: Members, tmp_path: Path) -> None:
    file = write(signed(members), tmp_path / "opening.zip")
    with zipfile.ZipFile(file, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("readout.json", b"another")
    assert_named(verify(file), "bundle.twice", "readout.json")


def test_unsorted_members_are_named(members: Members, tmp_path: Path) -> None:
    file = tmp_path / "opening.zip"
    with zipfile.ZipFile(file, "w") as archive:
        for name, raw in sorted(signed(members).items(), reverse=True):
            archive.writestr(name, raw)
    assert_named(verify(file), "bundle.order")


def test_a_member_packed_in_another_way_is_named(members: Members, tmp_path: Path) -> None:
    file = tmp_path / "opening.zip"
    with zipfile.ZipFile(file, "w") as archive:
        for name, raw in sorted(signed(members).items()):
            kind = zipfile.ZIP_LZMA if name == "readout.json" else zipfile.ZIP_STORED
            archive.writestr(name, raw, kind)
    assert_named(verify(file), "bundle.packing", "readout.json")


def test_a_member_that_unpacks_to_more_than_its_kind_may_is_not_unpacked(
    members: Members, tmp_path: Path
) -> None:
    name = f"submit/{'ab' * 32}.bin"
    file = write(signed(members) | {name: bytes(1 << 26)}, tmp_path / "opening.zip")
    assert file.stat().st_size < 1 << 20, "a bomb"
    assert_named(verify(file), "bundle.size", name)


def test_a_member_that_lies_about_its_size_is_named(members: Members, tmp_path: Path) -> None:
    file = write(signed(members), tmp_path / "opening.zip")
    raw = bytearray(file.read_bytes())
    place = raw.rindex(b"readout.json") - 46  # its line in the central directory
    size = struct.unpack_from("<I", raw, place + 24)[0]
    struct.pack_into("<I", raw, place + 24, size - 1)
    file.write_bytes(bytes(raw))
    report = verify(file)
    assert report.exit_code == 1
    assert "readout.json" in {one.member for one in report.mismatches}


def test_an_archive_beyond_all_limits_is_unreadable(
    members: Members, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write(signed(members), tmp_path / "opening.zip")
    for name in ("ARCHIVE_MAX", "MEMBERS_MAX", "CONTENT_MAX"):
        with monkeypatch.context() as patch:
            patch.setattr(limits, name, 10)
            assert verify(file).exit_code == 2


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
def test_a_truncated_bundle_gives_a_verdict(share: float, members: Members, tmp_path: Path) -> None:
    file = write(signed(members), tmp_path / "opening.zip")
    raw = file.read_bytes()
    file.write_bytes(raw[: int(len(raw) * share)])
    assert verify(file).exit_code == 2


def test_random_damage_to_the_file_gives_a_verdict(members: Members, tmp_path: Path) -> None:
    raw = write(signed(members), tmp_path / "good.zip").read_bytes()
    drawn = random.Random(7)
    file = tmp_path / "opening.zip"
    for _ in range(60):
        changed = bytearray(raw)
        for _ in range(drawn.choice((1, 1, 5))):
            changed[drawn.randrange(len(raw))] = drawn.randrange(256)
        file.write_bytes(bytes(changed))
        assert verify(file).exit_code in (0, 1, 2)


JSON_MEMBERS = (
    "closed.json",
    "frozen.json",
    "index.json",
    "journal.jsonl",
    "log/consistency.json",
    "log/entries.jsonl",
    "manifest.json",
    "manifest.sig.json",
    "readout.json",
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(name=st.sampled_from(JSON_MEMBERS), value=VALUES, in_a_line=st.booleans())
def test_any_json_in_place_of_a_member_is_a_mismatch(
    name: str, value: object, in_a_line: bool, members: Members, tmp_path: Path
) -> None:
    raw = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    changed = members | {name: raw + b"\n" * in_a_line}
    if not name.startswith("index"):
        changed = signed(changed)
    report = verify(write(changed, tmp_path / "opening.zip"))
    assert report.exit_code == 1


@pytest.mark.parametrize("name", JSON_MEMBERS)
@pytest.mark.parametrize(
    "raw", [b"[" * 60_000, b"9" * 60_000, b'{"a":' * 20_000, b"\xff\xfe", b'"']
)
def test_json_that_is_costly_to_read_is_refused(
    name: str, raw: bytes, members: Members, tmp_path: Path
) -> None:
    report = verify(write(members | {name: raw}, tmp_path / "opening.zip"))
    assert report.exit_code == 1
    assert name in {one.member for one in report.mismatches}
