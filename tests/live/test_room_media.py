"""A room in the media process: recorded from the first packet, and what its public gets."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from media.fragments.hub import Viewer
from media.grants import Label
from media.packets import parse_rtp
from media.recording.catalogue import read_catalogue
from media.recording.disk import DiskState
from media.recording.records import Kind, body_json
from media.recording.segments import check_chain, track_records
from media.recording.session import RecordingSession
from media.rooms import MediaEvent, SfuOptions
from media.sfu import Sfu
from server.live.program import Stage
from server.live.recordings import Recordings
from server.live.room_media import RoomMedia
from tests.live.publishing import Publisher, until
from tests.media.recording.traces import publish

ROOM = "opening:x"


class Unit:
    """A forwarding unit with one room, as the media process composes them."""

    def __init__(self, root: Path, recordings: Recordings | None = None) -> None:
        self.notices: list[dict[str, Any]] = []
        self.recordings = recordings or Recordings(root)
        self.sfu = Sfu(SfuOptions(), self.tell)
        self.room = RoomMedia(self.sfu, self.recordings, ROOM, self.notices.append)
        self.room.stage(Stage(hosts=frozenset({"host"}), on_stage=()))

    def tell(self, event: MediaEvent) -> None:
        self.room.told(event)

    def told(self, kind: str, **members: Any) -> list[dict[str, Any]]:
        fit = [one for one in self.notices if one["kind"] == kind]
        return [one for one in fit if members.items() <= one.items()]


@asynccontextmanager
async def running(root: Path, recordings: Recordings | None = None) -> AsyncIterator[Unit]:
    unit = Unit(root, recordings)
    await unit.sfu.open()

    async def ticking() -> None:
        while True:
            await asyncio.sleep(0.1)
            unit.room.tick()

    task = asyncio.create_task(ticking())
    try:
        yield unit
    finally:
        task.cancel()
        await unit.room.close()
        await unit.sfu.close()
        await unit.recordings.close()


def recorded(root: Path, track: str) -> list[int]:
    """Sequence numbers in the journal."""
    views = [
        parse_rtp(record.body)
        for record in track_records(root / "opening-x" / track)
        if record.kind is Kind.RTP
    ]
    return [view.seq for view in views if view is not None]


async def test_every_packet_is_recorded_from_the_first_and_every_segment_is_told(
    tmp_path: Path,
) -> None:
    async with running(tmp_path) as unit:
        publisher = await Publisher.into(unit.sfu, ROOM, "host", "aaaa")
        await publisher.play(publish(2))
        sent = sum(map(len, publisher.sent.values()))
        await until(lambda: unit.sfu.counters().received >= sent)
        await publisher.close()
        await unit.room.close()
        await unit.recordings.close()
        for track, label in (("cam", "host.camera-0"), ("mic", "host.microphone-0")):
            assert recorded(tmp_path, label) == publisher.sent[track], "complete, in order"
            assert check_chain(tmp_path / "opening-x" / label) == "whole"
            (sealed,) = unit.told("recording_sealed", track=label)
            assert sealed["packets"] == len(publisher.sent[track])
    assert [one["recording"] for one in unit.told("recording_began")] == ["opening-x"]
    assert [one["what"] for one in unit.told("recording_report")] == ["ended"]
    found = {info.label: info for info in read_catalogue(tmp_path / "opening-x")}
    assert {info.member for info in found.values()} == {"host"}
    assert found["camera"].codec == "h264"


class SlowToOpen(Recordings):
    """What a crash left takes long to read."""

    ready: asyncio.Event

    async def open(self, recording: str) -> RecordingSession:
        await self.ready.wait()
        return await super().open(recording)


async def test_packets_wait_while_what_a_crash_left_is_read(tmp_path: Path) -> None:
    recordings = SlowToOpen(tmp_path)
    recordings.ready = asyncio.Event()
    async with running(tmp_path, recordings) as unit:
        publisher = await Publisher.into(unit.sfu, ROOM, "host", "aaaa")
        trace = publish(2)
        half = len(trace) // 2
        await publisher.play(trace[:half])
        await until(lambda: unit.sfu.counters().received >= half - 8)
        recordings.ready.set()
        last_ns = trace[half].at_ns
        await publisher.play(type(one)(one.at_ns - last_ns, one.track, one.raw, one.is_report)
                             for one in trace[half:])  # fmt: skip
        sent = sum(map(len, publisher.sent.values()))
        await until(lambda: unit.sfu.counters().received >= sent)
        await publisher.close()
        await unit.room.close()
        records = list(track_records(tmp_path / "opening-x" / "host.camera-0"))
        assert recorded(tmp_path, "host.camera-0") == publisher.sent["cam"]
    packets = [one for one in records if one.kind is Kind.RTP]
    first = publisher.at_ms["cam", publisher.sent["cam"][0]]
    assert abs(packets[0].utc_ms - first) <= 50, "dated by when it came, not by when it was kept"


async def test_silence_that_was_ordered_is_marked_and_not_shown(tmp_path: Path) -> None:
    async with running(tmp_path) as unit:
        stream = unit.room.stream
        assert stream is not None
        publisher = await Publisher.into(unit.sfu, ROOM, "host", "aaaa")
        playing = asyncio.create_task(publisher.play(publish(4)))
        await until(lambda: stream.hub.kinds == ("video", "audio"))
        (microphone,) = [n for n, t in unit.room._tracks.items() if t.form.kind == "audio"]
        unit.sfu.mute(ROOM, "host", microphone, True)
        await until(lambda: stream.hub.kinds == ("video",))
        unit.sfu.mute(ROOM, "host", microphone, False)
        await until(lambda: stream.hub.kinds == ("video", "audio"))
        await playing
        await publisher.close()
    marks = [
        body_json(one.body)
        for one in track_records(tmp_path / "opening-x" / "host.microphone-0")
        if one.kind is Kind.MARK
    ]
    assert [(m["mark"], m.get("on")) for m in marks] == [
        ("about", None), ("paused", True), ("paused", False),
    ]  # fmt: skip


async def drain(viewer: Viewer, messages: list[bytes]) -> None:
    while batch := await viewer.messages():
        messages += batch


async def test_the_picture_changes_at_a_keyframe_to_who_is_on_stage(tmp_path: Path) -> None:
    async with running(tmp_path) as unit:
        stream = unit.room.stream
        assert stream is not None
        host = await Publisher.into(unit.sfu, ROOM, "host", "aaaa")
        guest = await Publisher.into(unit.sfu, ROOM, "guest", "bbbb")
        playing = [asyncio.create_task(one.play(publish(4))) for one in (host, guest)]
        await until(lambda: "video" in stream.hub.kinds)
        names = {t.opened.member: t for t in unit.room._tracks.values()
                 if t.opened.label is Label.CAMERA}  # fmt: skip
        assert names["host"].air is not None
        assert names["guest"].air is not None
        assert names["host"].air.is_on_air
        assert not names["guest"].air.is_on_air, "nobody has put him on stage"
        viewer = stream.join()
        messages: list[bytes] = []
        reading = asyncio.create_task(drain(viewer, messages))
        unit.room.stage(Stage(hosts=frozenset({"host"}), on_stage=("guest",)))
        assert names["host"].air.is_on_air, "until there is a keyframe of the other"
        await until(lambda: names["guest"].air is not None and names["guest"].air.is_on_air)
        assert not names["host"].air.is_on_air
        unit.room.stage(Stage(hosts=frozenset(), on_stage=("guest",)))
        await asyncio.gather(*playing)
        for one in (host, guest):
            await one.close()
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        viewer.close()
        layouts = [one for one in messages if one[0] == 0]
        assert len(layouts) <= 2, "nobody who watches begins anew because of another picture"
    assert len(recorded(tmp_path, "guest.camera-0")) == len(guest.sent["cam"])


async def test_an_end_that_the_journal_may_not_have_heard_of_is_told_again(tmp_path: Path) -> None:
    async with running(tmp_path) as unit:
        publisher = await Publisher.into(unit.sfu, ROOM, "host", "aaaa")
        await publisher.play(publish(2)[:100])
        await until(lambda: unit.sfu.counters().received >= 90)
        await publisher.close()
    first = unit.told("recording_sealed")
    async with running(tmp_path) as unit:
        await unit.room.close()
        assert [one["what"] for one in unit.told("recording_report")] == ["ended"]
        again = unit.told("recording_sealed")
    assert sorted(one["sha256"] for one in again) == sorted(one["sha256"] for one in first)
    assert not unit.told("recording_began"), "it does not begin by being ended"


async def test_who_comes_back_goes_on_in_the_same_tracks(tmp_path: Path) -> None:
    trace = publish(2)[:120]
    async with running(tmp_path) as unit:
        sent: list[int] = []
        for name in ("aaaa", "bbbb"):
            publisher = await Publisher.into(unit.sfu, ROOM, "host", name)
            before = unit.sfu.counters().received
            await publisher.play(trace)
            due = sum(map(len, publisher.sent.values()))
            await until(lambda before=before, due=due: unit.sfu.counters().received - before >= due)
            await publisher.close()
            sent += publisher.sent["cam"]
        await unit.room.close()
    assert recorded(tmp_path, "host.camera-0") == sent
    assert {info.track for info in read_catalogue(tmp_path / "opening-x")} == {
        "host.camera-0", "host.microphone-0",
    }  # fmt: skip
    assert check_chain(tmp_path / "opening-x" / "host.camera-0") == "whole"


async def test_what_was_refused_for_want_of_room_begins_when_there_is_room(tmp_path: Path) -> None:
    """Also where the disk was full before the process began."""
    disk = [DiskState(8, 100)]
    recordings = Recordings(tmp_path, measure=lambda folder: disk[0])
    async with running(tmp_path, recordings) as unit:
        publisher = await Publisher.into(unit.sfu, ROOM, "host", "aaaa")
        await until(lambda: unit.told("recording_state", state="refused"))
        disk[0] = DiskState(60, 100)
        await until(lambda: unit.told("recording_state", state="on"))
        before = unit.sfu.counters().received
        await publisher.play(publish(2)[:60])
        sent = sum(map(len, publisher.sent.values()))
        await until(lambda: unit.sfu.counters().received >= before + sent)
        await publisher.close()
        await unit.room.close()
    assert recorded(tmp_path, "host.camera-0") == publisher.sent["cam"]
    (refused,) = unit.told("recording_report", what="refused")
    assert refused["detail"] == "recording.disk_low"
