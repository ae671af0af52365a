"""Header rewriting: contiguous, never the same number twice, never back in time."""

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from media.forwarding import FIRST_SEQ_MAX, Rewriter
from media.packets import build_rtp, parse_rtp, timestamp_delta
from media.ring import RING_PACKETS, Packet, PacketRing, Unwrapper


def packet(seq: int, timestamp: int, payload: bytes, *, keyframe: bool = False) -> Packet:
    return Packet(seq, timestamp & 0xFFFFFFFF, 0x80, 102, payload, 0, keyframe, 0)


def written(rewriter: Rewriter, one: Packet) -> bytes:
    out = bytearray(1500)
    return bytes(out[: rewriter.write(one, rewriter.now, out)])


@dataclass
class Source:
    """A layer with its own idea of numbers and time."""

    seq: int
    timestamp: int
    ring: PacketRing = field(default_factory=PacketRing)

    def next(self, name: int, ticks: int) -> Packet:
        self.seq += 1
        self.timestamp = (self.timestamp + ticks) & 0xFFFFFFFF
        made = packet(self.seq, self.timestamp, f"{name}:{self.seq}".encode())
        assert self.ring.keep(made)
        return made


STEPS = st.lists(
    st.tuples(
        st.integers(0, 2),  # which source speaks
        st.integers(0, 4000),  # ticks since its last packet
        st.sampled_from(["pass", "pass", "pass", "lost", "switch", "late"]),
    ),
    max_size=80,
)
SOURCES = st.lists(
    st.builds(Source, st.integers(0x10000, 0x2FFFF), st.integers(0, 0xFFFFFFFF)),
    min_size=3,
    max_size=3,
)


@settings(max_examples=300)
@given(SOURCES, STEPS, st.integers(0, FIRST_SEQ_MAX), st.integers(0, 0xFFFFFFFF))
def test_many_sources_become_one_stream(
    sources: list[Source], steps: list[tuple[int, int, str]], first: int, start: int
) -> None:
    rewriter = Rewriter(7, first, start, vp8=False)
    left: dict[int, bytes] = {}  # outgoing extended number -> plaintext
    lost: set[int] = set()  # outgoing numbers whose packet did not come in time
    late: list[tuple[int, Packet]] = []
    latest: int | None = None  # outgoing timestamp

    for name, ticks, what in steps:
        one = sources[name].next(name, ticks)
        if what == "switch":
            rewriter.switch(name, one, ticks)
            timestamp = timestamp_of(written(rewriter, one))
            assert latest is None or timestamp_delta(timestamp, latest) > 0
        elif rewriter.source != name:
            continue
        elif what == "lost":
            late.append((name, one))
            continue
        elif what == "late" and late and late[-1][0] == name:
            one = late.pop()[1]
        before = rewriter.now.last
        if not rewriter.admit(one):
            continue
        number = one.seq + rewriter.now.seq_offset
        lost |= set(range(before + 1, number)) - left.keys()
        lost.discard(number)
        assert number not in left, "one number for two packets"
        left[number] = written(rewriter, one)
        timestamp = timestamp_of(left[number])
        latest = timestamp if latest is None or timestamp_delta(timestamp, latest) > 0 else latest

    if left:
        # Every number from the first on has left or is a gap of its source.
        assert set(range(first, max(left) + 1)) == left.keys() | lost
    check_again(rewriter, sources, left)


def timestamp_of(raw: bytes) -> int:
    view = parse_rtp(raw)
    assert view is not None
    return view.timestamp


def check_again(rewriter: Rewriter, sources: list[Source], left: dict[int, bytes]) -> None:
    """Whatever is asked for again is what was sent, byte for byte."""
    for number, plaintext in left.items():
        found = rewriter.origin(number & 0xFFFF)
        if found is None:
            continue
        segment, seq = found
        held = sources[segment.source].ring.find(seq)
        assert held is not None
        out = bytearray(1500)
        assert bytes(out[: rewriter.write(held, segment, out)]) == plaintext
    newest = max(left, default=None)
    assert newest is None or rewriter.origin(newest & 0xFFFF) is not None


def test_a_packet_from_before_the_switch_does_not_leave() -> None:
    rewriter = Rewriter(7, 100, 0, vp8=False)
    rewriter.switch(0, packet(50, 0, b"key"), 1)
    assert rewriter.admit(packet(50, 0, b"key"))
    assert not rewriter.admit(packet(49, 0, b"before"))
    rewriter.switch(1, packet(900, 0, b"key"), 1)
    assert rewriter.admit(packet(900, 0, b"key"))
    assert not rewriter.admit(packet(899, 0, b"before"))


def test_what_has_not_left_or_long_ago_has_no_origin() -> None:
    rewriter = Rewriter(7, 0, 0, vp8=False)
    assert rewriter.origin(0) is None
    rewriter.switch(0, packet(1, 0, b""), 1)
    for seq in range(1, RING_PACKETS + 2):
        assert rewriter.admit(packet(seq, 0, b""))
    assert rewriter.origin(0) is None
    assert rewriter.origin(1) is not None
    assert rewriter.origin(RING_PACKETS + 1) is None


def test_picture_ids_go_on_over_a_switch() -> None:
    def picture(number: int, tl0: int) -> bytes:
        return bytes([0x90, 0xC0, 0x80 | number >> 8, number & 0xFF, tl0]) + b"\x00picture"

    rewriter = Rewriter(7, 0, 0, vp8=True)
    seen: list[tuple[int, int]] = []
    for source, seq, number, tl0 in [(0, 1, 32766, 254), (0, 2, 32767, 255), (1, 9, 500, 3)]:
        one = packet(seq, seq, picture(number, tl0), keyframe=True)
        if rewriter.source != source:
            rewriter.switch(source, one, 1)
        assert rewriter.admit(one)
        view = parse_rtp(written(rewriter, one))
        assert view is not None
        body = view.payload
        seen.append(((body[2] & 0x7F) << 8 | body[3], body[4]))
        assert body.endswith(b"\x00picture")
    assert seen == [(32766, 254), (32767, 255), (0, 0)]


@given(st.lists(st.integers(-300, 900), max_size=200))
def test_a_ring_keeps_every_number_once(steps: list[int]) -> None:
    ring, kept, at = PacketRing(), set[int](), 5000
    for step in steps:
        at = max(0, at + step)
        if ring.keep(packet(at, 0, b"")):
            assert at not in kept
            kept.add(at)
            assert ring.find(at) is not None
    assert ring.highest == max(kept, default=-1)


@given(st.integers(0, 0xFFFF), st.lists(st.integers(-500, 500), max_size=50))
def test_unwrapped_numbers_keep_their_distances(start: int, steps: list[int]) -> None:
    unwrapper, at = Unwrapper(), start
    base = unwrapper.unwrap(start)
    highest = start
    for step in steps:
        at = highest + step
        highest = max(highest, at)
        assert unwrapper.unwrap(at & 0xFFFF) - base == at - start


def test_what_is_written_is_an_ordinary_packet() -> None:
    rewriter = Rewriter(0xABCD, 10, 1000, vp8=False)
    one = packet(70, 5, b"body")
    rewriter.switch(0, one, 1)
    assert rewriter.admit(one)
    assert written(rewriter, one) == build_rtp(102, 10, 1000, 0xABCD, b"body")
