"""`kaibiao inspect`: every field of a header by its name in the format, and nothing made up."""

import json
from pathlib import Path

import pytest

from tests.cli.program import Nursery, run
from tests.crypto.vector_files import GOOD, HOSTILE, Json, expanded

IN_THE_FORMAT = """
magic version suite header_len tender_id lot envelope bidder_pk bidder_xpk bid_nonce created_ms
pt_len log2_chunk n_chunks c_B c_H c_K c_P ct_root box_B t n trustees sig bid_id
"""
VECTORS = GOOD["kbid1.json"]
# Only structure and ranges can be judged without a manifest.
STRUCTURAL = {
    "header.box_key",
    "header.length",
    "header.log2_chunk",
    "header.magic",
    "header.n_chunks",
    "header.suite",
    "header.threshold",
    "header.trustees",
    "header.version",
    "header.zero",
}


def header_file(folder: Path, text: str) -> Path:
    path = folder / "envelope.kbh"
    path.write_bytes(bytes.fromhex(text))
    return path


def expected(case: Json) -> Json:
    """What the vector file says, independently of the code that reads headers."""
    terms, inputs, raw = case["terms"], case["inputs"], bytes.fromhex(case["header"])
    suite = VECTORS["suite"]
    boxes = [
        raw[at : at + suite["row_size"]]
        for at in range(suite["rows_at"], len(raw) - 64, suite["row_size"])
    ]
    copied = ("tender_id", "envelope", "bidder_pk", "bidder_xpk", "log2_chunk", "t")
    return {
        "magic": "894b4249440d0a1a",
        "version": 1,
        "suite": 1,
        "header_len": len(raw),
        "lot": inputs["lot"],
        "bid_nonce": inputs["bid_nonce"],
        "created_ms": inputs["created_ms"],
        "pt_len": len(expanded(inputs["plaintext"])),
        "n_chunks": len(case["chunk_sizes"]),
        "n": len(terms["trustee_xpks"]),
        "trustees": [
            {"xpk": xpk, "box": row[32:].hex()}
            for xpk, row in zip(terms["trustee_xpks"], boxes, strict=True)
        ],
        **{name: terms[name] for name in copied},
        **{
            name: case[name]
            for name in ("c_B", "c_H", "c_K", "c_P", "ct_root", "box_B", "sig", "bid_id")
        },
    }


@pytest.mark.parametrize("case", VECTORS["envelopes"], ids=lambda case: case["name"])
def test_every_field_is_the_vector_files(case: Json, program: Nursery, tmp_path: Path) -> None:
    done = program.run("inspect", "--json", header_file(tmp_path, case["header"]))
    assert (done.code, done.err) == (0, "")
    shown = json.loads(done.out)
    assert list(shown) == IN_THE_FORMAT.split()
    assert shown == expected(case)


def test_the_installed_program_says_the_same_and_takes_the_option_behind(tmp_path: Path) -> None:
    case = VECTORS["envelopes"][0]
    done = run("inspect", header_file(tmp_path, case["header"]), "--json")
    assert (done.code, json.loads(done.out)) == (0, expected(case))


def test_without_json_each_field_has_a_line(program: Nursery, tmp_path: Path) -> None:
    case = VECTORS["envelopes"][0]
    done = program.run("inspect", header_file(tmp_path, case["header"]))
    assert [line.split()[0] for line in done.out.splitlines()] == IN_THE_FORMAT.split()
    assert case["bid_id"] in done.out


@pytest.mark.parametrize("case", HOSTILE["headers"], ids=lambda case: case["name"])
def test_a_header_that_is_none_is_refused_in_one_line(
    case: Json, program: Nursery, tmp_path: Path
) -> None:
    done = program.run("inspect", header_file(tmp_path, case["header"]))
    if done.code == 0:  # what is wrong with it shows only beside a manifest, or in its signature
        assert "bid_id" in done.out
        return
    assert case["expect"] in STRUCTURAL
    # With no tender to compare with, an unknown suite is just unknown.
    wanted = "suite.unknown" if case["expect"] == "header.suite" else case["expect"]
    assert (done.refusal, done.out) == (wanted, "")


def test_a_header_is_not_read_beyond_its_limit(program: Nursery, tmp_path: Path) -> None:
    path = tmp_path / "huge.kbh"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    assert program.run("inspect", path).refusal == "header.length"


def test_what_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    for path in (tmp_path / "none.kbh", tmp_path):
        done = run("inspect", path)
        assert done.code == 1
        assert done.err.count("\n") == 1
        assert str(path) in done.err
        assert "Traceback" not in done.err
