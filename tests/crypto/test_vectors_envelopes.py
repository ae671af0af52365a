"""The vector files of envelopes, read as any other implementation reads them."""

import hashlib
import subprocess
import sys

import pytest

from crypto.header import accept_header, core_size, parse_header
from crypto.keys import BoxKey, SigningKey
from crypto.sealing import (
    content_key,
    deal_check,
    open_payload,
    seal_bytes,
    unseal_seed,
)
from crypto.shares import find_host_half, open_share
from crypto.stream import chunk_sizes
from crypto.suites import Suite
from tests.crypto.vector_files import (
    GOOD,
    VECTORS,
    Json,
    code_of,
    expanded,
    good,
    octets,
    root_of,
    suite_of,
    terms_of,
)


def test_the_files_are_what_the_script_writes():
    script = VECTORS / "make_kbid1.py"
    done = subprocess.run(
        [sys.executable, str(script), "--check"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "fresh\n"), done.stderr


@pytest.mark.parametrize("file", GOOD)
def test_the_sizes_of_the_suite_are_those_of_the_file(file: str):
    document = GOOD[file]
    suite, sizes = suite_of(document), dict(document["suite"])
    layout = [sizes.pop(name) for name in ("core_size", "rows_at", "row_size")]
    assert sizes.pop("header_size_of_three") == sum(layout[1:]) + 2 * layout[2] + 64
    assert layout[0] == core_size(suite)
    assert {name: getattr(suite, name) for name in sizes} == sizes


def test_the_test_suite_differs_in_every_size_that_may_differ():
    """Or it would not catch whoever hard-codes one."""
    one, other = (document["suite"] for document in GOOD.values())
    same = {name for name in one if one[name] == other[name]}
    assert same == {
        "root_size",
        "bid_id_size",
        "sign_public_size",
        "signature_size",
        "box_public_size",
        "ephemeral_size",
        "wide_size",
    }


@pytest.mark.parametrize(("suite", "case"), good("envelopes"))
def test_sealing_the_inputs_gives_every_byte(suite: Suite, case: Json):
    inputs = case["inputs"]
    bid_nonce, seed, sign_seed = octets(inputs, "bid_nonce", "seed", "sign_seed")
    sealed = seal_bytes(
        terms_of(case["terms"]),
        expanded(inputs["plaintext"]),
        lot=inputs["lot"],
        created_ms=inputs["created_ms"],
        bid_nonce=bid_nonce,
        seed=seed,
        key=SigningKey(sign_seed),
    )
    header = sealed.header
    assert header.raw.hex() == case["header"]
    assert hashlib.sha256(header.raw).hexdigest() == case["header_sha256"]
    assert hashlib.sha256(sealed.payload).hexdigest() == case["payload_sha256"]
    assert case["payload"] in (None, sealed.payload.hex())
    names = ("ad", "c_B", "c_H", "c_K", "c_P", "ct_root", "box_B", "sig", "bid_id")
    assert {name: getattr(header, name).hex() for name in names} == {
        name: case[name] for name in names
    }
    assert case["chunk_sizes"] == list(chunk_sizes(suite, header.pt_len, header.log2_chunk))
    assert root_of(header, sealed.payload) == header.ct_root


@pytest.mark.parametrize(("suite", "case"), good("envelopes"))
def test_the_header_is_accepted_or_refused_as_the_file_says(suite: Suite, case: Json):
    (raw,) = octets(case, "header")
    assert code_of(accept_header, raw, terms_of(case["terms"])) == case["accept"]
    assert parse_header(raw, suite).bid_id.hex() == case["bid_id"]


@pytest.mark.parametrize(("suite", "case"), good("envelopes"))
def test_the_envelope_opens_with_any_t_shares_and_with_the_bidders_key(suite: Suite, case: Json):
    raw, s_B, s_H = octets(case, "header", "s_B", "s_H")
    header = parse_header(raw, suite)
    seeds = [bytes.fromhex(seed) for seed in case["inputs"]["trustee_seeds"]]
    answers = [open_share(header, i, BoxKey(seed)) for i, seed in enumerate(seeds, 1)]
    assert answers == [(0, bytes.fromhex(share)) for share in case["shares"]]
    last = range(header.n - header.t + 1, header.n + 1)
    found = find_host_half(header, {i: answers[i - 1][1] for i in last})
    assert found is not None
    assert found.host_half == s_H
    assert deal_check(header, s_H)
    xpk_seed, seed = octets(case["inputs"], "xpk_seed", "seed")
    assert unseal_seed(header, BoxKey(xpk_seed)) == seed
    key = content_key(header, s_B, s_H)
    assert key is not None
    assert [key.K.hex(), key.r_P.hex()] == [case["K"], case["r_P"]]
    if case["payload"]:
        (payload,) = octets(case, "payload")
        assert open_payload(header, key, payload) == expanded(case["inputs"]["plaintext"])
