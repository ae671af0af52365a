"""What any forwarding engine has to do, continued: NACK, reports, taps, ends, bounds, any bytes.

See `tests.media.test_engines`; the same engines pass both files.
"""

import contextlib
from dataclasses import replace

import pylibsrtp
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from media.arrivals import LossFinder
from media.codecs import Codec
from media.engine import (
    ROOM_AUDIO_LEVEL,
    LevelHeard,
    LossHeard,
    PeerBroken,
    SourceEnded,
    StreamTerms,
    TappedPacket,
    TimesHeard,
)
from media.packets import build_rtp
from media.python_engine import PythonEngine
from media.rtcp import (
    Goodbye,
    Nack,
    ReceiverReport,
    ReportBlock,
    SenderReport,
    TransportFeedback,
)
from tests.media.engine_lab import AUDIO, DELTA, IDS, KEY, RTX, VIDEO, Camera, EngineMaker, Lab
from tests.media.test_engines import ENGINES, lab, seqs, simulcast

__all__ = ["lab"]


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
    viewer.send(bytes(Nack(1, 0xAAAA, (101, 105, 106, 99))))
    assert viewer.got_raw[6:] == [sent[1], sent[5]]
    # The larger layer was left at a keyframe: a path that is too narrow is not filled with it.
    viewer.send(bytes(Nack(1, 0xAAAA, (102, 103))))
    assert lab.engine.counters().resent == 2


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


def test_the_tap_gets_every_packet_and_sender_report_of_every_layer(lab: Lab) -> None:
    low, high = simulcast(lab)
    batches: list[list[TappedPacket]] = []
    lab.engine.tap_track(1, lambda batch: batches.append(list(batch)))
    report = SenderReport(1, 7 << 32, 8, 9, 10)
    block = ReportBlock(5, 0, 0, 0, 0, 0, 0)
    packets = [low.packet(KEY), high.packet(KEY), low.packet(DELTA)]
    low.end.send(*packets, bytes(replace(report, reports=(block,))))
    kept = [*zip((0, 1, 0), packets, strict=True), (0, bytes(report))]
    assert batches == [[TappedPacket(1, layer, raw, lab.now_us) for layer, raw in kept]]
    lab.engine.pause_track(1, True)
    low.send(DELTA)
    low.end.send(bytes(report))
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
    engine.receive([(9, b"x" * 40, 0)])
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


@pytest.mark.parametrize("where", ["receive", "tick"])
def test_a_mistake_of_ours_costs_one_connection_and_not_the_hall(
    monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    lab = Lab(PythonEngine)
    wrong, right, viewer = lab.peer(), lab.peer(), lab.peer()
    lab.track(wrong, 1)
    lab.track(right, 2)
    lab.watch(viewer, 2)
    camera = Camera(right, 5)
    camera.send(KEY)
    target = LossFinder.due if where == "tick" else LossFinder.note

    def mistaken(self: LossFinder, *arguments: int) -> object:
        assert self is right_losses, "we are wrong"
        return target(self, *arguments)

    assert isinstance(lab.engine, PythonEngine)
    (right_source,) = lab.engine._peers[right.number].sources.values()
    right_losses = right_source.losses
    monkeypatch.setattr(LossFinder, target.__name__, mistaken)
    Camera(wrong, 6).send(KEY)
    lab.run(100)
    assert lab.told(PeerBroken) == [PeerBroken(wrong.number)]
    camera.send(DELTA)
    assert len(viewer.got) == 2


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
    assert lab.told(PeerBroken) == []
    numbers = [one.sequence_number for one in viewer.got]
    assert len(numbers) == len(set(numbers))
