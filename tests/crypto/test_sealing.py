"""Sealing: what was sealed opens to the same bytes, with both halves and not with one."""

import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto.errors import Rejected
from crypto.keys import BoxKey
from crypto.sealing import (
    Sealer,
    bidder_half,
    content_key,
    deal_check,
    host_half,
    open_payload,
    open_to,
    plaintext_matches,
    seal_bytes,
    unseal_seed,
)
from crypto.stream import chunk_size, decrypt_chunk_into
from crypto.suites import Suite
from tests.crypto.sealing_examples import (
    BIDDER,
    BIDDER_BOX,
    FORM,
    SUITES,
    a_body,
    a_form,
    a_sealed_body,
    a_sealed_form,
    sealed_with,
)

each_suite = pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.name)


def key_of(sealed):
    key = content_key(sealed.header, sealed.bidder_half, sealed.host_half)
    assert key is not None
    return key


def chunks_of(sealed) -> list[bytes]:
    header, at, chunks = sealed.header, 0, []
    for index in range(header.n_chunks):
        size = chunk_size(header.suite, header.pt_len, header.log2_chunk, index)
        chunks.append(sealed.payload[at : at + size])
        at += size
    return chunks


@settings(max_examples=30)
@given(st.sampled_from(SUITES), st.binary(max_size=200), st.integers(0, 140_000), st.data())
def test_what_was_sealed_opens_to_the_same_bytes(
    suite: Suite, start: bytes, zeros: int, data: st.DataObject
):
    plaintext = start + bytes(zeros)
    seed = data.draw(st.binary(min_size=suite.seed_size, max_size=suite.seed_size))
    sealed = seal_bytes(
        a_body(suite),
        plaintext,
        lot=1,
        created_ms=0,
        bid_nonce=bytes(suite.bid_nonce_size),
        seed=seed,
        key=BIDDER,
    )
    assert unseal_seed(sealed.header, BIDDER_BOX) == seed
    assert sealed.bidder_half == bidder_half(suite, seed)
    assert sealed.host_half == host_half(suite, seed)
    assert deal_check(sealed.header, sealed.host_half)
    assert open_payload(sealed.header, key_of(sealed), sealed.payload) == plaintext


@each_suite
def test_one_half_alone_opens_nothing(suite: Suite):
    sealed, other = a_sealed_form(suite), sealed_with(a_form(suite), fill=b"o")
    for s_B, s_H in (
        (sealed.bidder_half, other.host_half),
        (other.bidder_half, sealed.host_half),
        (sealed.bidder_half, bytes(suite.host_half_size)),
        (sealed.bidder_half, b""),
        (b"", sealed.host_half),
        (sealed.bidder_half[:-1], sealed.host_half),
    ):
        assert content_key(sealed.header, s_B, s_H) is None


@each_suite
def test_halves_of_one_bid_open_no_other_bid(suite: Suite):
    sealed, other = a_sealed_form(suite), sealed_with(a_form(suite), fill=b"o")
    assert content_key(other.header, sealed.bidder_half, sealed.host_half) is None
    assert not deal_check(other.header, sealed.host_half)


@each_suite
def test_the_sealer_gives_the_core_first_and_the_header_last(suite: Suite):
    whole, plaintext = a_sealed_body(suite), b"kaibiao " * 24_576
    sealer = Sealer(
        a_body(suite),
        lot=1,
        pt_len=len(plaintext),
        created_ms=1_700_000_040_000,
        bid_nonce=b"s" * suite.bid_nonce_size,
        seed=b"s" * suite.seed_size,
        key=BIDDER,
    )
    assert sealer.core.core == whole.header.core
    sealed = [sealer.seal_chunk(memoryview(plaintext)[:65_536])]
    with pytest.raises(Rejected, match=r"payload\.short"):
        sealer.finish()
    sealed += [sealer.seal_chunk(plaintext[at : at + 65_536]) for at in (65_536, 131_072)]
    assert b"".join(sealed) == whole.payload
    assert sealer.finish() == whole.header


@each_suite
def test_a_chunk_of_the_wrong_size_is_our_own_mistake(suite: Suite):
    sealer = Sealer(
        a_body(suite),
        lot=1,
        pt_len=65_537,
        created_ms=0,
        bid_nonce=bytes(suite.bid_nonce_size),
        seed=bytes(suite.seed_size),
        key=BIDDER,
    )
    with pytest.raises(AssertionError):
        sealer.seal_chunk(bytes(65_537))


