"""What any forwarding engine has to do: the same rules for ours and for a deliberately dumb one.

A compiled engine is right when it passes this file; add it to ``ENGINES``.
"""

import contextlib
import itertools
from dataclasses import replace

import pylibsrtp
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from media.codecs import Codec
from media.engine import (
    ROOM_AUDIO_LEVEL,
    ROOM_PT,
    LayerJoined,
    LevelHeard,
    LossHeard,
    SourceEnded,
    SourceStarted,
    StreamTerms,
    TappedPacket,
    TimesHeard,
)
from media.packets import build_rtp, timestamp_delta
from media.python_engine import PythonEngine
from media.rtcp import (
    FullIntra,
    Goodbye,
    Nack,
    PictureLoss,
    ReceiverReport,
    ReportBlock,
    SenderReport,
    TransportFeedback,
)
from tests.media.dumb_engine import DumbEngine
from tests.media.engine_lab import AUDIO, DELTA, IDS, KEY, RTX, VIDEO, Camera, EngineMaker, Lab

ENGINES: dict[str, EngineMaker] = {"python": PythonEngine, "dumb": DumbEngine}


@pytest.fixture(params=ENGINES.values(), ids=list(ENGINES))
def lab(request: pytest.FixtureRequest) -> Lab:
    return Lab(request.param)


def seqs(got: list) -> list[int]:
    return [one.sequence_number for one in got]


# ---- forwarding


def test_a_packet_leaves_byte_for_byte_in_the_rooms_terms(lab: Lab) -> None:
    host, viewer = lab.peer(), lab.peer()
    lab.track(host)
    lab.watch(viewer)
    camera = Camera(host, 0x1111)
    payloads = [KEY, DELTA, DELTA + bytes(1100)]
    camera.send(*payloads)
    assert [one.payload for one in viewer.got] == payloads
    assert {one.payload_type for one in viewer.got} == {ROOM_PT[Codec.H264]}
    assert {one.ssrc for one in viewer.got} == {0xAAAA}
    assert seqs(viewer.got) == [100, 101, 102]
    assert [one.timestamp for one in viewer.got] == [5000, 8000, 11000]
    assert [one.marker for one in viewer.got] == [1, 1, 1]
    assert host.got == []
    counters = lab.engine.counters()
    assert (counters.received, counters.forwarded) == (3, 3)


def test_every_viewer_has_a_stream_of_its_own(lab: Lab) -> None:
    host, viewers = lab.peer(), [lab.peer() for _ in range(5)]
    lab.track(host)
    for number, viewer in enumerate(viewers):
        lab.engine.subscribe(number, viewer.number, 1, StreamTerms(7 + number, number, 0))
    Camera(host, 1).send(KEY, DELTA)
    for number, viewer in enumerate(viewers):
        assert [(one.ssrc, one.sequence_number) for one in viewer.got] == [
            (7 + number, number),
            (7 + number, number + 1),
        ]


def test_nothing_is_sent_to_who_has_no_address_yet(lab: Lab) -> None:
    host, viewer = lab.peer(), lab.peer(placed=False)
    lab.track(host)
    lab.watch(viewer)
    Camera(host, 1).send(KEY)
    lab.run(2000)
    assert viewer.got == []
    assert viewer.told == []


def test_order_and_gaps_of_the_publisher_stay(lab: Lab) -> None:
    host, viewer = lab.peer(), lab.peer()
    lab.track(host)
    lab.watch(viewer)
    camera = Camera(host, 1, seq=65_533)
    packets = [camera.packet(payload) for payload in [KEY, DELTA, DELTA, DELTA, DELTA]]
    host.send(packets[0], packets[2], packets[1], packets[4])
    assert seqs(viewer.got) == [100, 102, 101, 104]


def test_what_is_not_authentic_or_comes_twice_is_not_forwarded(lab: Lab) -> None:
    host, viewer = lab.peer(), lab.peer()
    lab.track(host)
    lab.watch(viewer)
    sealed = host.seal(Camera(host, 1).packet(KEY))
    forged = sealed[:-1] + bytes([sealed[-1] ^ 1])
    lab.engine.receive([(host.number, one) for one in (forged, sealed, sealed, b"", b"\x80")], 0)
    assert len(viewer.got) == 1
    assert lab.engine.counters().refused == 4


