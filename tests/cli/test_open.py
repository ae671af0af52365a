"""`kaibiao open`: all checks of bytes, each with its own refusal, and no file without them."""

from pathlib import Path
from typing import Any

import pytest

from crypto.form import pad, unpad
from crypto.header import parse_header
from crypto.keys import SigningKey
from crypto.sealing import Sealed, seal_bytes
from tests.cli.program import Nursery, Ran, run
from tests.crypto.vector_files import (
    GOOD,
    HOSTILE,
    Json,
    expanded,
    octets,
    stored_payload,
    terms_of,
)

VECTORS = GOOD["kbid1.json"]
HALVES_AND_ROOT = {"bidder_half", "host_half", "deal_check", "content_key", "ct_root"}


def words(folder: Path, header: bytes, payload: bytes, s_B: str, s_H: str) -> list[object]:
    (folder / "bid.kbh").write_bytes(header)
    (folder / "bid.kbc").write_bytes(payload)
    halves = ["--bidder-half", s_B, "--host-half", s_H]
    return ["open", folder / "bid.kbh", folder / "bid.kbc", *halves, "--out", folder / "out"]


def vector_words(folder: Path, case: Json) -> tuple[list[object], bytes]:
    """The arguments for a good vector, and its padded plaintext."""
    plaintext = expanded(case["inputs"]["plaintext"])
    payload = bytes.fromhex(case["payload"]) if case["payload"] else sealed(case, plaintext).payload
    raw = bytes.fromhex(case["header"])
    return words(folder, raw, payload, case["s_B"], case["s_H"]), plaintext


def sealed(case: Json, plaintext: bytes, **terms: Any) -> Sealed:
    inputs = case["inputs"]
    bid_nonce, seed, sign_seed = octets(inputs, "bid_nonce", "seed", "sign_seed")
    return seal_bytes(
        terms_of(case["terms"] | terms),
        plaintext,
        lot=inputs["lot"],
        created_ms=inputs["created_ms"],
        bid_nonce=bid_nonce,
        seed=seed,
        key=SigningKey(sign_seed),
    )


