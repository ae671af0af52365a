"""The vector files of formats, through the verifier's own code."""

from typing import Any

import pytest

from crypto.verifier.kaibiao_verify import jcs, schema, wording
from crypto.verifier.kaibiao_verify.authority import check_signatures
from crypto.verifier.kaibiao_verify.bids import Bid
from crypto.verifier.kaibiao_verify.bundle import Bundle
from crypto.verifier.kaibiao_verify.entry_types import PUBLIC, read_entry
from crypto.verifier.kaibiao_verify.form import read_form, unpad
from crypto.verifier.kaibiao_verify.manifest import Manifest, read_manifest
from crypto.verifier.kaibiao_verify.manifest_rules import check_rules, trustee_message
from crypto.verifier.kaibiao_verify.notes import NotANote, fingerprint, read_checkpoint
from crypto.verifier.kaibiao_verify.primitives import merkle
from crypto.verifier.kaibiao_verify.primitives.hashes import sha256
from crypto.verifier.kaibiao_verify.report import Report
from crypto.verifier.kaibiao_verify.tender import Registration
from tests.crypto.vector_files import (
    Json,
    hostile,
    load,
)

FORMATS = load("formats.json")


FORMATS_HOSTILE = load("formats-hostile.json")


DOCUMENTS = {one["name"]: bytes.fromhex(one["json"]) for one in FORMATS["documents"]}


def joined(case: Json) -> bytes:
    return b"".join(bytes.fromhex(piece) * times for piece, times in case["runs"])


def of(check: str) -> list[Any]:
    cases = [case for case in FORMATS_HOSTILE["cases"] if case["check"] == check]
    return hostile(cases)


def good_manifest() -> Manifest:
    return read_manifest(DOCUMENTS["manifest"])


@pytest.mark.parametrize("case", of("json"))
def test_canonical_json_has_the_same_verdict(case: Json) -> None:
    def holds() -> bool:
        try:
            jcs.read(joined(case), size_max=case["size_max"], depth_max=case["depth_max"])
        except jcs.NotCanonical:
            return False
        return True

    assert holds() is (case["code"] is None)


@pytest.mark.parametrize("case", [*of("text"), *of("money"), *of("rate")])
def test_text_and_amounts_have_the_same_verdict(case: Json) -> None:
    text = joined(case).decode("utf-8", "surrogatepass")
    if case["check"] == "text":
        holds = wording.is_text(text, case["low"], case["high"])
    elif case["check"] == "money":
        holds = wording.is_money(text)
    else:
        holds = wording.is_rate(text, case["digits"])
    assert holds is (case["code"] is None)


@pytest.mark.parametrize("case", of("manifest"))
def test_a_hostile_manifest_is_refused(case: Json) -> None:
    report = Report()
    try:
        check_rules(read_manifest(joined(case)), report)
    except (jcs.NotCanonical, schema.WrongShape):
        assert case["code"] is not None
        return
    assert bool(report.mismatches) is (case["code"] is not None)


@pytest.mark.parametrize("case", of("manifest_signatures"))
def test_hostile_manifest_signatures_are_refused(case: Json) -> None:
    report = Report()
    check_signatures(Bundle({"manifest.sig.json": joined(case)}), good_manifest(), report)
    assert bool(report.mismatches) is (case["code"] is not None)


def bid_of(case: Json) -> Bid:
    place, others = case["place"], [(n, bytes.fromhex(bid_id)) for n, bid_id in case["others"]]
    header = type("Header", (), place)()
    submit = type("Submit", (), {"envelopes": [(place["envelope"], b"own"), *others]})()
    code = sha256(b"91360800MA00000044")
    registration = Registration(None, b"", b"", code, 0)  # type: ignore[arg-type]
    return Bid(b"own", header, submit, registration)


