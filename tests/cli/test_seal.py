"""`kaibiao seal`: offline, streaming, and nothing that the centre would refuse later."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from crypto.form import parse_form
from crypto.header import accept_header
from crypto.keyfile import open_keyfile
from tests.cli.conftest import FORM, PASSPHRASE, SealedFiles, Tender, keygen, seal_words
from tests.cli.program import Nursery, Ran, run

DOCUMENT = b"%PDF-1.7 " + bytes(range(256)) * 700
ENDINGS = (".kbc", ".kbh", ".card.txt", ".card.svg")


def seal_body(tender: Tender, out: Path, document: Path, **more: object) -> Ran:
    return run(*seal_words(tender, out, envelope=2, file=document, **more))


@pytest.fixture(scope="session")
def body(tender: Tender) -> SealedFiles:
    tender.path("technical.pdf").write_bytes(DOCUMENT)
    done = seal_body(tender, tender.path("technical"), tender.path("technical.pdf"))
    assert done.code == 0, done
    return SealedFiles(tender.path("technical"))


@pytest.fixture(scope="session")
def form(tender: Tender, body: SealedFiles) -> SealedFiles:
    words = seal_words(
        tender,
        tender.path("form"),
        envelope=1,
        file=tender.path("form.json"),
        other=body.file(".kbh"),
        signatures=tender.path("manifest.sig.json"),
    )
    done = run(*words)
    assert done.code == 0, done
    assert "signed by its officers" in done.err
    return SealedFiles(tender.path("form"))


def opened(program: Nursery, tender: Tender, sealed: SealedFiles, out: Path) -> bytes:
    s_B, s_H = tender.halves(sealed.header, sealed.card)
    words = ["--bidder-half", s_B, "--host-half", s_H, "--out", out]
    assert program.run("open", sealed.file(".kbh"), sealed.file(".kbc"), *words) == Ran(0, "", "")
    return out.read_bytes()


def test_a_sealed_document_is_accepted_and_opens_to_itself(
    tender: Tender, body: SealedFiles, program: Nursery, tmp_path: Path
) -> None:
    keys = open_keyfile(tender.path("bidder.kbk").read_bytes(), PASSPHRASE)
    terms = tender.rules.terms(2, keys.signing_key.public, keys.box_key.public)
    header = accept_header(body.file(".kbh").read_bytes(), terms)
    assert header.lot == 1
    assert header.created_ms % 60_000 == 0
    assert opened(program, tender, body, tmp_path / "technical.pdf") == DOCUMENT


def test_a_sealed_form_names_its_bodies_and_opens_as_the_centre_reads_it(
    tender: Tender, body: SealedFiles, form: SealedFiles, program: Nursery, tmp_path: Path
) -> None:
    raw = opened(program, tender, form, tmp_path / "form")
    others = [(2, body.header.bid_id)]
    read = parse_form(raw, tender.rules, form.header, others)
    assert (read.decisive, read.bidder_name) == (7_100_000_000, FORM["bidder"]["name"])


def test_before_sealing_the_trustees_are_named(tender: Tender, tmp_path: Path) -> None:
    done = seal_body(tender, tmp_path / "t", tender.path("form.json"))
    for trustee in tender.rules.trustees:
        assert f"{trustee.name} ({trustee.organisation})" in done.err
    assert "2 of 3" in done.err
    assert tender.rules.tender_id.hex() in done.err
    assert "signatures not checked" in done.err


def test_what_was_sealed_is_for_its_owner_alone(body: SealedFiles) -> None:
    for ending in ENDINGS:
        assert body.file(ending).stat().st_mode & 0o777 == 0o600


def test_no_seed_and_no_nonce_is_used_twice(
    tender: Tender, body: SealedFiles, tmp_path: Path
) -> None:
    seal_body(tender, tmp_path / "again", tender.path("technical.pdf"))
    again = SealedFiles(tmp_path / "again")
    assert again.header.bid_nonce != body.header.bid_nonce
    assert again.header.c_B != body.header.c_B
    assert again.file(".kbc").read_bytes()[:64] != body.file(".kbc").read_bytes()[:64]


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 1 << 20, (1 << 20) + 1])
def test_documents_of_every_awkward_size_come_back(
    size: int, tender: Tender, program: Nursery, tmp_path: Path
) -> None:
    document = tmp_path / "document"
    document.write_bytes(os.urandom(size))
    words = seal_words(tender, tmp_path / "sealed", envelope=2, file=document)
    assert program.run(*words).code == 0
    back = opened(program, tender, SealedFiles(tmp_path / "sealed"), tmp_path / "back")
    assert back == document.read_bytes()


@pytest.mark.parametrize("ending", ENDINGS)
def test_nothing_that_exists_is_overwritten_and_nothing_new_is_left(
    ending: str, tender: Tender, body: SealedFiles, program: Nursery, tmp_path: Path
) -> None:
    (tmp_path / f"bid{ending}").write_text("mine")
    words = seal_words(tender, tmp_path / "bid", envelope=2, file=tender.path("technical.pdf"))
    done = program.run(*words)
    assert done.code == 1
    assert f"bid{ending}" in done.err.splitlines()[-1]
    assert [path.name for path in tmp_path.iterdir()] == [f"bid{ending}"]
    assert (tmp_path / f"bid{ending}").read_text() == "mine"


def refused(tender: Tender, program: Nursery, folder: Path, words: list[object], code: str) -> None:
    """The refusal is the last line, and nothing was left behind."""
    before = sorted(folder.iterdir())
    done = program.run(*words)
    last = done.err.splitlines()[-1]
    assert (done.code, last.split()[1].rstrip(":")) == (1, code)
    assert "Traceback" not in done.err
    assert done.out == ""
    assert sorted(folder.iterdir()) == before


def test_a_document_too_large_for_the_tender_is_refused(
    tender: Tender, program: Nursery, tmp_path: Path
) -> None:
    with (tmp_path / "large").open("wb") as file:
        file.truncate(8 << 20)  # with its padding it is one block too long
    words = seal_words(tender, tmp_path / "bid", envelope=2, file=tmp_path / "large")
    refused(tender, program, tmp_path, words, "header.pt_len")


def test_what_is_not_a_file_is_not_sealed(tender: Tender, program: Nursery, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path, Path("/dev/zero")):
        words = seal_words(tender, tmp_path / "bid", envelope=2, file=path)
        refused(tender, program, tmp_path, words, "seal.not_a_file")


def test_envelopes_and_lots_are_those_of_the_manifest(
    tender: Tender, body: SealedFiles, program: Nursery, tmp_path: Path
) -> None:
    document = tender.path("technical.pdf")
    for number in (0, 3, -1, 1 << 40):
        words = seal_words(tender, tmp_path / "bid", envelope=number, file=document)
        refused(tender, program, tmp_path, words, "manifest.no_envelope")
    words = seal_words(tender, tmp_path / "bid", envelope=2, file=document, lot=7)
    refused(tender, program, tmp_path, words, "header.lot")


def test_a_wrong_passphrase_and_a_key_of_another_tender_are_refused(
    tender: Tender, body: SealedFiles, program: Nursery, tmp_path: Path
) -> None:
    (tmp_path / "phrase").write_text("something else")
    common = {"envelope": 2, "file": tender.path("technical.pdf")}
    words = seal_words(
        tender, tmp_path / "bid", **common, **{"passphrase-file": tmp_path / "phrase"}
    )
    refused(tender, program, tmp_path, words, "keyfile.passphrase")
    changed = json.loads(tender.path("manifest.json").read_bytes()) | {"number": "ANOTHER"}
    (tmp_path / "manifest.json").write_text(
        json.dumps(changed, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    )
    words = seal_words(tender, tmp_path / "bid", **common)
    words[1] = tmp_path / "manifest.json"
    refused(tender, program, tmp_path, words, "keyfile.other_tender")


def test_signatures_that_do_not_belong_to_the_manifest_are_refused(
    tender: Tender, body: SealedFiles, program: Nursery, tmp_path: Path
) -> None:
    signatures = json.loads(tender.path("manifest.sig.json").read_bytes())
    first = signatures["signatures"][0]
    first["sig"] = first["sig"][:-2] + ("00" if first["sig"][-2:] != "00" else "01")
    (tmp_path / "sig.json").write_text(
        json.dumps(signatures, separators=(",", ":"), sort_keys=True)
    )
    document = tender.path("technical.pdf")
    words = seal_words(
        tender, tmp_path / "bid", envelope=2, file=document, signatures=tmp_path / "sig.json"
    )
    refused(tender, program, tmp_path, words, "manifest_signature.invalid")


Change = Callable[[dict[str, Any]], Any]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda form: form["fields"].update(price="71000000"), "money.form"),
        (lambda form: form["fields"].update(price=71_000_000), "form.field_type"),
        (lambda form: form["fields"].update(price=71_000_000.25), "form.file"),
        (lambda form: form["fields"].pop("days"), "form.fields"),
        (lambda form: form["fields"].update(extra="1"), "form.fields"),
        (lambda form: form["bidder"].pop("name"), "form.file"),
        (lambda form: form.pop("fields"), "form.file"),
        (lambda form: form.update(others=[]), "form.file"),
        (lambda form: form.update(traces={}), "object.member_missing"),
        (lambda form: form["fields"].update(manager="\u202e何川"), "text.code_point"),
    ],
)
def test_a_form_that_the_opening_would_refuse_is_not_sealed(
    change: Change,
    code: str,
    tender: Tender,
    body: SealedFiles,
    program: Nursery,
    tmp_path: Path,
) -> None:
    value = json.loads(json.dumps(FORM))
    change(value)
    (tmp_path / "form.json").write_text(json.dumps(value))
    words = seal_words(
        tender,
        tmp_path / "bid",
        envelope=1,
        file=tmp_path / "form.json",
        other=body.file(".kbh"),
    )
    done = program.run(*words)
    assert done.code == 1, done
    assert done.err.splitlines()[-1].split()[1].rstrip(":") == code
    assert [path.name for path in tmp_path.iterdir()] == ["form.json"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "null",
        "[" * 50_000,
        '{"bidder": {"code": "1", "name": "n"}, "fields": {"price": "1.00", "price": "2.00"}}',
        '{"bidder": {"code": "1", "name": "n"}, "fields": {"price": NaN}}',
        "x" * 100_000,
        "\ufeff{}",
    ],
)
def test_what_is_not_a_forms_file_is_refused(
    text: str, tender: Tender, body: SealedFiles, program: Nursery, tmp_path: Path
) -> None:
    (tmp_path / "form.json").write_text(text, encoding="utf-8")
    words = seal_words(
        tender, tmp_path / "bid", envelope=1, file=tmp_path / "form.json", other=body.file(".kbh")
    )
    refused(tender, program, tmp_path, words, "form.file")


def test_a_form_is_sealed_only_beside_all_other_envelopes_of_this_bid(
    tender: Tender, body: SealedFiles, form: SealedFiles, program: Nursery, tmp_path: Path
) -> None:
    file = tender.path("form.json")

    def words(*others: Path) -> list[object]:
        return seal_words(tender, tmp_path / "bid", envelope=1, file=file, other=list(others))

    refused(tender, program, tmp_path, words(), "form.others")
    twice = words(body.file(".kbh"), body.file(".kbh"))
    refused(tender, program, tmp_path, twice, "form.others")
    # Another bidder's envelope: the centre would take the SUBMIT of neither.
    assert keygen(tender, tmp_path / "other.kbk").code == 0
    made = seal_words(tender, tmp_path / "theirs", envelope=2, file=file)
    made[made.index("--key") + 1] = tmp_path / "other.kbk"
    assert program.run(*made).code == 0
    refused(tender, program, tmp_path, words(tmp_path / "theirs.kbh"), "header.bidder")
    body_beside_body = seal_words(
        tender, tmp_path / "bid", envelope=2, file=file, other=body.file(".kbh")
    )
    refused(tender, program, tmp_path, body_beside_body, "form.envelope")


SLOW_READER = """
import io, sys
from server.cli import files, main
import server.cli.bidding
# Whoever edits the document does so between the first and the second chunk.
class Watched(io.FileIO):
    def read(self, size=-1):
        if self.tell() and not sys.stdin.closed:
            print("reading", flush=True)
            sys.stdin.readline()
            sys.stdin.close()
        return super().read(size)
