"""Recordings go when their term is over: an act in the journal first, then the files."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from media.recording.disk import RoomLimits
from media.recording.errors import RecordingRefused
from media.recording.segments import read_segment, segment_path
from server.domain.floor_events import RecordingReported
from server.domain.refusals import Refused
from server.live.playback import Playback
from server.live.recording_acts import OFF, RecordingActs
from server.live.recordings import Recordings
from server.live.retention import HOLD, Retention
from tests.live.recorded import UTC_MS, record
from tests.live.test_recording_acts import Journal, notice, seal
from tests.media.recording.traces import publish

DAY_MS = 86_400_000
ROOM = "opening:x"


@dataclass
class House:
    retention: Retention
    journal: Journal
    acts: RecordingActs
    recordings: Recordings
    root: Path
    now_ms: int = UTC_MS
    is_away: bool = False
    asked: list[str] = field(default_factory=list)


@asynccontextmanager
async def house(root: Path, days: int = 30) -> AsyncIterator[House]:
    journal = Journal()
    acts = journal.acts()
    recordings = Recordings(root / "recordings")
    playback = Playback(
        root / "recordings", root / "playable", now_ms=lambda: found.now_ms,
        state_of=lambda room: object(), live=lambda room: OFF, person=lambda member: None,
        report=acts.report,
    )  # fmt: skip

    async def remove(recording: str) -> None:
        found.asked.append(recording)
        if found.is_away:
            raise Refused("media.away")
        await recordings.remove(recording)

    retention = Retention(
        root / "recordings", RoomLimits(1 << 62, days * DAY_MS), now_ms=lambda: found.now_ms,
        rooms=lambda: [ROOM], floor=lambda room: journal.floor, remove=remove, acts=acts,
        playback=playback,
    )  # fmt: skip
    found = House(retention, journal, acts, recordings, root)
    try:
        yield found
    finally:
        await acts.close()
        await recordings.close()


async def kept(found: House) -> dict[str, str]:
    """A recording that ended, journaled as it would be; the last hash of each track."""
    folder = record(found.root / "recordings", publish(2))
    found.acts.heard(notice("began"))
    heads: dict[str, str] = {}
    for track in ("host.camera-0", "host.microphone-0"):
        segment = read_segment(segment_path(folder / track, 1))
        assert segment is not None
        heads[track] = segment.sha256
        found.acts.heard(seal(1, track) | {"sha256": segment.sha256})
    await found.acts.idle()
    (found.root / "playable" / "opening-x").mkdir(parents=True)
    return heads


async def test_what_is_due_is_journaled_with_its_heads_and_then_removed(tmp_path: Path) -> None:
    async with house(tmp_path) as found:
        heads = await kept(found)
        found.now_ms = UTC_MS + 30 * DAY_MS - 1
        assert await found.retention.look() == []
        assert found.asked == []
        found.now_ms += 1
        assert await found.retention.look() == ["opening-x"]
        (report,) = [e for e in found.journal.events if isinstance(e, RecordingReported)]
        assert report.what == "removed"
        assert {track: head.hex() for track, head in report.heads.items()} == heads
        assert not (tmp_path / "recordings" / "opening-x").exists()
        assert not (tmp_path / "playable" / "opening-x").exists()
        assert await found.retention.look() == []


@pytest.mark.parametrize("why", ["held", "for ever", "goes on", "not in the journal"])
async def test_what_is_not_to_go_stays(tmp_path: Path, why: str) -> None:
    async with house(tmp_path, days=0 if why == "for ever" else 30) as found:
        await kept(found)
        folder = tmp_path / "recordings" / "opening-x"
        if why == "held":
            (folder / HOLD).write_text("objection of 22 November")
        elif why == "goes on":
            (folder / "ended.json").unlink()
        elif why == "not in the journal":
            found.journal.floor = Journal().floor
        found.now_ms = UTC_MS + 9999 * DAY_MS
        assert await found.retention.look() == []
        assert found.asked == []
        assert folder.exists()


async def test_a_removal_that_was_cut_short_after_its_act_is_done_later(tmp_path: Path) -> None:
    async with house(tmp_path) as found:
        await kept(found)
        found.now_ms = UTC_MS + 31 * DAY_MS
        found.is_away = True
        assert await found.retention.look() == []
        assert (tmp_path / "recordings" / "opening-x").exists()
        found.is_away = False
        assert await found.retention.look() == ["opening-x"]
        acts = [e for e in found.journal.events if isinstance(e, RecordingReported)]
        assert len(acts) == 1, "it was ordered once"


async def test_a_recording_that_goes_on_is_never_removed(tmp_path: Path) -> None:
    record(tmp_path / "recordings", publish(2), ended_ms=None)
    async with house(tmp_path) as found:
        with pytest.raises(RecordingRefused, match=r"recording\.running"):
            await found.recordings.remove("opening-x")
