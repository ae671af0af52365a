"""Recordings are played by those who may see them, and an event lies where it happened."""

import asyncio
import hashlib
import json
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import av
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from media.recording.timeline import Timeline
from server.domain.evaluation_room import Evaluation
from server.domain.evaluation_room_events import Attendant
from server.domain.model import PUBLIC, Actor, Role
from server.domain.refusals import Refused
from server.http.playback_door import PLAYBACK
from server.http.use_cases import recording_file
from server.live.playback import TOKEN_MS, Playback
from server.live.recording_access import may_read
from server.live.recording_acts import OFF, State
from tests.domain.openings import an_opening
from tests.live.publishing import until
from tests.live.recorded import UTC_MS, record
from tests.media.recording.test_playable import in_step, pictures
from tests.media.recording.traces import FPS, number_in, publish

ROOM = "opening:x"
HOST = Actor("host", Role.HOST)
SYNC_MS = 45  # a picture lasts 40 ms


@dataclass
class House:
    """Recordings with a clock that tests set; ``reports`` is what would be journaled."""

    playback: Playback
    root: Path
    reports: list[tuple[str, str, str, str]] = field(default_factory=list)
    now_ms: int = UTC_MS

    async def made(self, what: str = "all") -> dict[str, Any]:
        """recording.json once the files are there."""
        self.playback.make(ROOM, HOST, what)
        said = await self.playback.describe(ROOM, HOST)
        async with asyncio.timeout(60):
            while said["making"] is not None or not said["files"]:
                assert said["refused"] is None
                await asyncio.sleep(0.1)
                self.now_ms += 1001  # what was seen a moment ago is not good enough
                said = await self.playback.describe(ROOM, HOST)
        return said


@asynccontextmanager
async def house(root: Path, *, opening: Any = None, how: State = OFF) -> AsyncIterator[House]:
    def live(room: str) -> Any:
        return how

    reports: list[tuple[str, str, str, str]] = []
    playback = Playback(
        root / "recordings",
        root / "playable",
        now_ms=lambda: found.now_ms,
        state_of=lambda room: (opening or object()) if room == ROOM else None,
        live=live,
        person=lambda member: {"name": "张三"} if member == "host" else None,
        report=lambda *told: reports.append(told),
    )
    found = House(playback, root, reports)
    try:
        yield found
    finally:
        await playback.close()


async def test_files_are_made_journaled_and_in_step(tmp_path: Path) -> None:
    record(tmp_path / "recordings", publish(4, sound_delay_ns=300_000_000))
    async with house(tmp_path) as found:
        before = await found.playback.describe(ROOM, HOST)
        assert (before["state"], before["files"]) == ("ended", [])
        said = await found.made()
        assert (said["state"], said["is_whole"], said["ended_ms"]) == ("ready", True, UTC_MS)
        (file,) = said["files"]
        assert (file["name"], file["kind"], file["mime"]) == ("host.mp4", "person", "video/mp4")
        assert file["person"] == {"name": "张三"}
        assert {one["label"] for one in said["tracks"]} == {"camera", "microphone"}
        path = tmp_path / "playable" / "opening-x" / "host.mp4"
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        assert file["sha256"] == digest
        told = f"host.mp4 {digest} {path.stat().st_size}"
        assert found.reports == [(ROOM, "opening-x", "made", told)]
        again = await found.made()
        assert again["made_ms"] == said["made_ms"], "the same is not made twice"
        assert len(found.reports) == 1
    found_steps = in_step(path)
    assert len(found_steps) >= 3
    assert max(map(abs, found_steps)) <= SYNC_MS
    with av.open(str(path)) as container:
        first = next(packet for packet in container.demux(video=0) if packet.size)
        assert first.is_keyframe


async def test_an_event_lies_at_the_picture_of_its_moment(tmp_path: Path) -> None:
    record(tmp_path / "recordings", publish(4))
    async with house(tmp_path) as found:
        (file,) = (await found.made())["files"]
    timeline = Timeline.parse(file["timeline"])
    shown = pictures(tmp_path / "playable" / "opening-x" / "host.mp4")
    for number in range(0, 4 * FPS, 7):
        came_ms = UTC_MS + number * 1000 // FPS + 5  # as `publish` sends it
        position = timeline.position_ms(came_ms)
        assert position is not None
        at_ms, image = min(shown, key=lambda one: abs(one[0] - position))
        assert number_in(image) == number
        assert abs(at_ms - position) <= 10


@pytest.mark.parametrize(
    ("stage", "how", "ended", "told"),
    [
        ("read_out", "on", None, "recording"),
        ("read_out", "no_pictures", None, "recording"),
        ("closed", "on", None, "closing"),
        ("closed", "no_pictures", None, "closing"),
        ("closed", "on", UTC_MS, "ended"),
        ("closed", "off", UTC_MS, "ended"),
    ],
)
async def test_a_recording_that_is_being_completed_is_not_said_to_go_on(
    tmp_path: Path, stage: str, how: str, ended: int | None, told: str
) -> None:
    record(tmp_path / "recordings", publish(1), ended_ms=ended)
    opening = an_opening(at=stage).opening
    async with house(tmp_path, opening=opening, how=State(how, None, 50)) as found:
        assert (await found.playback.describe(ROOM, HOST))["state"] == told


