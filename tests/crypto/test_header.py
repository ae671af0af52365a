"""Headers: accepted as they are, refused at every truncation and against every other term."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.errors import Rejected
from crypto.header import accept_core, accept_header, core_size, parse_core, parse_header
from crypto.layout import TRUSTEES_MAX, layout_of
from crypto.sealing import bidder_half_matches
from crypto.suites import NACL_1, Suite, get_suite
from tests.crypto.sealing_examples import SUITES, a_body, a_form, a_sealed_form

NACL = get_suite(NACL_1)
each_suite = pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.name)


def refusal_of(function, *arguments) -> str | None:
    try:
        function(*arguments)
    except Rejected as refusal:
        return refusal.code
    return None


def test_the_header_of_nacl_1_has_404_bytes_and_144_for_each_trustee_and_64():
    sizes = [layout_of(NACL).header_size(n) for n in range(1, TRUSTEES_MAX + 1)]
    assert sizes == [404 + 144 * n + 64 for n in range(1, TRUSTEES_MAX + 1)]
    assert core_size(NACL) == 160


@each_suite
def test_a_good_header_is_accepted_and_keeps_its_bytes(suite: Suite):
    raw = a_sealed_form(suite).header.raw
    header = accept_header(memoryview(raw), a_form(suite))
    assert header == a_sealed_form(suite).header
    assert header.raw == raw
    assert header.core == raw[: core_size(suite)]


@each_suite
def test_every_truncation_of_a_header_is_refused(suite: Suite):
    raw = a_sealed_form(suite).header.raw
    terms = a_form(suite)
    assert {refusal_of(accept_header, raw[:size], terms) for size in range(len(raw))} == {
        "header.length"
    }


@given(st.sampled_from(SUITES), st.data())
def test_a_header_with_any_bit_flipped_is_refused(suite: Suite, data: st.DataObject):
    raw = bytearray(a_sealed_form(suite).header.raw)
    bit = data.draw(st.integers(0, len(raw) * 8 - 1))
    raw[bit // 8] ^= 1 << bit % 8
    assert refusal_of(accept_header, bytes(raw), a_form(suite)) is not None


@given(st.binary(max_size=2000))
def test_noise_is_refused_with_a_code(noise: bytes):
    assert refusal_of(parse_header, noise) == "header.length" if len(noise) < 12 else True
    assert refusal_of(accept_header, noise, a_form(NACL)) is not None


@given(st.data())
def test_noise_behind_a_good_beginning_is_refused_with_a_code(data: st.DataObject):
    raw = a_sealed_form(NACL).header.raw
    kept = data.draw(st.integers(12, len(raw) - 1))
    noise = data.draw(st.binary(min_size=len(raw) - kept, max_size=len(raw) - kept))
    if noise != raw[kept:]:
        assert refusal_of(accept_header, raw[:kept] + noise, a_form(NACL)) is not None


def test_without_terms_an_unknown_suite_is_unknown_and_the_test_suite_too():
    odd = a_sealed_form(SUITES[1]).header.raw
    assert refusal_of(parse_header, odd) == "suite.unknown"
    assert refusal_of(parse_header, odd, NACL) == "header.suite"
    assert parse_header(odd, SUITES[1]).suite is SUITES[1]
    assert parse_header(a_sealed_form(NACL).header.raw).suite is NACL


@each_suite
def test_an_upload_is_judged_by_its_core_before_a_byte_of_payload(suite: Suite):
    header = a_sealed_form(suite).header
    core = accept_core(header.core, a_form(suite))
    assert core.ad == header.ad
    assert core.payload_size == header.payload_size == len(a_sealed_form(suite).payload)
    assert parse_core(header.core, suite) == core
    for wrong in (header.core[:-1], header.core + b"\x00", header.raw):
        assert refusal_of(parse_core, wrong, suite) == "header.length"
    assert refusal_of(accept_core, header.core, a_body(suite)) == "header.envelope"
    fewer = a_form(suite, trustee_xpks=a_form(suite).trustee_xpks[:2])
    assert refusal_of(accept_core, header.core, fewer) == "header.length"
    smaller = a_form(suite, pt_len_max=4095)
    assert refusal_of(accept_core, header.core, smaller) == "header.pt_len"


def test_a_core_whose_header_len_fits_no_number_of_trustees_is_refused():
    core = bytearray(a_sealed_form(NACL).header.core)
    core[12:16] = (901).to_bytes(4, "big")
    assert refusal_of(parse_core, bytes(core)) == "header.length"


@each_suite
def test_the_number_of_trustees_is_outside_ad_and_everything_else_of_the_core_inside(suite: Suite):
    core = a_sealed_form(suite).header.core
    ad = parse_core(core, suite).ad
    longer = core[:12] + layout_of(suite).header_size(4).to_bytes(4, "big") + core[16:]
    assert parse_core(longer, suite).ad == ad
    nonce_at = len(core) - 24 - suite.bid_nonce_size
    for at in (20, 48, 52, 56, nonce_at, nonce_at + suite.bid_nonce_size):
        changed = bytearray(core)
        changed[at] ^= 1
        assert parse_core(bytes(changed), suite).ad != ad


@each_suite
def test_halves_of_one_header_match_no_other(suite: Suite):
    sealed = a_sealed_form(suite)
    assert bidder_half_matches(sealed.header, sealed.bidder_half)
    assert not bidder_half_matches(sealed.header, sealed.bidder_half + b"\x00")
    assert not bidder_half_matches(sealed.header, sealed.host_half)


def test_a_key_that_signs_must_be_one_that_c16_allows():
    """A key with a torsion part verifies some signatures in libsodium; the header is refused."""
    from tests.crypto.vector_files import CURVES

    case = next(case for case in CURVES["signatures"] if case["name"] == "A = identity")
    raw = bytearray(a_sealed_form(NACL).header.raw)
    raw[56:88] = bytes.fromhex(case["public"])
    terms = a_form(NACL, bidder_pk=bytes.fromhex(case["public"]))
    raw[-64:] = bytes.fromhex(case["signature"])
    assert refusal_of(accept_header, bytes(raw), terms) == "header.signature"