real = files.document
import contextlib, dataclasses
@contextlib.contextmanager
def document(path):
    with real(path) as found, Watched(path) as file:
        yield dataclasses.replace(found, file=file)
server.cli.bidding.document = document
sys.argv = ["kaibiao", *sys.argv[1:]]
main()
"""


@pytest.mark.parametrize("change", ["shrunk", "grown", "edited", "left alone"])
def test_a_document_that_changes_while_it_is_sealed_is_refused(
    change: str, tender: Tender, tmp_path: Path
) -> None:
    document = tmp_path / "document"
    document.write_bytes(bytes(3 << 20))
    past = time.time_ns() - 10**10
    os.utime(document, ns=(past, past))
    words = seal_words(tender, tmp_path / "bid", envelope=2, file=document)
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW_READER, *map(str, words)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "reading\n"
    with document.open("r+b") as file:
        if change == "shrunk":
            file.truncate(2 << 20)
        elif change == "grown":
            file.seek(0, os.SEEK_END)
            file.write(b"more")
        elif change == "edited":
            file.write(b"other bytes")
    _, said = process.communicate("\n", timeout=60)
    if change == "left alone":
        assert process.returncode == 0, said
        return
    assert process.returncode == 1
    assert said.splitlines()[-1].startswith("kaibiao: seal.file_changed")
    assert [path.name for path in tmp_path.iterdir()] == ["document"]