@pytest.mark.parametrize("case", [*of("form"), *of("padded_form")])
def test_a_form_has_the_same_verdict(case: Json) -> None:
    raw = unpad(joined(case)) if case["check"] == "padded_form" else joined(case)
    try:
        holds = raw is not None and bool(read_form(raw, good_manifest(), bid_of(case)))
    except (jcs.NotCanonical, schema.WrongShape):
        holds = False
    assert holds is (case["code"] is None)


@pytest.mark.parametrize("case", of("entry"))
def test_a_hostile_entry_is_refused(case: Json) -> None:
    try:
        read_entry(joined(case))
    except (jcs.NotCanonical, schema.WrongShape):
        assert case["code"] is not None
        return
    assert case["code"] is None


def test_every_public_entry_of_the_table_is_read() -> None:
    seen: set[int] = set()
    for case in FORMATS["entries"]:
        raw = bytes.fromhex(case["entry"])
        if case["type"] in PUBLIC:
            number, members = read_entry(raw)
            seen.add(number)
            assert jcs.write(members) == bytes.fromhex(case["json"])
            assert merkle.leaf_hash(raw).hex() == case["leaf"]
        else:
            with pytest.raises(jcs.NotCanonical):
                read_entry(raw)
    assert seen == set(PUBLIC)


@pytest.mark.parametrize("case", of("checkpoint"))
def test_a_hostile_checkpoint_is_refused(case: Json) -> None:
    log = {"origin": case["origin"], "pk": case["log_pk"]}
    try:
        checkpoint = read_checkpoint(joined(case), log, [])
    except NotANote:
        assert case["code"] is not None
        return
    good = checkpoint.log_signed and not checkpoint.stray_lines
    assert good is (case["code"] is None)


def test_the_published_closing_leads_to_its_signed_checkpoint() -> None:
    case = FORMATS["closing"]
    siblings = [bytes.fromhex(one) for one in case["siblings"]]
    batch = merkle.batch_root(bytes.fromhex(case["entry"]), case["slot"], siblings)
    assert batch is not None
    assert batch.hex() == case["batch_root"]
    root = merkle.site_leaf(case["tick_ms"], batch)
    manifest = good_manifest()
    checkpoint = read_checkpoint(case["checkpoint"].encode(), manifest["log"], [])
    assert (checkpoint.size, checkpoint.root, checkpoint.log_signed) == (1, root, True)
    assert fingerprint(root) == case["fingerprint"] == "ZC5J Z64H CSDT QLCK QL3I LLO5"


def test_site_tree_proofs_hold_and_no_other_root_passes() -> None:
    tree = FORMATS["site_tree"]
    leaves = [merkle.leaf_hash(bytes.fromhex(leaf)) for leaf in tree["leaves"]]
    roots = [bytes.fromhex(root) for root in tree["roots"]]
    assert [merkle.root(leaves[:size]) for size in range(len(roots))] == roots
    for case in tree["inclusion"]:
        path = [bytes.fromhex(node) for node in case["path"]]
        leaf, size = leaves[case["index"]], case["size"]
        assert merkle.root_from_path(leaf, case["index"], size, path) == roots[size]
        assert merkle.root_from_path(leaf, case["index"], size, [*path, leaf]) is None
        if path:
            assert merkle.root_from_path(leaf, case["index"], size, path[:-1]) is None
    for case in tree["consistency"]:
        old, new = case["from"], case["to"]
        path = [bytes.fromhex(node) for node in case["path"]]
        assert merkle.is_consistent(old, roots[old], new, roots[new], path)
        assert not merkle.is_consistent(old, roots[old][::-1], new, roots[new], path)
        assert not merkle.is_consistent(old, roots[old], new, roots[new], [*path, leaves[0]])


def test_the_published_trustee_messages_are_what_proofs_sign() -> None:
    manifest = good_manifest()
    messages = [trustee_message(trustee).hex() for trustee in manifest["trustees"]]
    assert messages == FORMATS["tender"]["trustee_messages"]
    assert manifest.tender_id.hex() == FORMATS["tender"]["tender_id"]
