"""The vector files of what must be refused, each by its own check."""

from typing import Any

import pytest

from crypto.card import parse_card
from crypto.header import accept_header, parse_header, signed_bytes
from crypto.keys import BoxKey, is_valid_box_public, is_valid_public, verify
from crypto.messages import (
    parse_ack,
    parse_card_unlock,
    parse_release,
    parse_self_release,
    parse_submit,
    parse_unlock,
    signature_ok,
)
from crypto.sealing import (
    bidder_half_matches,
    content_key,
    deal_check,
    host_half_matches,
    open_payload,
    unseal_seed,
)
from crypto.shares import find_host_half, open_share, share_faults
from crypto.stream import RootHasher
from tests.crypto.vector_files import (
    CURVES,
    GOOD,
    HOSTILE,
    NACL,
    Json,
    code_of,
    expanded,
    hostile,
    octets,
    root_of,
    stored_payload,
    terms_of,
)


@pytest.mark.parametrize("case", hostile(HOSTILE["headers"]))
def test_a_hostile_header_dies_at_its_own_check(case: Json):
    terms = terms_of(HOSTILE["terms"][case["terms"]])
    assert code_of(accept_header, *octets(case, "header"), terms) == case["expect"]


# A key that nobody can sign with.
UNSIGNABLE = {"bidder_pk is not a point"}


def test_every_hostile_header_is_signed_so_that_only_its_own_check_can_stop_it():
    """A header that carried a stale signature would be refused by any code that looks at that."""
    good = parse_header(*octets(GOOD["kbid1.json"]["envelopes"][0], "header"))
    key_at, size = good.raw.index(good.bidder_pk), NACL.signature_size
    unsigned: set[str] = set()
    for case in HOSTILE["headers"]:
        (raw,) = octets(case, "header")
        public, message = raw[key_at : key_at + 32], signed_bytes(NACL, raw[:-size])
        if len(raw) < key_at + 32 + size or not NACL.verify(public, message, raw[-size:]):
            unsigned.add(case["name"])
    about_that = {
        case["name"]
        for case in HOSTILE["headers"]
        if case["expect"] in ("header.length", "header.signature")
    }
    assert unsigned - about_that == UNSIGNABLE
    assert len(HOSTILE["headers"]) - len(unsigned) > 70


@pytest.mark.parametrize(
    "case", hostile([*HOSTILE["envelopes"], HOSTILE["salamanders"]["envelope"]])
)
def test_a_hostile_envelope_with_a_good_header_dies_at_its_own_check(case: Json):
    raw, s_B, s_H = octets(case, "header", "s_B", "s_H")
    header = accept_header(raw, terms_of(HOSTILE["terms"][case["terms"]]))
    payload = stored_payload(case["payload"])
    key = content_key(header, s_B, s_H)
    checks = [
        ("bidder_half", bidder_half_matches(header, s_B)),
        ("host_half", host_half_matches(header, s_H)),
        ("deal_check", deal_check(header, s_H)),
        ("content_key", key is not None),
        ("ct_root", root_of(header, payload) == header.ct_root),
    ]
    failed = next((name for name, passed in checks if not passed), None)
    if failed is None:
        assert key is not None
        code = code_of(open_payload, header, key, payload)
        failed = "opened" if code == "ok" else code
    assert failed == case["expect"]
    if "unseal" in case:
        xpk_seed = bytes.fromhex(GOOD["kbid1.json"]["envelopes"][0]["inputs"]["xpk_seed"])
        assert code_of(unseal_seed, header, BoxKey(xpk_seed)) == case["unseal"]


def test_the_salamander_reads_two_prices_where_nothing_commits_to_the_key():
    shown = HOSTILE["salamanders"]
    (bare,) = octets(shown, "bare")
    assert len(bare) == 80
    for at, (key, price) in enumerate(zip(shown["keys"], shown["prices"], strict=True)):
        plaintext = NACL.cipher(bytes.fromhex(key)).open(0, True, bare)
        assert plaintext is not None
        assert plaintext[16 * at : 16 * at + 16].decode() == price
    assert shown["prices"][0] != shown["prices"][1]


@pytest.mark.parametrize("case", hostile(HOSTILE["payloads"]))
@pytest.mark.parametrize("step", [1 << 20, 65_552, 40_001])
def test_a_payload_of_the_wrong_size_has_no_root(case: Json, step: int):
    payload = expanded(case["payload"])
    hasher = RootHasher(NACL, case["pt_len"], case["log2_chunk"])

    def feed() -> None:
        for at in range(0, len(payload), step):
            hasher.update(payload[at : at + step])
        assert hasher.root().hex() == case["ct_root"]

    assert code_of(feed) == case["expect"]


@pytest.mark.parametrize("case", hostile(HOSTILE["boxes"]))
def test_each_trustee_answers_as_the_file_says(case: Json):
    header = parse_header(*octets(case, "header"))
    seeds = [bytes.fromhex(seed) for seed in case["trustee_seeds"]]
    answers = [open_share(header, i, BoxKey(seed)) for i, seed in enumerate(seeds, 1)]
    assert [{"status": status, "share": share.hex()} for status, share in answers] == case["expect"]


@pytest.mark.parametrize("case", hostile(HOSTILE["shares"]))
def test_the_host_half_and_the_faults_are_found_as_the_file_says(case: Json):
    header = parse_header(*octets(case, "header"))
    shares = {int(i): bytes.fromhex(share) for i, share in case["shares"].items()}
    found = find_host_half(header, shares, tuple(case["first"]) if case["first"] else None)
    expect = case["expect"]
    if expect["subset"] is None:
        assert found is None
        return
    assert found is not None
    assert (list(found.subset), found.host_half.hex()) == (expect["subset"], expect["s_H"])
    assert deal_check(header, found.host_half) is expect["deal_check"]
    faults = share_faults(header, found.host_half, shares, case["unreadable"])
    assert [{"i": fault.i, "fault": fault.fault} for fault in faults] == expect["faults"]


PARSERS = {
    "submit": parse_submit,
    "unlock": parse_unlock,
    "release": parse_release,
    "card_unlock": parse_card_unlock,
    "self_release": parse_self_release,
}


@pytest.mark.parametrize(
    ("kind", "case"),
    [
        pytest.param(kind, case, id=f"{kind}: {case['name']}")
        for kind, cases in HOSTILE["messages"].items()
        for case in cases
    ],
)
def test_a_hostile_message_dies_at_its_own_check(kind: str, case: Json):
    (raw,) = octets(case, "raw")

    def parse() -> Any:
        return parse_ack(raw) if kind == "ack" else PARSERS[kind](raw, NACL)

    if case["expect"] == "signature":
        assert not signature_ok(parse(), bytes.fromhex(case["public"]))
    else:
        assert code_of(parse) == case["expect"]


@pytest.mark.parametrize("case", hostile(HOSTILE["cards"]))
def test_a_mistyped_card_is_refused_and_a_sloppy_one_read(case: Json):
    assert code_of(parse_card, case["text"], NACL) == case["expect"]


@pytest.mark.parametrize("case", hostile(CURVES["signatures"]))
def test_a_signature_has_the_verdict_that_every_implementation_gives(case: Json):
    public, message, signature = octets(case, "public", "message", "signature")
    assert verify(public, message, signature) is case["valid"]
    assert is_valid_public(public) is case["public_valid"]


@pytest.mark.parametrize("case", hostile(CURVES["box_publics"]))
def test_a_box_key_has_the_verdict_that_every_implementation_gives(case: Json):
    assert is_valid_box_public(*octets(case, "public")) is case["valid"]
