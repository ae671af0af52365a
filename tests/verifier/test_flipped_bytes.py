"""Any altered byte of any member is named, and a new signature over the index does not help."""

import random
from pathlib import Path

import pytest

from crypto.verifier import verify
from tests.verifier.bundle_file import signed, write
from tests.verifier.bundle_maker import Opening
from tests.verifier.judging import assert_agrees, codes, judged

NAMES = sorted(signed(Opening().run().members()))


def flipped(raw: bytes, place: int, bit: int = 0) -> bytes:
    changed = bytearray(raw)
    changed[place] ^= 1 << bit
    return bytes(changed)


def test_the_honest_bundle_agrees(members: dict[str, bytes], tmp_path: Path) -> None:
    assert_agrees(judged(members, tmp_path))


@pytest.mark.parametrize("name", NAMES)
def test_one_flipped_byte_is_named(name: str, members: dict[str, bytes], tmp_path: Path) -> None:
    bundle = signed(members)
    for place in (0, len(bundle[name]) // 2, len(bundle[name]) - 1):
        changed = bundle | {name: flipped(bundle[name], place)}
        report = verify(write(changed, tmp_path / "opening.zip"))
        assert report.exit_code == 1
        assert name in {one.member for one in report.mismatches}


@pytest.mark.parametrize("name", [name for name in NAMES if not name.startswith("index.")])
def test_one_flipped_byte_is_found_under_a_new_index(
    name: str, members: dict[str, bytes], tmp_path: Path
) -> None:
    drawn = random.Random(name)
    for _ in range(4):
        place, bit = drawn.randrange(len(members[name])), drawn.randrange(8)
        changed = members | {name: flipped(members[name], place, bit)}
        report = judged(changed, tmp_path)
        assert report.exit_code == 1, (place, bit)
        assert not any(code.startswith("index.s") for code in codes(report)), (
            "deeper than the index"
        )


@pytest.mark.parametrize("name", [name for name in NAMES if not name.startswith("index.")])
def test_a_removed_member_is_named(name: str, members: dict[str, bytes], tmp_path: Path) -> None:
    report = judged({key: raw for key, raw in members.items() if key != name}, tmp_path)
    assert report.exit_code == 1
    assert name in {one.member for one in report.mismatches}


def test_a_flipped_bit_in_the_packed_bytes_names_the_member(
    members: dict[str, bytes], tmp_path: Path
) -> None:
    file = write(signed(members), tmp_path / "opening.zip")
    raw = file.read_bytes()
    place = raw.index(b"readout.json") + len(b"readout.json") + 20
    file.write_bytes(flipped(raw, place))
    report = verify(file)
    assert report.exit_code == 1
    assert "readout.json" in {one.member for one in report.mismatches}