def test_what_is_of_no_track_goes_nowhere(lab: Lab) -> None:
    host, viewer = lab.peer(), lab.peer()
    lab.track(host)
    lab.watch(viewer)
    Camera(host, 1, mid="another").send(KEY)
    Camera(host, 2, pt=99).send(KEY)
    Camera(viewer, 3).send(KEY)
    assert viewer.got == []
    assert lab.engine.counters().unrouted == 3


def test_an_announced_source_needs_no_names(lab: Lab) -> None:
    host, viewer = lab.peer(), lab.peer()
    lab.track(host, ssrcs=(77,), rtx_ssrcs={78: 77})
    lab.watch(viewer)
    host.send(build_rtp(VIDEO, 1, 1, 77, KEY), build_rtp(VIDEO, 3, 1, 77, DELTA))
    host.send(build_rtp(RTX, 9, 1, 78, b"\x00\x02" + DELTA))
    assert seqs(viewer.got) == [100, 102, 101]


def test_a_repair_is_the_packet_it_repairs(lab: Lab) -> None:
    host, viewer = lab.peer(), lab.peer()
    lab.track(host, rids=("l", "h"))
    lab.watch(viewer)
    camera = Camera(host, 1, rid="h", seq=10)
    host.send(camera.packet(KEY))
    camera.seq += 1
    host.send(camera.packet(DELTA))
    padding = camera.repair(2, 12, 1, b"")
    host.send(padding, camera.repair(2, 12, 2, DELTA + b"late"))
    assert seqs(viewer.got) == [100, 102, 101]
    assert viewer.got[-1].payload == DELTA + b"late"
    host.send(camera.repair(2, 12, 3, DELTA + b"another"))
    assert len(viewer.got) == 3, "one number would stand for two packets"


def test_a_source_that_speaks_is_not_taken_away(lab: Lab) -> None:
    host, viewer = lab.peer(), lab.peer()
    lab.track(host)
    lab.watch(viewer)
    Camera(host, 1).send(KEY)
    Camera(host, 2).send(KEY)
    assert len(viewer.got) == 1
    lab.run(3000)
    Camera(host, 2, seq=2000).send(KEY)
    assert seqs(viewer.got) == [100, 101]
    assert lab.told(SourceStarted) == [SourceStarted(1, 0, 1), SourceStarted(1, 0, 2)]
    assert lab.told(SourceEnded) == [SourceEnded(1, 0)]


# ---- keyframes, layers, pauses


def test_a_picture_is_joined_at_a_keyframe_and_sound_at_once(lab: Lab) -> None:
    host, viewer = lab.peer(), lab.peer()
    lab.track(host)
    lab.track(host, 2, codec=Codec.OPUS, mid="a", pt=AUDIO)
    lab.watch(viewer)
    lab.watch(viewer, 2, 2, ssrc=0xBBBB)
    camera, sound = Camera(host, 1), Camera(host, 2, mid="a", pt=AUDIO)
    camera.send(DELTA)
    sound.send(b"sound")
    assert [one.payload for one in viewer.got] == [b"sound"]
    camera.send(DELTA, KEY, DELTA)
    assert [one.payload for one in viewer.got] == [b"sound", KEY, DELTA]
    assert set(lab.told(LayerJoined)) == {LayerJoined(1, 0), LayerJoined(2, 0)}


def test_many_viewers_are_one_request_for_a_keyframe(lab: Lab) -> None:
    host = lab.peer()
    lab.track(host)
    camera = Camera(host, 1)
    camera.send(DELTA)
    for number in range(30):
        viewer = lab.peer()
        lab.watch(viewer, number=number)
        viewer.send(bytes(PictureLoss(1, 0xAAAA)))
    viewer = lab.peer()
    lab.watch(viewer, number=99)
    for _ in range(20):
        camera.send(DELTA)
        lab.run(20)
    assert host.heard(PictureLoss) == [PictureLoss(1, 1)]
    camera.send(KEY)
    lab.run(600)
    assert len(host.heard(PictureLoss)) == 1
    viewer.send(bytes(FullIntra(1, ((0xAAAA, 1),))))
    lab.run(400)
    assert len(host.heard(PictureLoss)) == 2