@each_suite
def test_a_large_envelope_opens_chunk_by_chunk(suite: Suite):
    sealed = a_sealed_body(suite)
    chunks, written = chunks_of(sealed), bytearray()
    open_to(sealed.header, key_of(sealed), chunks.__getitem__, written.extend)
    assert written == open_payload(sealed.header, key_of(sealed), sealed.payload)


@each_suite
def test_opening_by_chunks_refuses_what_opening_at_once_refuses(suite: Suite):
    sealed = a_sealed_body(suite)
    key, chunks = key_of(sealed), chunks_of(sealed)
    damaged = [chunks[0], chunks[1][:-1] + bytes([chunks[1][-1] ^ 1]), chunks[2]]
    swapped, short = [chunks[1], chunks[0], chunks[2]], [chunks[0], chunks[1], chunks[2][:-1]]
    for wrong, code in ((damaged, "chunk.tag"), (swapped, "chunk.tag"), (short, "payload.size")):
        with pytest.raises(Rejected) as refusal:
            open_to(sealed.header, key, wrong.__getitem__, bytearray().extend)
        assert refusal.value.code == code
        with pytest.raises(Rejected) as refusal:
            open_payload(sealed.header, key, b"".join(wrong))
        assert refusal.value.code == code


@each_suite
def test_a_plaintext_that_is_not_the_committed_one_is_refused_at_the_end(suite: Suite):
    sealed, other = a_sealed_body(suite), sealed_with(a_body(suite), bytes(196_608))
    twin = type(sealed.header)(
        **{name: getattr(sealed.header, name) for name in _fields(sealed.header)}
        | {"c_P": other.header.c_P}
    )
    with pytest.raises(Rejected, match=r"plaintext\.commitment"):
        open_to(twin, key_of(sealed), chunks_of(sealed).__getitem__, bytearray().extend)
    with pytest.raises(Rejected, match=r"plaintext\.commitment"):
        open_payload(twin, key_of(sealed), sealed.payload)


def _fields(header) -> list[str]:
    from dataclasses import fields

    return [each.name for each in fields(header)]


@settings(max_examples=20)
@given(st.sampled_from(SUITES), st.data())
def test_every_truncation_and_every_flip_of_a_payload_is_refused(suite: Suite, data: st.DataObject):
    sealed = a_sealed_form(suite)
    key, payload = key_of(sealed), sealed.payload
    size = data.draw(st.integers(0, len(payload) - 1))
    with pytest.raises(Rejected, match=r"payload\.size"):
        open_payload(sealed.header, key, payload[:size])
    changed = bytearray(payload)
    changed[size] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(Rejected, match=r"chunk\.tag"):
        open_payload(sealed.header, key, changed)


@each_suite
def test_several_threads_may_open_chunks_under_one_key(suite: Suite):
    sealed = a_sealed_body(suite)
    header, key, chunks = sealed.header, key_of(sealed), chunks_of(sealed)
    out = bytearray(header.pt_len)
    target = memoryview(out)

    def work(index: int) -> None:
        plain = target[index * 65_536 : (index + 1) * 65_536]
        for _ in range(20):
            decrypt_chunk_into(key.cipher, index, header.n_chunks, chunks[index], plain)

    threads = [threading.Thread(target=work, args=(index,)) for index in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    inner = suite.plaintext_hash()
    inner.update(out)
    assert plaintext_matches(header, key, inner.digest())


@each_suite
def test_only_the_bidders_own_key_gets_the_seed_back(suite: Suite):
    header = a_sealed_form(suite).header
    with pytest.raises(Rejected, match=r"seed\.key"):
        unseal_seed(header, BoxKey(b"y" * 32))


@each_suite
def test_secrets_do_not_show_when_something_is_printed(suite: Suite):
    sealed = a_sealed_form(suite)
    shown = repr(sealed) + repr(key_of(sealed))
    secrets = (sealed.bidder_half, sealed.host_half, key_of(sealed).K, key_of(sealed).r_P)
    assert not any(secret.hex() in shown or repr(secret) in shown for secret in secrets)
    assert open_payload(sealed.header, key_of(sealed), sealed.payload) == FORM