async def test_what_is_recorded_so_far_can_be_played_while_it_goes_on(tmp_path: Path) -> None:
    trace = publish(4)
    folder = record(tmp_path / "recordings", trace[: len(trace) // 2], ended_ms=None)
    async with house(tmp_path) as found:
        first = (await found.made())["files"][0]
        shutil.rmtree(folder)
        record(tmp_path / "recordings", trace, ended_ms=None)
        found.now_ms += 5000
        later = await found.playback.describe(ROOM, HOST)
        assert not later["is_whole"], "there is more by now"
        second = (await found.made())["files"][0]
        await until(lambda: len(found.reports) == 2)
    assert second["duration_ms"] > first["duration_ms"]


async def test_each_publisher_has_a_file_and_calls_have_their_own(tmp_path: Path) -> None:
    root = tmp_path / "recordings"
    record(root, publish(2))
    record(root, publish(2), member="guest")
    record(root, publish(2), member="supervisor", call=True)
    async with house(tmp_path) as found:
        files = {one["name"]: one for one in (await found.made("matroska"))["files"]}
    assert {name: one["kind"] for name, one in files.items()} == {
        "host.mkv": "person", "guest.mkv": "person", "supervisor.call.mkv": "call",
    }  # fmt: skip
    assert files["guest.mkv"]["tracks"] == ["guest.camera-0", "guest.microphone-0"]


@pytest.mark.skipif(not shutil.which("ffprobe"), reason="needs Debian's ffmpeg: make .venv/.ffmpeg")
@pytest.mark.parametrize("what", ["all", "matroska"])
async def test_another_program_plays_it_too(tmp_path: Path, what: str) -> None:
    record(tmp_path / "recordings", publish(3))
    async with house(tmp_path) as found:
        (file,) = (await found.made(what))["files"]
    path = tmp_path / "playable" / "opening-x" / file["name"]
    probe = await asyncio.to_thread(
        subprocess.run,
        ["ffprobe", "-v", "error", "-count_frames", "-show_streams", "-of", "json", str(path)],
        capture_output=True, check=True,
    )  # fmt: skip
    assert probe.stderr == b""
    streams = {one["codec_name"]: one for one in json.loads(probe.stdout)["streams"]}
    assert int(streams["h264"]["nb_read_frames"]) == 3 * FPS
    assert int(streams["opus"]["nb_read_frames"]) >= 3 * 50 - 2


# ---- who may


def meeting(*supervisors: str) -> Evaluation:
    named = tuple(Attendant(person=one, name=one) for one in supervisors)
    return Evaluation(supervisors=named)


@pytest.mark.parametrize("role", list(Role))
def test_officers_of_an_opening_see_it_and_nobody_else(role: Role) -> None:
    allowed = role in {Role.HOST, Role.SUPERVISOR, Role.PURCHASER}
    assert may_read(Actor("p", role), object()) is allowed
    assert not may_read(Actor("p", role), meeting("another"))
    assert may_read(Actor("p", role), meeting("p")) is (role is Role.SUPERVISOR)


async def test_who_may_not_see_it_learns_nothing_and_makes_nothing(tmp_path: Path) -> None:
    record(tmp_path / "recordings", publish(2))
    bidder = Actor("b", Role.BIDDER, "org")
    async with house(tmp_path) as found:
        for actor in (bidder, PUBLIC):
            with pytest.raises(Refused, match=r"media\.not_allowed"):
                await found.playback.describe(ROOM, actor)
            with pytest.raises(Refused, match=r"media\.not_allowed"):
                found.playback.make(ROOM, actor, "all")
            with pytest.raises(Refused, match=r"media\.not_allowed"):
                found.playback.path(ROOM, actor, "host.mp4", "")
        with pytest.raises(Refused, match=r"media\.absent"):
            await found.playback.describe("opening:other", HOST)
        with pytest.raises(Refused, match=r"recording\.make"):
            found.playback.make(ROOM, HOST, "everything")
        for file in ("host.mp4", "index.json", "../../recordings/opening-x/ended.json"):
            with pytest.raises(Refused, match=r"recording\.file"):
                found.playback.path(ROOM, HOST, file, "")


Get = Callable[..., Any]


@asynccontextmanager
async def served(found: House, actor: Actor) -> AsyncIterator[TestClient[Any, Any]]:
    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            return await recording_file.handle(request, None, actor)  # type: ignore[arg-type]
        except Refused as refused:
            return web.json_response({"code": refused.code}, status=403)

    app = web.Application()
    app[PLAYBACK] = found.playback
    app.router.add_get("/media/{room}/recording/{file}", handle)
    async with TestClient(TestServer(app)) as client:
        yield client


async def test_a_player_seeks_by_ranges_and_shows_a_token_instead_of_a_person(
    tmp_path: Path,
) -> None:
    record(tmp_path / "recordings", publish(2))
    async with house(tmp_path) as found:
        (file,) = (await found.made())["files"]
        raw = (tmp_path / "playable" / "opening-x" / "host.mp4").read_bytes()
        async with served(found, PUBLIC) as client:
            async with client.get(file["url"]) as whole:
                assert (whole.status, whole.content_type) == (200, "video/mp4")
                assert await whole.read() == raw
                assert whole.headers["X-SHA256"] == file["sha256"]
                tag = whole.headers["ETag"]
            ranged = {"Range": "bytes=100-299"}
            async with client.get(file["url"], headers=ranged) as part:
                assert part.status == 206
                assert part.headers["Content-Range"] == f"bytes 100-299/{len(raw)}"
                assert await part.read() == raw[100:300]
            async with client.get(file["url"], headers={"If-None-Match": tag}) as again:
                assert again.status == 304
            token = parse_qs(urlsplit(file["url"]).query)["token"][0]
            bent = ("0" if token[-1] != "0" else "1").join([token[:-1], ""])
            for query in ("", f"?token={bent}", "?token=x"):
                async with client.get(f"/media/{ROOM}/recording/host.mp4{query}") as refused:
                    assert refused.status == 403
            found.now_ms += TOKEN_MS + 1
            async with client.get(file["url"]) as late:
                assert late.status == 403