def simulcast(lab: Lab) -> tuple[Camera, Camera]:
    host = lab.peer()
    lab.track(host, rids=("l", "h"))
    low = Camera(host, 1, rid="l", seq=5000, timestamp=0xFFFF0000)
    high = Camera(host, 2, rid="h", seq=90, timestamp=70_000, transport=low.transport)
    return low, high


def test_layers_are_changed_at_keyframes_without_a_gap(lab: Lab) -> None:
    low, high = simulcast(lab)
    viewer = lab.peer()
    number = lab.watch(viewer)
    low.send(KEY + b"l")
    high.send(KEY + b"h")
    lab.engine.aim(number, 0)
    for turn in range(40):
        if turn % 10 == 5:
            lab.engine.aim(number, turn // 10 % 2)
        key = turn % 10 == 8
        for camera, name in ((low, b"l"), (high, b"h")):
            camera.send((KEY if key else DELTA) + name)
        lab.run(40)
    names = [one.payload[-1:] for one in viewer.got]
    assert set(names) == {b"l", b"h"}
    assert seqs(viewer.got) == list(range(100, 100 + len(viewer.got)))
    for before, after in zip(viewer.got, viewer.got[1:], strict=False):
        assert timestamp_delta(after.timestamp, before.timestamp) > 0
        if before.payload[-1:] != after.payload[-1:]:
            assert after.payload.startswith(KEY)
    joined = [one.layer for one in lab.told(LayerJoined)]
    assert joined == [0, 1, 0, 1, 0, 1] or joined == [0, 1, 0, 1, 0, 1][: len(joined)]


def test_timestamps_over_a_switch_follow_the_publishers_clock(lab: Lab) -> None:
    low, high = simulcast(lab)
    viewer = lab.peer()
    number = lab.watch(viewer)
    ntp = 3_900_000_000 << 32
    low.end.send(bytes(SenderReport(1, ntp, low.timestamp, 0, 0)))
    low.send(KEY)
    high.send(DELTA)
    for camera in (low, high):
        times = (ntp + (1 << 32), (camera.timestamp + 90_000) & 0xFFFFFFFF)
        camera.end.send(bytes(SenderReport(camera.ssrc, *times, 0, 0)))
    low.send(DELTA)
    lab.now_us += 500_000  # late on the way, but captured at the same moment
    high.send(DELTA, KEY)
    times = [one.timestamp for one in viewer.got]
    assert [after - before for before, after in itertools.pairwise(times)] == [3000, 3000]
    assert lab.engine.stream_counters(number).layer == 1  # type: ignore[union-attr]


def test_a_layer_that_stops_is_replaced_by_the_next_one(lab: Lab) -> None:
    low, high = simulcast(lab)
    viewer = lab.peer()
    lab.watch(viewer)
    high.send(KEY + b"h")
    low.send(DELTA)
    for turn in range(120):
        low.send((KEY if turn == 110 else DELTA) + b"l")
        lab.run(20)
    assert [one.payload[-1:] for one in viewer.got] == [b"h"] + [b"l"] * 10
    assert lab.told(SourceEnded) == [SourceEnded(1, 1)]
    assert low.end.heard(PictureLoss)


@pytest.mark.parametrize("what", ["stream", "track"])
def test_after_a_pause_it_goes_on_without_a_gap_from_a_keyframe(lab: Lab, what: str) -> None:
    host, viewer = lab.peer(), lab.peer()
    lab.track(host)
    lab.watch(viewer)
    camera = Camera(host, 1)
    pause = lab.engine.pause if what == "stream" else lab.engine.pause_track
    camera.send(KEY, DELTA)
    pause(1, True)
    camera.send(DELTA, KEY, DELTA)
    pause(1, False)
    lab.run(1000)
    camera.send(DELTA, KEY + b"back", DELTA)
    assert seqs(viewer.got) == [100, 101, 102, 103]
    assert viewer.got[2].payload == KEY + b"back"
    assert viewer.got[2].timestamp - viewer.got[1].timestamp >= 90_000
    assert host.heard(PictureLoss)


# ---- asked for again


def test_what_is_asked_for_again_is_the_very_same_datagram(lab: Lab) -> None:
    low, high = simulcast(lab)
    viewer = lab.peer()
    number = lab.watch(viewer)
    low.send(KEY + b"l", DELTA)
    high.send(KEY + b"h", DELTA)
    lab.engine.aim(number, 0)
    low.send(KEY, DELTA)
    sent = list(viewer.got_raw)
    assert seqs(viewer.got) == [100, 101, 102, 103, 104, 105]
    viewer.send(bytes(Nack(1, 0xAAAA, (101, 102, 105, 106, 99))))
    assert viewer.got_raw[6:] == [sent[1], sent[2], sent[5]]
    assert lab.engine.counters().resent == 3


def test_asking_again_costs_the_asker(lab: Lab) -> None:
    host, viewer = lab.peer(), lab.peer()
    lab.track(host)
    lab.watch(viewer)
    Camera(host, 1).send(KEY, *[DELTA] * 300)
    everything = tuple(range(100, 400))
    for _ in range(50):
        viewer.send(bytes(Nack(1, 0xAAAA, everything)))
    assert lab.engine.counters().resent <= 400
    other = lab.peer()
    other.send(bytes(Nack(1, 0xAAAA, everything)))
    assert other.got_raw == []


# ---- told to publishers and viewers


def test_publishers_hear_what_arrived_and_what_is_missing(lab: Lab) -> None:
    host = lab.peer()
    lab.track(host)
    camera = Camera(host, 1, seq=10)
    host.send(*(camera.packet(DELTA) for _ in range(3)))
    camera.packet(DELTA)  # on the way it is lost
    host.send(camera.packet(DELTA))
    lab.run(60)
    assert host.heard(Nack) == [Nack(1, 1, (14,))]
    (feedback,) = host.heard(TransportFeedback)
    assert feedback.first == 0
    assert [one is None for one in feedback.arrivals] == [False, False, False, True, False]
    lab.run(1000)
    (block,) = host.heard(ReceiverReport)[-1].reports
    assert (block.ssrc, block.lost, block.highest_seq & 0xFFFF) == (1, 1, 15)


def test_viewers_hear_the_publishers_times_in_their_own_timestamps(lab: Lab) -> None:
    host, viewer = lab.peer(), lab.peer()
    lab.track(host)
    lab.watch(viewer)
    camera = Camera(host, 1, timestamp=1_000_000)
    camera.send(KEY)
    ntp = 3_900_000_000 << 32
    host.send(bytes(SenderReport(1, ntp, camera.timestamp, 9, 9)))
    lab.run(1000)
    report = viewer.heard(SenderReport)[-1]
    since = (report.ntp - ntp) * 90_000 >> 32
    assert abs(report.timestamp - (viewer.got[0].timestamp + since)) <= 1
    assert (report.ssrc, report.packets) == (0xAAAA, 1)
    assert lab.told(TimesHeard) == [TimesHeard(1, 0, ntp, camera.timestamp)]


def test_losses_and_levels_are_told(lab: Lab) -> None:
    host, viewer = lab.peer(), lab.peer()
    lab.track(host, codec=Codec.OPUS, mid="a", pt=AUDIO)
    lab.watch(viewer)
    levels = [(IDS.audio_level, bytes([0x80 | level])) for level in (90, 30, 60)]
    for seq, level in enumerate(levels):
        values = [(IDS.mid, b"a"), level]
        host.send(build_rtp(AUDIO, seq, seq, 1, b"sound", extensions=values))
    block = ReportBlock(0xAAAA, 77, 5, 100, 0, 0, 0)
    viewer.send(bytes(ReceiverReport(1, (block, replace(block, ssrc=5)))))
    assert lab.told(LossHeard) == [LossHeard(1, 77)]
    assert lab.told(LevelHeard) == [LevelHeard(1, 30)]
    assert [one.extensions.audio_level for one in viewer.got] == [None] * 3  # not configured
    sealed = viewer.got_raw[0]
    assert sealed[16] == ROOM_AUDIO_LEVEL << 4


def test_a_goodbye_ends_a_source(lab: Lab) -> None:
    host = lab.peer()
    lab.track(host)
    Camera(host, 1).send(KEY)
    host.send(bytes(Goodbye((1, 99))))
    assert lab.told(SourceEnded) == [SourceEnded(1, 0)]


def test_the_tap_gets_every_packet_of_every_layer_in_order(lab: Lab) -> None:
    low, high = simulcast(lab)
    batches: list[list[TappedPacket]] = []
    lab.engine.tap_track(1, lambda batch: batches.append(list(batch)))
    packets = [low.packet(KEY), high.packet(KEY), low.packet(DELTA)]
    low.end.send(*packets)
    assert batches == [
        [TappedPacket(1, n, raw, lab.now_us) for n, raw in zip((0, 1, 0), packets, strict=True)]
    ]
    lab.engine.pause_track(1, True)
    low.send(DELTA)
    lab.engine.pause_track(1, False)
    lab.engine.tap_track(1, None)
    low.send(DELTA)
    assert len(batches) == 1


# ---- ends and bounds


def test_who_is_closed_is_gone_with_all_that_is_his(lab: Lab) -> None:
    host, viewer = lab.peer(), lab.peer()
    lab.track(host)
    lab.watch(viewer)
    camera = Camera(host, 1)
    camera.send(KEY)
    lab.engine.close_peer(viewer.number)
    camera.send(DELTA)
    assert lab.engine.stream_counters(1) is None
    again = lab.peer()
    lab.watch(again, number=2)
    camera.send(KEY)
    lab.engine.close_peer(host.number)
    camera.send(DELTA)
    lab.run(1000)
    assert len(again.got) == 1
    assert lab.engine.stream_counters(2) is None


def test_what_is_not_known_does_nothing(lab: Lab) -> None:
    engine = lab.engine
    engine.place_peer(9, ("192.0.2.9", 9))
    engine.close_peer(9)
    engine.pause_track(9, True)
    engine.tap_track(9, None)
    engine.ask_keyframe(9)
    engine.close_track(9)
    engine.subscribe(9, 9, 9, StreamTerms(1, 1, 1))
    engine.aim(9, 1)
    engine.pause(9, True)
    engine.unsubscribe(9)
    engine.receive([(9, b"x" * 40)], 0)
    assert engine.take_events() == []
    assert engine.stream_counters(9) is None


def test_a_flood_of_sources_is_bounded(lab: Lab) -> None:
    host, viewer = lab.peer(), lab.peer()
    lab.track(host)
    lab.watch(viewer)
    Camera(host, 1).send(KEY)
    for ssrc in range(2, 500):
        Camera(host, ssrc, mid="another").send(KEY)
    counters = lab.engine.counters()
    assert counters.unrouted < 70
    assert counters.refused > 400
    assert len(viewer.got) == 1


KINDS = [VIDEO, RTX, 200, 201, 203, 205, 206]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.tuples(st.binary(min_size=12, max_size=80), st.sampled_from(KINDS)),
        max_size=20,
    )
)
@pytest.mark.parametrize("make", ENGINES.values(), ids=list(ENGINES))
def test_no_authentic_bytes_raise(make: EngineMaker, bodies: list[tuple[bytes, int]]) -> None:
    """A publisher with right keys and wrong everything else."""
    lab = Lab(make)
    host, viewer = lab.peer(), lab.peer()
    lab.track(host, rids=("l", "h"))
    lab.watch(viewer)
    camera = Camera(host, 1, rid="h")
    camera.send(KEY)
    for body, kind in bodies:
        if kind >= 200:
            words = len(body) // 4
            plain = bytes([0x80 | body[0] & 0x3F, kind, 0, words - 1]) + body[4 : 4 * words]
        else:
            plain = bytes([0x80 | body[0] & 0x3F, kind]) + body[2:8] + b"\0\0\0\1" + body[12:]
        with contextlib.suppress(pylibsrtp.Error):  # the sender's library refuses some
            host.send(plain)
        lab.run(20)
    numbers = [one.sequence_number for one in viewer.got]
    assert len(numbers) == len(set(numbers))
