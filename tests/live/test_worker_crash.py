"""``kill -9`` of the real media process: at most a second is gone, and the journal says so."""

import asyncio
import os
import random
import signal
import time
from pathlib import Path

import pytest

from media.packets import parse_rtp
from media.recording.records import Kind
from media.recording.segments import check_chain, read_segment, segment_path, track_records
from server.domain.floor_events import RecordingReported, SegmentSealed
from tests.live.media_process import MediaProcess, media_process
from tests.live.publishing import Publisher
from tests.media.recording.traces import publish

pytestmark = pytest.mark.alone  # a second is a promise of a machine that is not starved
LAST_SECOND_MS = 1000
TRACKS = {"cam": "host.camera-0", "mic": "host.microphone-0"}
KILLS = 6 if os.environ.get("KAIBIAO_SOAK") else 3


async def play_and_kill(process: MediaProcess, name: str, after_s: float) -> tuple[Publisher, int]:
    """Returns who published, and when the process was killed."""
    publisher = await process.publisher(name)
    playing = asyncio.create_task(publisher.play(publish(4)))
    await asyncio.sleep(after_s)
    os.kill(process.child.pid, signal.SIGKILL)
    killed_ms = time.time_ns() // 1_000_000
    playing.cancel()
    await asyncio.gather(playing, return_exceptions=True)
    await publisher.close()
    return publisher, killed_ms


def recorded(root: Path, track: str) -> list[list[tuple[int, int]]]:
    """(number, UTC ms) of each packet, by connection: each begins with the trace's first."""
    runs: list[list[tuple[int, int]]] = []
    first = -1
    for record in track_records(root / "opening-x" / track):
        if record.kind is Kind.RTP and (view := parse_rtp(record.body)) is not None:
            first = view.seq if first < 0 else first
            if view.seq == first:
                runs.append([])
            runs[-1].append((view.seq, record.utc_ms))
    return runs


async def test_a_killed_media_process_loses_at_most_the_last_second_and_it_is_journaled(
    tmp_path: Path,
) -> None:
    moments = random.Random(20261122)
    kills: list[tuple[Publisher, int]] = []
    async with media_process(tmp_path) as process:
        for number in range(KILLS):
            boots = number + 1
            kills.append(await play_and_kill(process, f"peer{number}", moments.uniform(0.9, 2.4)))
            await process.until(
                lambda boots=boots: len(process.told("report", what="interrupted")) >= boots
            )
        last = await process.publisher("last")
        await last.play(publish(1))
        await asyncio.sleep(0.3)
        await last.close()
        process.end_room("opening:x")
        await process.until(lambda: process.told("report", what="ended"))
        await process.acts.idle()
    for track, name in TRACKS.items():
        runs = recorded(tmp_path, name)
        assert len(runs) == KILLS + 1
        for (publisher, killed_ms), run in zip(kills, runs, strict=False):
            sent = publisher.sent[track]
            assert [seq for seq, _ in run] == sent[: len(run)], "nothing is missing before the end"
            assert killed_ms - run[-1][1] <= LAST_SECOND_MS
        assert [seq for seq, _ in runs[-1]] == last.sent[track]
        assert check_chain(tmp_path / "opening-x" / name) == "whole"
    journal = process.journal()
    check_seals(tmp_path, [one for one in journal.events if isinstance(one, SegmentSealed)])
    lost = [one for one in journal.events if isinstance(one, RecordingReported)]
    told = [one for one in lost if one.what == "interrupted"]
    assert len(told) == KILLS
    assert all(0 < one.lost_ms <= 2 * LAST_SECOND_MS for one in told)
    assert journal.floor.recordings["opening-x"].state == "ended"


def check_seals(root: Path, sealed: list[SegmentSealed]) -> None:
    """Each segment that is there stands in the journal once, with its own hash."""
    for name in TRACKS.values():
        mine = [one for one in sealed if one.track == name]
        assert [one.segment for one in mine] == list(range(1, len(mine) + 1))
        assert len(mine) == KILLS + 1
        for one in mine:
            found = read_segment(segment_path(root / "opening-x" / name, one.segment))
            assert found is not None
            assert bytes.fromhex(found.sha256) == one.sha256
