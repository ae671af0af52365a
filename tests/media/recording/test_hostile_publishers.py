"""Whatever a publisher sent, the recording of it is made or refused by code, and reads again."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from media.packets import build_rtp
from media.recording.errors import RecordingRefused
from media.recording.playable import make_playable
from tests.media.recording.journals import write_journal
from tests.media.recording.traces import H264, OPUS, Sender, Sent, publish

BENDS = ["", "", "drop", "twice", "noise", "payload", "timestamp", "ssrc", "report", "late"]
KEYFRAME = bytes.fromhex("7800 1a") + b"\x67\x42\xc0\x14\xda\x05\x07\xe8\x40" + bytes(17)


def bent(one: Sent, bend: str, data: st.DataObject) -> list[Sent]:
    form = H264 if one.track == "cam" else OPUS
    seq = int.from_bytes(one.raw[2:4], "big")
    ssrc = 0xCA if one.track == "cam" else 0x31C
    if bend == "drop":
        return []
    if bend == "twice":
        return [one, one]
    if bend == "noise":
        return [replace(one, raw=data.draw(st.binary(max_size=50)), is_report=False)]
    if bend == "late":
        return [replace(one, at_ns=one.at_ns + data.draw(st.integers(0, 3 * 10**9)))]
    if bend == "report":
        wall = Fraction(data.draw(st.integers(0, 2_000_000_000)))
        raw = Sender(form, ssrc).report(wall, data.draw(st.integers(0, 1 << 33)))
        return [one, replace(one, raw=raw, is_report=True)]
    timestamp = int.from_bytes(one.raw[4:8], "big")
    if bend == "timestamp":
        timestamp = data.draw(st.integers(0, 0xFFFFFFFF))
    if bend == "ssrc":
        ssrc = data.draw(st.integers(0, 3))
    payload = one.raw[12:]
    if bend == "payload":
        payload = data.draw(st.one_of(st.binary(max_size=40), st.just(KEYFRAME)))
    raw = build_rtp(form.payload_type, seq, timestamp, ssrc, payload, marker=one.raw[1] >= 128)
    return [replace(one, raw=raw, is_report=False)]


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data(), container=st.sampled_from(["matroska", "mp4"]))
def test_any_publisher_leaves_a_file_that_reads_or_a_refusal(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, container: str
) -> None:
    root: Path = tmp_path_factory.mktemp("bent")
    sent: list[Sent] = []
    for place, one in enumerate(publish(2)):
        bend = data.draw(st.sampled_from(BENDS)) if place % 5 == 0 else ""
        sent += bent(one, bend, data) if bend else [one]
    folder = write_journal(root, sorted(sent, key=lambda one: one.at_ns))
    out = root / "out"
    try:
        made = make_playable(folder, out, ["cam", "mic"], container)
    except RecordingRefused as refused:
        assert refused.code == "playable.empty"  # noqa: PT017 - or it was made
        return
    assert made.duration_ms <= 2_000 + 3_000 + 20_000, "nothing is placed far from its arrival"
    with av.open(str(out)) as opened:
        times: dict[int, list[int]] = {}
        for packet in opened.demux():
            if packet.size and packet.pts is not None:
                times.setdefault(packet.stream_index, []).append(packet.pts)
    assert all(found == sorted(found) for found in times.values())
    assert made.timeline.position_ms(made.timeline.pieces[0].utc_ms) == 0
