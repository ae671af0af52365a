"""RTCP: what we build others read, what others build we read, and hostile bytes are nothing."""

import struct

import pytest
from aiortc import rtp
from hypothesis import given
from hypothesis import strategies as st

from media.rtcp import (
    NACKED_MAX,
    STATUSES_MAX,
    BitrateLimit,
    FullIntra,
    Goodbye,
    Nack,
    PictureLoss,
    ReceiverReport,
    ReportBlock,
    RtcpPacket,
    SenderReport,
    TransportFeedback,
    parse_rtcp,
    source_name,
)

U8 = st.integers(0, 0xFF)
U16 = st.integers(0, 0xFFFF)
U24 = st.integers(0, 0xFFFFFF)
U32 = st.integers(0, 0xFFFFFFFF)
SSRCS = st.lists(U32, max_size=5).map(tuple)
BLOCKS = st.lists(
    st.builds(ReportBlock, U32, U8, st.integers(-(1 << 23), (1 << 23) - 1), U32, U32, U32, U32),
    max_size=5,
).map(tuple)
ARRIVALS = st.lists(st.none() | st.integers(0, 0x7FFF), max_size=60).map(tuple)
PACKETS: st.SearchStrategy[RtcpPacket] = st.one_of(
    st.builds(SenderReport, U32, st.integers(0, (1 << 64) - 1), U32, U32, U32, BLOCKS),
    st.builds(ReceiverReport, U32, BLOCKS),
    st.builds(PictureLoss, U32, U32),
    st.builds(FullIntra, U32, st.lists(st.tuples(U32, U8), max_size=4).map(tuple)),
    st.builds(BitrateLimit, U32, st.integers(0, 0x3FFFF).map(lambda n: n << 9), SSRCS),
    st.builds(Goodbye, SSRCS),
    st.builds(TransportFeedback, U32, U32, U16, U24, U8, ARRIVALS),
)


@given(st.lists(PACKETS, min_size=1, max_size=3))
def test_a_compound_is_read_back(packets: list[RtcpPacket]) -> None:
    assert parse_rtcp(b"".join(map(bytes, packets))) == packets


@given(U32, U32, st.integers(0, 0xFFFF), st.sets(st.integers(0, 300), min_size=1, max_size=80))
def test_a_nack_asks_for_exactly_what_is_lost(
    sender: int, media: int, start: int, distances: set[int]
) -> None:
    lost = tuple((start + distance) & 0xFFFF for distance in sorted(distances))
    raw = bytes(Nack(sender, media, lost))
    assert parse_rtcp(raw) == [Nack(sender, media, lost)]
    (other,) = rtp.RtcpPacket.parse(raw)
    assert isinstance(other, rtp.RtcpRtpfbPacket)
    assert tuple(seq & 0xFFFF for seq in other.lost) == lost


@given(U32, st.integers(0, (1 << 64) - 1), U32, U32, U32, BLOCKS)
def test_aiortc_reads_our_sender_reports(
    ssrc: int, ntp: int, timestamp: int, packets: int, octets: int, blocks: tuple[ReportBlock, ...]
) -> None:
    ours = SenderReport(ssrc, ntp, timestamp, packets, octets, blocks)
    read, _ = rtp.RtcpPacket.parse(bytes(ours) + source_name(ssrc, b"kaibiao"))
    assert isinstance(read, rtp.RtcpSrPacket)
    assert read.sender_info.ntp_timestamp == ntp
    assert [(b.ssrc, b.packets_lost) for b in read.reports] == [(b.ssrc, b.lost) for b in blocks]
    assert bytes(read) == bytes(ours)


def test_packets_that_we_do_not_use_are_skipped() -> None:
    raw = source_name(1, b"somebody") + bytes(PictureLoss(2, 3))
    assert parse_rtcp(raw) == [PictureLoss(2, 3)]


def test_transport_feedback_of_a_browser_is_read() -> None:
    """Written down from the wire: 5 packets, the third missing, the last 2 s late."""
    body = struct.pack("!IIHHI", 7, 9, 100, 5, (1000 << 8) | 3)
    body += struct.pack("!H", 0xC000 | 1 << 12 | 1 << 10 | 0 << 8 | 1 << 6 | 2 << 4)
    body += bytes([4, 4, 0]) + struct.pack("!h", 8000)
    body += b"\x00"
    padded = body + bytes(-len(body) % 4)
    raw = struct.pack("!BBH", 0x80 | 15, 205, len(padded) // 4) + padded
    assert parse_rtcp(raw) == [TransportFeedback(7, 9, 100, 1000, 3, (4, 8, None, 8, 8008))]


@given(st.binary(max_size=200))
def test_any_bytes_are_a_compound_or_nothing(raw: bytes) -> None:
    parse_rtcp(raw)


@given(
    kind=st.sampled_from([200, 201, 202, 203, 205, 206]),
    count=st.integers(0, 31),
    body=st.binary(max_size=120).map(lambda b: b[: len(b) // 4 * 4]),
    padded=st.booleans(),
)
def test_any_body_behind_a_right_head_is_read_or_refused(
    kind: int, count: int, body: bytes, padded: bool
) -> None:
    first = 0x80 | (0x20 if padded else 0) | count
    found = parse_rtcp(struct.pack("!BBH", first, kind, len(body) // 4) + body)
    assert found is None or len(found) <= 1


HOSTILE: dict[str, bytes] = {
    "nothing": b"",
    "another version": b"\x40\xc9\x00\x01" + bytes(4),
    "longer than the datagram": b"\x80\xc9\xff\xff" + bytes(4),
    "a report without its blocks": b"\x9f\xc9\x00\x01" + bytes(4),
    "padding beyond the packet": b"\xa0\xc9\x00\x01\x00\x00\x00\xff",
    "a goodbye to more than it names": b"\x9f\xcb\x00\x00",
    "half a packet behind a whole one": bytes(PictureLoss(1, 2)) + b"\x80\xce",
    "feedback on more packets than anybody sends": struct.pack(
        "!BBHIIHHI", 0x8F, 205, 4, 1, 2, 0, STATUSES_MAX + 1, 0
    ),
    "a run of nothing for ever": struct.pack(
        "!BBHIIHHIHH", 0x8F, 205, 5, 1, 2, 0, 100, 0, 0x2000, 0
    ),
    "packets without end": b"\x80\xc9\x00\x01\x00\x00\x00\x00" * 100,
    "a limit for sources that are not there": struct.pack(
        "!BBHII4sI", 0x8F, 206, 4, 1, 0, b"REMB", 0xFF << 24
    ),
}


@pytest.mark.parametrize("raw", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_malformed_compound_is_nothing(raw: bytes) -> None:
    assert parse_rtcp(raw) is None


def test_one_nack_cannot_ask_for_everything() -> None:
    body = struct.pack("!II", 1, 2) + b"\x00\x00\xff\xff" * 360
    (nack,) = parse_rtcp(struct.pack("!BBH", 0x81, 205, len(body) // 4) + body) or []
    assert isinstance(nack, Nack)
    assert len(nack.lost) == NACKED_MAX
