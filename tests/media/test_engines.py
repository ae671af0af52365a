"""What any forwarding engine has to do: the same rules for ours and for a deliberately dumb one.

A compiled engine is right when it passes this file; add it to ``ENGINES``.
"""

import itertools

import pytest

from media.codecs import Codec
from media.engine import (
    ROOM_PT,
    LayerJoined,
    SourceEnded,
    SourceStarted,
    StreamTerms,
    TrackTerms,
)
from media.packets import build_rtp, timestamp_delta
from media.python_engine import PythonEngine
from media.rtcp import (
    FullIntra,
    PictureLoss,
    SenderReport,
)
from tests.media.dumb_engine import DumbEngine
from tests.media.engine_lab import AUDIO, DELTA, KEY, RTX, VIDEO, Camera, EngineMaker, Lab

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
    datagrams = (forged, sealed, sealed, b"", b"\x80")
    lab.engine.receive([(host.number, one, lab.now_us) for one in datagrams])
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
    for turn in range(50):
        low.send((KEY if turn == 40 else DELTA) + b"l")
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


def test_a_source_of_our_own_process_needs_no_keys(lab: Lab) -> None:
    """A camera that we fetch: plain packets in, sealed ones out, and nothing is sent to it."""
    viewer = lab.peer()
    lab.engine.add_peer(50, None)
    lab.engine.add_track(1, 50, TrackTerms(Codec.H264, "v", VIDEO))
    lab.watch(viewer)

    def give(seq: int, payload: bytes) -> None:
        packet = build_rtp(VIDEO, seq, seq * 3000, 0x77, payload, marker=True)
        lab.engine.receive([(50, packet, lab.now_us)])

    give(1, KEY)
    lab.run(40)
    give(3, DELTA)
    times = bytes(SenderReport(0x77, 5 << 32, 9000, 2, 20))
    lab.engine.receive([(50, times, lab.now_us), (50, b"\x80short", lab.now_us)])
    viewer.send(bytes(PictureLoss(1, 0xAAAA)))
    lab.run(1500)
    assert [one.payload for one in viewer.got] == [KEY, DELTA]
    assert viewer.heard(SenderReport)
    assert (lab.engine.counters().keyframes_asked, lab.engine.counters().nacks_asked) == (0, 0)
    assert lab.engine.counters().refused == 1
    lab.run(2000)
    assert lab.told(SourceEnded) == [SourceEnded(1, 0)]
    lab.engine.close_peer(50)
