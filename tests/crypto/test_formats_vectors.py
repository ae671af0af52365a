"""Every case of tests/vectors/formats*.json, and the values that formats.md prints."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from crypto import batch, checkpoint, draws, form, receipts, rows, site_tree
from crypto.canonical import decode, encode
from crypto.entries import act_message, decode_entry, encode_entry, signed_roles
from crypto.errors import Rejected
from crypto.formats import DOCUMENTS, decode_document
from crypto.hashes import blake2b_256, sha256
from crypto.manifest import (
    manifest_message,
    parse_manifest,
    parse_manifest_signatures,
    trustee_message,
)
from crypto.merkle import leaf_hash, root_from_path
from crypto.objects.entry import ENTRY_TYPES
from crypto.registration import check_registration
from crypto.text import check_text, money_text, parse_money, parse_rate, rate_text
from tests.crypto.format_vectors import CASES, GOOD, MANIFEST, VECTORS, Place, document, entry


def read_form(parse: Callable[..., form.Form], raw: bytes, given: dict[str, Any]) -> form.Form:
    others = [(number, bytes.fromhex(bid_id)) for number, bid_id in given["others"]]
    return parse(raw, MANIFEST, Place(**given["place"]), others)


CHECKS: dict[str, Callable[[bytes, dict[str, Any]], object]] = {
    "json": lambda raw, given: decode(
        raw, size_max=given["size_max"], depth_max=given["depth_max"]
    ),
    "text": lambda raw, given: check_text(raw.decode(), given["low"], given["high"]),
    "money": lambda raw, _: parse_money(raw.decode()),
    "rate": lambda raw, given: parse_rate(raw.decode(), given["digits"]),
    "document": lambda raw, given: decode_document(given["document"], raw),
    "manifest": lambda raw, _: parse_manifest(raw),
    "manifest_signatures": lambda raw, _: parse_manifest_signatures(raw, MANIFEST),
    "form": lambda raw, given: read_form(form.parse_form, raw, given),
    "padded_form": lambda raw, given: read_form(form.parse_padded_form, raw, given),
    "entry": lambda raw, _: decode_entry(raw),
    "checkpoint": lambda raw, given: checkpoint.parse_checkpoint(
        raw.decode(), given["origin"], bytes.fromhex(given["log_pk"])
    ),
    "receipt": lambda raw, _: receipts.verify_receipt(receipts.parse_receipt(raw), MANIFEST),
}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['check']}: {case['name']}")
def test_each_case_is_accepted_or_refused_with_its_code(case: dict[str, Any]) -> None:
    raw = b"".join(bytes.fromhex(run) * times for run, times in case["runs"])
    if case["code"] is None:
        CHECKS[case["check"]](raw, case)
        return
    with pytest.raises(Rejected) as refusal:
        CHECKS[case["check"]](raw, case)
    assert refusal.value.code == case["code"]


def test_names_of_cases_are_distinct() -> None:
    names = [(case["check"], case["name"]) for case in CASES]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("case", GOOD["documents"], ids=lambda case: case["name"])
def test_documents_are_read_and_written_back(case: dict[str, Any]) -> None:
    raw = bytes.fromhex(case["json"])
    assert encode(decode_document(case["document"], raw)) == raw
    assert sha256(raw).hex() == case["sha256"]


def test_every_document_has_a_vector() -> None:
    assert {case["document"] for case in GOOD["documents"]} == DOCUMENTS.keys()


@pytest.mark.parametrize("case", GOOD["entries"], ids=lambda case: case["name"])
def test_entries_are_read_and_written_back(case: dict[str, Any]) -> None:
    raw = bytes.fromhex(case["entry"])
    found = decode_entry(raw)
    assert (found.type.value, found.type.name) == (case["type"], case["name"])
    assert encode(found.members).hex() == case["json"]
    assert encode_entry(case["type"], found.members, bytes.fromhex(case["salt"])) == raw
    assert leaf_hash(raw).hex() == case["leaf"]
    if case["act_message"] is not None:
        message = act_message(case["type"], MANIFEST.tender_id, found.members)
        assert message.hex() == case["act_message"]
        assert signed_roles(found, MANIFEST.officer_roles()) == {"host", "supervisor"}


def test_every_entry_type_has_a_vector() -> None:
    assert [case["type"] for case in GOOD["entries"]] == list(ENTRY_TYPES)


def test_the_manifest_and_its_messages() -> None:
    tender = GOOD["tender"]
    assert MANIFEST.tender_id.hex() == tender["tender_id"]
    assert manifest_message(MANIFEST.tender_id).hex() == tender["manifest_message"]
    messages = [
        trustee_message(each.expiry_ms, each.xpk, each.spk, each.envelopes).hex()
        for each in MANIFEST.trustees
    ]
    assert messages == tender["trustee_messages"]


def test_the_manifest_of_the_other_suite_needs_to_be_asked_for() -> None:
    odd = parse_manifest(document("manifest-odd-sizes"), allow_test=True)
    assert odd.suite_impl.id == odd.suite == 0xFF01
    assert odd.terms(2, b"p" * 32, b"x" * 32).suite is odd.suite_impl


def test_the_registration() -> None:
    check_registration(decode_entry(entry("BIDDER_REG")).members, MANIFEST)


def test_the_form() -> None:
    given = GOOD["form"]
    raw = bytes.fromhex(given["json"])
    found = read_form(form.parse_padded_form, form.pad(raw), given)
    assert (found.raw, found.sha256.hex()) == (raw, given["sha256"])
    assert (dict(found.values), found.decisive) == (given["values"], given["decisive"])
    assert len(form.pad(raw)) == given["padded_size"]
    assert blake2b_256(form.pad(raw)).hex() == given["padded_blake2b_256"]


def test_the_journal_row() -> None:
    row = {name: bytes.fromhex(value) for name, value in GOOD["row"].items()}
    stub = json.loads(row["stub"])
    event_type = stub.pop("type")
    assert rows.stub_bytes(**stub, event_type=event_type) == row["stub"]
    assert rows.body_hash(row["salt"], row["body"]) == row["body_hash"]
    assert rows.row_hash(row["prev_hash"], row["body_hash"], row["stub"]) == row["hash"]


def test_the_closing_entry_up_to_its_checkpoint() -> None:
    given = GOOD["closing"]
    siblings = [bytes.fromhex(sibling) for sibling in given["siblings"]]
    closed = bytes.fromhex(given["entry"])
    batch_root = batch.root_from_siblings(closed, given["slot"], siblings)
    assert batch_root.hex() == given["batch_root"]
    assert site_tree.site_leaf(given["tick_ms"], batch_root).hex() == given["site_leaf"]
    head = checkpoint.parse_checkpoint(
        given["checkpoint"], given["origin"], bytes.fromhex(given["log_pk"])
    )
    assert (head.size, head.root.hex()) == (given["size"], given["root"])
    assert checkpoint.fingerprint(head.root) == given["fingerprint"]
    proof = receipts.Proof(
        entry=closed,
        slot=given["slot"],
        siblings=tuple(siblings),
        tick_ms=given["tick_ms"],
        index=0,
        size=1,
        path=(),
    )
    assert receipts.verify_proof(proof, head).type.name == "DEADLINE_CLOSED"


@pytest.mark.parametrize("case", GOOD["batches"], ids=lambda case: f"{len(case['entries'])}")
def test_batches_by_seeded_filler(case: dict[str, Any]) -> None:
    entries = {each["slot"]: bytes.fromhex(each["entry"]) for each in case["entries"]}
    tree = batch.Batch(0, entries, batch.seeded_filler(bytes.fromhex(case["secret"])))
    assert tree.root.hex() == case["root"]
    for each in case["entries"]:
        assert [sibling.hex() for sibling in tree.siblings(each["slot"])] == each["siblings"]


def test_the_site_tree() -> None:
    given = GOOD["site_tree"]
    leaves = [leaf_hash(bytes.fromhex(leaf)) for leaf in given["leaves"]]
    roots = [bytes.fromhex(root) for root in given["roots"]]
    for case in given["inclusion"]:
        path = [bytes.fromhex(node) for node in case["path"]]
        root = root_from_path(leaves[case["index"]], case["index"], case["size"], path)
        assert root == roots[case["size"]]
    for case in given["consistency"]:
        old, new = case["from"], case["to"]
        path = [bytes.fromhex(node) for node in case["path"]]
        site_tree.verify_consistency(old, roots[old], new, roots[new], path)


def test_the_closed_list() -> None:
    given = GOOD["site_tree"]["closed_list"]
    digests = [bytes.fromhex(digest) for digest in given["submits"]]
    root = receipts.closed_list_root(digests)
    assert root.hex() == given["root"]
    path = [bytes.fromhex(node) for node in given["path_of_first"]]
    assert receipts.in_closed_list(digests[0], path, len(digests), root)
    assert not receipts.in_closed_list(digests[1], path, len(digests), root)


@pytest.mark.parametrize("case", GOOD["draws"], ids=lambda case: case["label"])
def test_draws(case: dict[str, Any]) -> None:
    parts = [bytes.fromhex(part) for part in case["parts"]]
    manifest_hash = bytes.fromhex(case["manifest_hash"])
    seed = draws.draw_seed(manifest_hash, parts, bytes.fromhex(case["beacon"]))
    assert seed.hex() == case["seed"]
    drawn = draws.draw(seed, case["label"], case["candidates"], case["k"])
    assert list(drawn.chosen) == case["chosen"]
    assert [[step.i, step.n, step.value] for step in drawn.steps] == case["steps"]


def test_numbers() -> None:
    for case in GOOD["numbers"]["money"]:
        assert parse_money(case["text"]) == case["fen"]
        assert money_text(case["fen"]) == case["text"]
    for case in GOOD["numbers"]["rate"]:
        assert parse_rate(case["text"], case["digits"]) == case["units"]
        assert rate_text(case["units"], case["digits"]) == case["text"]


def test_the_values_printed_in_the_norm() -> None:
    """formats.md §2, §4, §6, §7 and sealing.md §6, typed here by hand."""
    entries = {case["name"]: case for case in GOOD["entries"]}
    signatures = json.loads(document("manifest.sig"))["signatures"]
    assert len(document("manifest")) == 3374
    assert sha256(document("manifest")).hex() == (
        "b27128e5b45372b83af026b9644b5806fa0fd4a581781347f4a53e576c9b7352"
    )
    assert MANIFEST.tender_id.hex() == (
        "b4ffbf9c27a4b84cb1ede634a2449e7978971638808fa5b65280e8fc0a319373"
    )
    assert [each["sig"] for each in signatures] == [
        "42e9ac184c82b434d895b15e4ec5aff8ec8c4e2d4f65fe48faed5456144cda3b"
        "dfb3d7b71690ac0b1547ddac025159275d83b67259277eee040da41c8a02e207",
        "47e033ebe74ead8aa2656a2495c96ae6b8e123c2bb8b829682fc7f718d6d22bb"
        "de23ddd8537cbfa860fe797dc620b5c7970f258d9b176faa3dc1b64497d8c20a",
    ]
    assert len(bytes.fromhex(GOOD["form"]["json"])) == 276
    assert GOOD["form"]["sha256"] == (
        "bd642e117f6e5b4efaeafee5750cb5b160e92da0b027a5f06fdc8f2e7eca9731"
    )
    assert GOOD["form"]["padded_blake2b_256"] == (
        "a58abdc5945911831eadac90ac8208ce57ee44324bd7b089b595633a9b7f38d8"
    )
    assert GOOD["row"]["hash"] == (
        "f271c6b540ef503c958c7b57fe8536107f3051e100871159eef170a0c3c98de2"
    )
    assert entries["DEADLINE_CLOSED"]["leaf"] == (
        "b75cee3efb2383b7a45cc1055d181850b846215e6c7474beab58aa3dc90b8781"
    )
    closing = GOOD["closing"]
    assert closing["batch_root"] == (
        "cf078806d6a5b2c2c12ea3a0557bed58b74552fd9865534eae9f8464dc356c4f"
    )
    assert closing["root"] == "c8ba9cfb871487382c4a82f685adddedc9b42cbb5f3aa2068608b48eb6cc9016"
    assert closing["fingerprint"] == "ZC5J Z64H CSDT QLCK QL3I LLO5"
    assert closing["checkpoint"] == (
        "hall.jiangzhou.example/kaibiao/log\n1\nyLqc+4cUhzgsSoL2ha3d7cm0LLtfOqIGhgi0jrbMkBY=\n\n"
        "— hall.jiangzhou.example/kaibiao/log caxLuE7qRx/2WEOkJyLV8drJdRWd5DmXODS6Uxo0xzFmjoe4kHtB"
        "l26iv1RS1haAJuxHJEDAge8BnyaREu6nkaWufgI=\n"
    )
    draw = GOOD["draws"][0]
    assert draw["seed"] == "7fdea9872be7290f4bce550b2c46850ba7be73cd941a6824a445b19cd5f247d9"
    assert draw["chosen"] == ["E005", "E015", "E025", "E010", "E009"]


def test_the_script_makes_the_files_byte_for_byte(tmp_path: Path) -> None:
    script = VECTORS / "make_formats.py"
    subprocess.run([sys.executable, str(script), str(tmp_path)], check=True, timeout=60)
    for name in ("formats.json", "formats-hostile.json"):
        assert (tmp_path / name).read_bytes() == (VECTORS / name).read_bytes()
