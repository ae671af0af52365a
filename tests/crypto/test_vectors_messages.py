"""The vector files of messages, cards and key files: every input and every byte."""

import pytest

from crypto.card import card_text, parse_card
from crypto.keyfile import create_keyfile, open_keyfile
from crypto.keys import SigningKey
from crypto.messages import (
    build_ack,
    build_card_unlock,
    build_release,
    build_self_release,
    build_submit,
    build_unlock,
    parse_ack,
    parse_card_unlock,
    parse_release,
    parse_self_release,
    parse_submit,
    parse_unlock,
    signature_ok,
)
from crypto.suites import Suite
from tests.crypto.vector_files import GOOD, Json, good, octets


@pytest.mark.parametrize(("suite", "case"), good("submit"))
def test_a_submit_is_built_and_parsed_as_the_file_says(suite: Suite, case: Json):
    inputs = case["inputs"]
    tender_id, seed, prev, raw = (
        *octets(inputs, "tender_id", "sign_seed", "prev"),
        *octets(case, "raw"),
    )
    items = [(item["envelope"], bytes.fromhex(item["bid_id"])) for item in inputs["items"]]
    chain = {name: inputs[name] for name in ("lot", "seq", "kind")}
    built = build_submit(
        suite, tender_id=tender_id, prev=prev, items=items, key=SigningKey(seed), **chain
    )
    assert built.raw == raw
    parsed = parse_submit(raw, suite)
    assert (parsed.digest.hex(), parsed.prev, sorted(items)) == (
        case["digest"],
        prev,
        [tuple(item) for item in parsed.items],
    )
    assert {name: getattr(parsed, name) for name in chain} == chain
    assert signature_ok(parsed, bytes.fromhex(case["signer"]))


@pytest.mark.parametrize(("suite", "case"), good("unlock"))
def test_an_unlock_is_built_and_parsed_as_the_file_says(suite: Suite, case: Json):
    inputs = case["inputs"]
    tender_id, nonce, seed = octets(inputs, "tender_id", "opening_nonce", "sign_seed")
    items = [tuple(octets(item, "bid_id", "s_B")) for item in inputs["items"]]
    built = build_unlock(
        suite,
        tender_id=tender_id,
        opening_nonce=nonce,
        envelope=inputs["envelope"],
        w=inputs["w"],
        items=items,
        key=SigningKey(seed),
    )
    assert built.raw.hex() == case["raw"]
    parsed = parse_unlock(built.raw, suite)
    assert [tuple(item) for item in parsed.items] == sorted(items)
    assert (parsed.w, parsed.envelope, parsed.digest.hex()) == (
        inputs["w"],
        inputs["envelope"],
        case["digest"],
    )
    assert signature_ok(parsed, bytes.fromhex(case["signer"]))


@pytest.mark.parametrize(("suite", "case"), good("release"))
def test_a_release_is_built_and_parsed_as_the_file_says(suite: Suite, case: Json):
    inputs = case["inputs"]
    tender_id, root, nonce, seed = octets(inputs, "tender_id", "root", "opening_nonce", "sign_seed")
    items = [
        (bytes.fromhex(item["bid_id"]), item["status"], bytes.fromhex(item["share"]))
        for item in inputs["items"]
    ]
    numbers = {name: inputs[name] for name in ("size", "envelope", "i", "mode")}
    built = build_release(
        suite,
        tender_id=tender_id,
        root=root,
        opening_nonce=nonce,
        items=items,
        key=SigningKey(seed),
        **numbers,
    )
    assert built.raw.hex() == case["raw"]
    parsed = parse_release(built.raw, suite)
    assert [tuple(item) for item in parsed.items] == sorted(items)
    assert {name: getattr(parsed, name) for name in numbers} == numbers
    assert parsed.digest.hex() == case["digest"]
    assert signature_ok(parsed, bytes.fromhex(case["signer"]))


@pytest.mark.parametrize(("suite", "case"), good("ack"))
def test_an_ack_is_the_same_in_every_suite(suite: Suite, case: Json):
    inputs = case["inputs"]
    tender_id, seed, digest = octets(inputs, "tender_id", "sign_seed", "message_sha256")
    numbers = [inputs[name] for name in ("result", "server_ms")]
    built = build_ack(
        SigningKey(seed),
        tender_id,
        inputs["kind"],
        digest,
        *numbers,
        signed_ms=inputs["signed_ms"],
    )
    assert built.raw.hex() == case["raw"]
    assert len(built.raw) == 154
    assert parse_ack(built.raw) == built
    assert built.integrate_by_ms == inputs["integrate_by_ms"] == inputs["signed_ms"] + 2000
    assert signature_ok(built, bytes.fromhex(case["signer"]))


@pytest.mark.parametrize(("suite", "case"), good("card_unlock"))
def test_a_card_unlock_carries_the_bidder_half(suite: Suite, case: Json):
    inputs = case["inputs"]
    tender_id, nonce, bid_id, s_B = octets(inputs, "tender_id", "opening_nonce", "bid_id", "s_B")
    built = build_card_unlock(
        suite, tender_id=tender_id, opening_nonce=nonce, bid_id=bid_id, bidder_half=s_B
    )
    assert built.raw.hex() == case["raw"]
    assert parse_card_unlock(built.raw, suite).bidder_half == s_B


@pytest.mark.parametrize(("suite", "case"), good("self_release"))
def test_a_self_release_carries_the_host_half(suite: Suite, case: Json):
    inputs = case["inputs"]
    tender_id, nonce, bid_id, s_H = octets(inputs, "tender_id", "opening_nonce", "bid_id", "s_H")
    built = build_self_release(
        suite, tender_id=tender_id, opening_nonce=nonce, bid_id=bid_id, host_half=s_H
    )
    assert built.raw.hex() == case["raw"]
    assert parse_self_release(built.raw, suite).host_half == s_H


@pytest.mark.parametrize(("suite", "case"), good("card"))
def test_a_card_is_written_and_read_as_the_file_says(suite: Suite, case: Json):
    bid_id, s_B = octets(case, "bid_id", "s_B")
    assert card_text(bid_id, s_B, suite) == case["text"]
    card = parse_card(case["text"], suite)
    assert (card.bid_id_start, card.bidder_half) == (bid_id[:8], s_B)


@pytest.mark.parametrize("case", GOOD["kbid1.json"]["keyfiles"])
def test_a_key_file_is_written_and_opened_as_the_file_says(case: Json):
    names = ("tender_id", "sign_seed", "xpk_seed", "salt", "nonce")
    tender_id, sign_seed, xpk_seed, *_ = values = octets(case, *names)
    raw = create_keyfile(case["passphrase"], *values)
    assert raw.decode() == case["file"]
    opened = open_keyfile(raw, case["passphrase"])
    assert (opened.tender_id, opened.signing_key.seed, opened.box_key.seed) == (
        tender_id,
        sign_seed,
        xpk_seed,
    )
