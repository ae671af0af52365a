"""A document that streams is padded, and cut, as if it were in memory."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.errors import Rejected
from crypto.form import pad
from crypto.header import EnvelopeTerms
from crypto.keys import BoxKey, SigningKey
from crypto.sealing import Sealer, seal_bytes
from crypto.suites import NACL_1, get_suite
from server.cli.padding import cut, padded_pieces, padded_size
from tests.crypto.vector_files import code_of

BLOCK = 65_536
STEPS = st.sampled_from([1 << log2 for log2 in range(16, 21)])
KEY, BOX = SigningKey(bytes(32)), BoxKey(bytes(32))


@st.composite
def around_borders(draw: st.DrawFn) -> int:
    """Sizes up to three chunks of 1 MiB, most of them next to a border."""
    border = draw(st.sampled_from([0, 1, 2, 15, 16, 17, 31, 32, 47])) * BLOCK
    return max(0, border + draw(st.integers(-3, 3)))


def document_of(size: int, ending: bytes) -> bytes:
    return (bytes(range(251)) * (size // 251 + 1))[: max(0, size - len(ending))] + ending[-size:]


# What could be mistaken for padding: zeros, the mark itself, and both.
endings = st.sampled_from([b"", b"\x80", b"\0", b"\x80\0\0\0", b"\0" * 70_000])


@given(around_borders(), STEPS, endings)
def test_the_pieces_are_the_padded_document(size: int, step: int, ending: bytes) -> None:
    whole = document_of(size, ending if size else b"")
    pieces = list(padded_pieces(io.BytesIO(whole), len(whole), step))
    assert b"".join(pieces) == pad(whole, BLOCK)
    assert [len(piece) for piece in pieces[:-1]] == [step] * (len(pieces) - 1)
    assert 0 < len(pieces[-1]) <= step
    assert padded_size(len(whole)) == sum(map(len, pieces))


@given(around_borders(), endings)
def test_cutting_gives_the_document_back(size: int, ending: bytes) -> None:
    whole = document_of(size, ending if size else b"")
    file = io.BytesIO(pad(whole, BLOCK))
    cut(file, len(file.getvalue()))
    assert file.getvalue() == whole


@given(st.integers(0, 70_000), endings)
def test_cutting_a_form_gives_the_form_back(size: int, ending: bytes) -> None:
    whole = document_of(size, ending if size else b"")
    file = io.BytesIO(pad(whole, 4096))
    cut(file, len(file.getvalue()))
    assert file.getvalue() == whole


@given(st.integers(1, 3 * BLOCK), st.integers(0, 3 * BLOCK), STEPS)
def test_a_document_that_shrinks_or_grows_is_refused(told: int, found: int, step: int) -> None:
    if told == found:
        found += 1
    pieces = padded_pieces(io.BytesIO(bytes(found)), told, step)
    assert code_of(lambda: list(pieces)) == "seal.file_changed"


@pytest.mark.parametrize("plaintext", [bytes(BLOCK), b"\x01" * BLOCK, b"\x80" + bytes(BLOCK)])
def test_what_is_not_padded_is_refused(plaintext: bytes) -> None:
    with pytest.raises(Rejected) as refused:
        cut(io.BytesIO(plaintext), len(plaintext))
    assert refused.value.code == "form.padding"


def terms(log2_chunk: int) -> EnvelopeTerms:
    return EnvelopeTerms(
        suite=get_suite(NACL_1),
        tender_id=b"T" * 32,
        lots={1},
        envelope=2,
        kind="body",
        log2_chunk=log2_chunk,
        pt_len_max=1 << 31,
        t=1,
        trustee_xpks=(BoxKey(b"\x01" * 32).public,),
        demo=True,
        bidder_pk=KEY.public,
        bidder_xpk=BOX.public,
    )


@given(around_borders(), st.integers(16, 20))
def test_sealing_piece_by_piece_gives_the_bytes_of_sealing_at_once(
    size: int, log2_chunk: int
) -> None:
    whole, of = document_of(size, b""), terms(log2_chunk)
    once = {"lot": 1, "created_ms": 60_000, "bid_nonce": b"n" * 16, "seed": b"s" * 32, "key": KEY}
    expected = seal_bytes(of, pad(whole, BLOCK), **once)
    sealer = Sealer(of, pt_len=padded_size(size), **once)
    pieces = padded_pieces(io.BytesIO(whole), size, 1 << log2_chunk)
    assert b"".join(map(sealer.seal_chunk, pieces)) == expected.payload
    assert sealer.finish().raw == expected.header.raw
