"""A disk that fills under the real media process: a small file system of its own."""

import asyncio
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from media.recording.disk import measure_disk
from server.domain.floor_events import RecordingReported
from tests.live.media_process import MediaProcess, media_process
from tests.media.recording.traces import publish

DISK_BYTES = 16 << 20


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A tmpfs. Who may not mount skips this; where everything has to be tested, nobody skips."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(folder)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode:
        if os.environ.get("CI"):
            pytest.fail(f"a file system of its own is needed: {done.stderr}")
        pytest.skip("only root may mount a file system")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill_to(folder: Path, percent: int) -> None:
    """Takes space away as other programs on the same disk do, or gives it back."""
    ballast = folder / "ballast"
    ballast.unlink(missing_ok=True)
    found = measure_disk(folder)
    take = found.free_bytes - found.total_bytes * percent // 100
    ballast.write_bytes(bytes(max(0, take)))


async def playing(process: MediaProcess, name: str, room: str) -> asyncio.Task[None]:
    """Somebody publishes in a room for as long as the test lasts."""
    publisher = await process.publisher(name, room)

    async def play() -> None:
        try:
            await publisher.play(publish(30))
        finally:
            await publisher.close()

    return asyncio.create_task(play())


async def test_under_ten_percent_nothing_new_is_recorded_and_under_five_no_pictures(
    small_disk: Path,
) -> None:
    async with media_process(small_disk / "recordings") as process:
        await process.up()
        tasks = [await playing(process, "aaaa", "opening:x")]
        await process.until(lambda: process.told("state", room="opening:x", state="on"))
        fill_to(small_disk, 8)
        await process.until(lambda: [n for n in process.told("state") if n["free_percent"] < 10])
        process.let_in("opening:late", "host2")
        tasks.append(await playing(process, "bbbb", "opening:late"))
        (refused,) = await process.until(lambda: process.told("report", what="refused"))
        assert (refused["room"], refused["detail"]) == ("opening:late", "recording.disk_low")
        assert not (small_disk / "recordings" / "opening-late").exists()
        assert process.acts.state("opening:x").state == "on", "what has begun goes on"
        fill_to(small_disk, 4)
        await process.until(lambda: process.told("state", room="opening:x", state="no_pictures"))
        assert process.acts.state("opening:x").forecast_ms == 0
        sound = small_disk / "recordings" / "opening-x" / "host.microphone-0" / "000001.krj"
        picture = small_disk / "recordings" / "opening-x" / "host.camera-0" / "000001.krj"
        await asyncio.sleep(0.5)
        before = sound.stat().st_size, picture.stat().st_size
        await asyncio.sleep(1.5)
        after = sound.stat().st_size, picture.stat().st_size
        assert after[0] > before[0], "sound goes on"
        assert after[1] - before[1] < 1000, "a mark at most"
        fill_to(small_disk, 60)
        await process.until(lambda: process.told("state", room="opening:late", state="on"))
        await process.until(lambda: process.told("report", what="pictures_resumed"))
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await process.acts.idle()
    told = [e.what for e in process.journal().events if isinstance(e, RecordingReported)]
    assert [what for what in told if what != "dropped"][:2] == [
        "pictures_stopped",
        "pictures_resumed",
    ]
    assert "dropped" in told, "how many pictures that were"
    assert process.journal("opening:late").floor.recordings["opening-late"].state == "on"


async def test_a_room_that_has_used_its_quota_begins_no_other_recording(tmp_path: Path) -> None:
    async with media_process(tmp_path, quota=20_000) as process:
        await process.up()
        publisher = await process.publisher("aaaa")
        await publisher.play(publish(2))
        await publisher.close()
        assert not process.told("report", what="refused"), "what has begun is never refused"
        process.end_room("opening:x")
        await process.until(lambda: process.told("report", what="ended"))
        process.let_in("opening:x", "host")
        publisher = await process.publisher("bbbb")
        (refused,) = await process.until(lambda: process.told("report", what="refused"))
        assert refused["detail"] == "recording.room_full"
        await publisher.close()