def left(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.mark.parametrize("case", VECTORS["envelopes"], ids=lambda case: case["name"])
def test_raw_gives_exactly_the_padded_plaintext(
    case: Json, program: Nursery, tmp_path: Path
) -> None:
    asked, plaintext = vector_words(tmp_path, case)
    done = program.run(*asked, "--raw")
    assert done == Ran(0, "", "")
    assert (tmp_path / "out").read_bytes() == plaintext
    assert left(tmp_path) == {"bid.kbh", "bid.kbc", "out"}


@pytest.mark.parametrize(
    "case",
    [case for case in VECTORS["envelopes"] if case["accept"] == "ok"],
    ids=lambda case: case["name"],
)
def test_without_raw_the_padding_is_gone_or_is_refused(
    case: Json, program: Nursery, tmp_path: Path
) -> None:
    asked, plaintext = vector_words(tmp_path, case)
    done = program.run(*asked)
    block = 65_536 if case["terms"]["kind"] == "body" else 4096
    if plaintext.endswith(b"kaibiao "):  # bodies of the vector file that nobody padded
        assert done.refusal == "form.padding"
        assert left(tmp_path) == {"bid.kbh", "bid.kbc"}
    else:
        assert done.code == 0
        assert (tmp_path / "out").read_bytes() == unpad(plaintext, block)


@pytest.mark.parametrize(
    "case",
    [case for case in VECTORS["envelopes"] if case["accept"] == "header.pt_len"],
    ids=lambda case: case["name"],
)
def test_a_plaintext_of_no_whole_blocks_has_no_padding_to_cut(
    case: Json, program: Nursery, tmp_path: Path
) -> None:
    asked, _ = vector_words(tmp_path, case)
    assert program.run(*asked).refusal == "form.padding"
    assert left(tmp_path) == {"bid.kbh", "bid.kbc"}


@pytest.mark.parametrize(
    "size", [0, 1, 65_534, 65_535, 65_536, 65_537, 131_071, 131_072, 1 << 20, (1 << 20) - 1]
)
def test_the_padding_of_a_body_is_cut_at_every_border(
    size: int, program: Nursery, tmp_path: Path
) -> None:
    document = bytes([7, 0x80, 0])[-(size % 3 + 1) :] * (size // 3 + 1)
    document = document[:size]
    made = sealed(VECTORS["envelopes"][0], pad(document, 65_536), log2_chunk=17)
    halves = made.bidder_half.hex(), made.host_half.hex()
    assert program.run(*words(tmp_path, made.header.raw, made.payload, *halves)).code == 0
    assert (tmp_path / "out").read_bytes() == document


@pytest.mark.parametrize("size", [0, 1, 4095, 61_440, 65_535])
def test_a_form_as_large_as_a_block_of_a_body_is_cut_like_a_form(
    size: int, program: Nursery, tmp_path: Path
) -> None:
    """pt_len alone does not say which of the two it is; the cut is the same."""
    form = b"x" * size
    made = sealed(VECTORS["envelopes"][1], pad(form, 4096), pt_len_max=65_536)
    halves = made.bidder_half.hex(), made.host_half.hex()
    assert program.run(*words(tmp_path, made.header.raw, made.payload, *halves)).code == 0
    assert (tmp_path / "out").read_bytes() == form


@pytest.mark.parametrize(
    "case",
    [*HOSTILE["envelopes"], HOSTILE["salamanders"]["envelope"]],
    ids=lambda case: case["name"],
)
def test_a_hostile_envelope_dies_at_its_own_check(
    case: Json, program: Nursery, tmp_path: Path
) -> None:
    raw, payload = bytes.fromhex(case["header"]), stored_payload(case["payload"])
    done = program.run(*words(tmp_path, raw, payload, case["s_B"], case["s_H"]), "--raw")
    if case["expect"] == "opened":
        assert done == Ran(0, "", "")
        assert (tmp_path / "out").stat().st_size == parse_header(raw).pt_len
        return
    code = case["expect"]
    assert done.refusal == (f"open.{code}" if code in HALVES_AND_ROOT else code)
    assert left(tmp_path) == {"bid.kbh", "bid.kbc"}


@pytest.mark.parametrize(
    "case",
    [case for case in HOSTILE["headers"] if case["expect"] == "header.signature"],
    ids=lambda case: case["name"],
)
def test_a_header_that_its_bidder_did_not_sign_is_refused(
    case: Json, program: Nursery, tmp_path: Path
) -> None:
    asked = words(tmp_path, bytes.fromhex(case["header"]), b"", "00" * 32, "00" * 32)
    assert program.run(*asked).refusal == "header.signature"


@pytest.mark.parametrize(
    "change", [lambda payload: payload[:-1], lambda payload: b"", lambda payload: payload + b"\0"]
)
def test_a_payload_of_another_size_is_refused(
    change: Any, program: Nursery, tmp_path: Path
) -> None:
    case = VECTORS["envelopes"][1]
    payload = change(bytes.fromhex(case["payload"]))
    asked = words(tmp_path, bytes.fromhex(case["header"]), payload, case["s_B"], case["s_H"])
    assert program.run(*asked).refusal == "open.payload_size"
    assert left(tmp_path) == {"bid.kbh", "bid.kbc"}


@pytest.mark.parametrize("half", ["", "zz", "00" * 31, "00" * 33, "00" * 100_000, "０１"])
def test_a_half_that_is_none_is_refused(half: str, program: Nursery, tmp_path: Path) -> None:
    case = VECTORS["envelopes"][1]
    raw, payload = octets(case, "header", "payload")
    first = program.run(*words(tmp_path, raw, payload, half, case["s_H"]))
    second = program.run(*words(tmp_path, raw, payload, case["s_B"], half))
    assert first.refusal in {"open.hex", "open.bidder_half"}
    assert second.refusal in {"open.hex", "open.host_half"}


def test_swapped_halves_are_refused(program: Nursery, tmp_path: Path) -> None:
    case = VECTORS["envelopes"][1]
    raw, payload = octets(case, "header", "payload")
    asked = words(tmp_path, raw, payload, case["s_H"], case["s_B"])
    assert program.run(*asked).refusal == "open.bidder_half"


def test_a_file_that_exists_is_never_overwritten(tmp_path: Path) -> None:
    asked, _ = vector_words(tmp_path, VECTORS["envelopes"][1])
    (tmp_path / "out").write_text("mine")
    done = run(*asked)
    assert (done.code, done.err.count("\n")) == (1, 1)
    assert str(tmp_path / "out") in done.err
    assert (tmp_path / "out").read_text() == "mine"
    assert left(tmp_path) == {"bid.kbh", "bid.kbc", "out"}


def test_a_link_that_leads_nowhere_is_not_followed(program: Nursery, tmp_path: Path) -> None:
    asked, _ = vector_words(tmp_path, VECTORS["envelopes"][1])
    (tmp_path / "out").symlink_to(tmp_path / "elsewhere")
    assert program.run(*asked).code == 1
    assert not (tmp_path / "elsewhere").exists()


def test_what_was_opened_is_for_its_owner_alone(program: Nursery, tmp_path: Path) -> None:
    asked, _ = vector_words(tmp_path, VECTORS["envelopes"][1])
    assert program.run(*asked).code == 0
    assert (tmp_path / "out").stat().st_mode & 0o777 == 0o600


def test_the_installed_program_opens_a_form(tmp_path: Path) -> None:
    case = VECTORS["envelopes"][1]
    asked, _ = vector_words(tmp_path, case)
    assert run(*asked) == Ran(0, "", "")
    assert (tmp_path / "out").read_bytes() == b'{"price":"71000000.00"}'
