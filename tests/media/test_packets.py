"""RTP packets: ours are read as others read them, and nothing from outside can make us stumble."""

from typing import Any

import pytest
from aiortc import rtp
from hypothesis import given
from hypothesis import strategies as st

from media.packets import (
    EXTENSIONS_MAX,
    PACKET_BYTES_MAX,
    build_rtp,
    extension_block,
    is_rtcp,
    parse_rtp,
    seq_delta,
    timestamp_delta,
)

U16 = st.integers(0, 0xFFFF)
U32 = st.integers(0, 0xFFFFFFFF)
EXTENSIONS = st.lists(
    st.tuples(st.integers(1, 14), st.binary(min_size=1, max_size=16)),
    max_size=6,
    unique_by=lambda one: one[0],
)


@given(
    pt=st.integers(0, 127),
    seq=U16,
    timestamp=U32,
    ssrc=U32,
    payload=st.binary(max_size=1200),
    marker=st.booleans(),
    extensions=EXTENSIONS,
)
def test_what_is_built_is_read_back_by_us_and_by_aiortc(
    pt: int,
    seq: int,
    timestamp: int,
    ssrc: int,
    payload: bytes,
    marker: bool,
    extensions: list[tuple[int, bytes]],
) -> None:
    raw = build_rtp(pt, seq, timestamp, ssrc, payload, marker=marker, extensions=extensions)
    view = parse_rtp(raw)
    assert view is not None
    read = (view.pt, view.seq, view.timestamp, view.ssrc, view.marker, view.payload)
    assert read == (pt, seq, timestamp, ssrc, marker, payload)
    assert view.extensions() == dict(extensions)
    other = rtp.RtpPacket.parse(raw)
    assert (other.payload_type, other.sequence_number, other.payload) == (pt, seq, payload)
    block = raw[12 : view.payload_offset]
    if block:
        assert dict(rtp.unpack_header_extensions(0xBEDE, block[4:])) == dict(extensions)


@given(st.binary(max_size=PACKET_BYTES_MAX + 8))
def test_any_bytes_are_a_packet_or_nothing(raw: bytes) -> None:
    check_bounds(raw)


@given(
    head=st.binary(min_size=11, max_size=11),
    first=st.integers(0x80, 0xBF),
    rest=st.binary(max_size=120),
)
def test_any_bytes_behind_a_plausible_first_one_stay_in_bounds(
    head: bytes, first: int, rest: bytes
) -> None:
    check_bounds(bytes([first]) + head + rest)


def check_bounds(raw: bytes) -> None:
    view = parse_rtp(raw)
    if view is None:
        return
    assert 12 <= view.extension_offset <= view.extension_end <= view.payload_offset
    assert view.payload_offset <= view.payload_end <= len(raw)
    assert len(list(view.each_extension())) <= EXTENSIONS_MAX
    assert view.payload == raw[view.payload_offset : view.payload_end]


HOSTILE: dict[str, bytes] = {
    "nothing": b"",
    "eleven bytes": bytes([0x80]) + bytes(10),
    "another version": bytes([0x40]) + bytes(20),
    "sources beyond the end": bytes([0x8F]) + bytes(20),
    "an extension head beyond the end": bytes([0x90]) + bytes(13),
    "an extension beyond the end": bytes([0x90]) + bytes(11) + b"\xbe\xde\xff\xff" + bytes(8),
    "padding of nothing": bytes([0xA0]) + bytes(11),
    "padding of zero": bytes([0xA0]) + bytes(15),
    "padding beyond the payload": bytes([0xA0]) + bytes(14) + b"\x05",
    "longer than a frame": bytes([0x80]) + bytes(PACKET_BYTES_MAX),
}


@pytest.mark.parametrize("raw", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_malformed_packet_is_nothing(raw: bytes) -> None:
    assert parse_rtp(raw) is None


def test_padding_is_no_payload() -> None:
    raw = bytearray(build_rtp(96, 1, 2, 3, b"picture"))
    raw[0] |= 0x20
    view = parse_rtp(bytes(raw) + b"\x00\x00\x03")
    assert view is not None
    assert view.payload == b"picture"


def test_the_two_byte_form_is_read() -> None:
    body = bytes([1, 2]) + b"ab" + bytes([0, 200, 0, 7, 1]) + b"c"
    body += bytes(-len(body) % 4)
    head = bytes([0x90, 96, 0, 1]) + bytes(8) + b"\x10\x00" + (len(body) // 4).to_bytes(2, "big")
    view = parse_rtp(head + body + b"payload")
    assert view is not None
    assert view.extensions() == {1: b"ab", 200: b"", 7: b"c"}
    assert view.payload == b"payload"


def test_a_block_that_is_cut_short_yields_what_stands_before_the_cut() -> None:
    block = b"\xbe\xde\x00\x02" + bytes([0x10]) + b"a" + bytes([0x2F]) + b"12345"
    view = parse_rtp(bytes([0x90]) + bytes(11) + block)
    assert view is not None
    assert view.extensions() == {1: b"a"}
    assert view.extension(2) is None


def test_ids_out_of_the_one_byte_form_are_our_mistake() -> None:
    wrong: list[tuple[int, bytes]] = [(15, b"a"), (0, b"a"), (1, b""), (1, bytes(17))]
    for one in wrong:
        with pytest.raises(AssertionError):
            extension_block([one])


@given(U16, st.integers(-32768, 32767))
def test_distances_of_sequence_numbers_survive_the_turn(start: int, distance: int) -> None:
    assert seq_delta((start + distance) & 0xFFFF, start) == distance


@given(U32, st.integers(-(1 << 31), (1 << 31) - 1))
def test_distances_of_timestamps_survive_the_turn(start: int, distance: int) -> None:
    assert timestamp_delta((start + distance) & 0xFFFFFFFF, start) == distance


def test_control_packets_are_told_apart_by_the_second_byte() -> None:
    told: dict[Any, bool] = {n: is_rtcp(bytes([0x80, n])) for n in (96, 127, 191, 192, 200, 223)}
    assert told == {96: False, 127: False, 191: False, 192: True, 200: True, 223: True}
    assert not is_rtcp(b"\x80")
