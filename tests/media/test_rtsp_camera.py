"""A hall's camera is fetched by RTSP and watched through the unit, picture by picture."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from media.camera_line import CameraLine
from media.codecs import Codec
from media.engine import ROOM_PT
from media.grants import Label
from media.packets import parse_rtp
from media.rooms import PeerLost, TrackClosed, TrackFlowing, TrackOpened
from media.rtsp_camera import CameraChanged, RtspCamera
from tests.media.rtsp_server import Habits, RtspServer, encoded, parameter_sets, pictures_of
from tests.media.sfu_lab import ROOM, VIEWER, Hall, Viewer, on_loopback, running
from tests.media.thin_peer import ThinPeer

pytestmark = pytest.mark.usefixtures(on_loopback.__name__)
__all__ = ["on_loopback"]


class Recorder(ThinPeer):
    """A viewer that keeps what it got: by payload type, (timestamp, marker, payload)."""

    def __init__(self) -> None:
        super().__init__("rec0rder")
        self.kept: dict[int, list[tuple[int, bool, bytes]]] = {}
        self.came = asyncio.Event()

    def _count(self, data: bytes) -> None:
        view = parse_rtp(self._dtls._rx_srtp.unprotect(data))
        assert view is not None
        self.kept.setdefault(view.pt, []).append((view.timestamp, view.marker, view.payload))
        self.came.set()

    async def watch(self, hall: Hall, tracks: list[int]) -> None:
        hall.sfu.admit(ROOM, "viewer", VIEWER)
        offer = await hall.sfu.watch(ROOM, "viewer", dict.fromkeys(tracks, 720))
        assert offer is not None
        hall.sfu.answer(ROOM, "viewer", self.answer(offer))
        await self.connect(offer)

    async def until(self, pt: int, packets: int) -> None:
        async with asyncio.timeout(20):
            while len(self.kept.get(pt, ())) < packets:
                self.came.clear()
                await self.came.wait()


class Fetched:
    """A hall with one camera, and what has been told of it."""

    def __init__(self, hall: Hall, server: RtspServer) -> None:
        self.hall, self.server = hall, server
        self.told: list[CameraChanged] = []
        self.camera = RtspCamera(hall.sfu, CameraLine(ROOM, "hall-1", server.url), self.told.append)

    async def failed(self) -> CameraChanged:
        self.camera.start()
        async with asyncio.timeout(10):
            while not self.told or self.told[-1].playing:  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.01)
        return self.told[-1]


@pytest.fixture
async def fetch(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Any]:
    monkeypatch.setattr("media.rtsp_camera.AGAIN_S", 0.2)
    opened: list[Fetched] = []
    async with running() as hall:
        servers: list[RtspServer] = []

        async def make(**habits: Any) -> Fetched:
            server = await RtspServer(Habits(**habits)).__aenter__()
            servers.append(server)
            opened.append(Fetched(hall, server))
            return opened[-1]

        yield make
        for one in opened:
            await one.camera.close()
        for server in servers:
            await server.__aexit__()


def shown(pictures: list[list[bytes]]) -> list[list[bytes]]:
    """Without parameter sets."""
    return [[u for u in units if u[0] & 0x1F not in (7, 8)] for units in pictures]


async def watched(fetched: Fetched, packets: int) -> list[list[bytes]]:
    """The pictures that a viewer got, but for the last one, which may not be whole."""
    fetched.camera.start()
    opened = await fetched.hall.until(TrackOpened)
    assert (opened.member, opened.label) == ("camera:hall-1", Label.CAMERA)
    recorder = Recorder()
    await recorder.watch(fetched.hall, [opened.track])
    await recorder.until(ROOM_PT[Codec.H264], packets)
    await recorder.close()
    return pictures_of(recorder.kept[ROOM_PT[Codec.H264]])[:-1]


@pytest.mark.parametrize(
    "habits",
    [
        {"login": "md5"},
        {"login": "sha256", "in_band": False},
        {"login": "md5-qop", "payload_size": 60_000, "profile": "high"},
        {"login": "basic", "payload_size": 60_000, "in_band": False, "get_parameter": False},
    ],
    ids=["in band", "from the description", "large packets", "large packets, none in band"],
)
async def test_the_pictures_of_a_camera_are_what_it_encoded(
    fetch: Any, habits: dict[str, Any]
) -> None:
    fetched = await fetch(**habits)
    pictures = await watched(fetched, 400)
    source = shown(list(encoded(in_band=True, profile=habits.get("profile", "main"))))
    got = shown(pictures)
    first = source.index(got[0])
    assert first % 10 == 0, "it begins at a keyframe"
    assert got == [source[(first + at) % len(source)] for at in range(len(got))]
    assert len(got) > 5
    sets = parameter_sets(habits.get("profile", "main"))
    for units in pictures:
        is_key = any(unit[0] & 0x1F == 5 for unit in units)
        assert units[: len(sets)] == sets if is_key else units[0] not in sets
    assert fetched.server.asked[-1] in ("PLAY", "GET_PARAMETER", "OPTIONS")


async def test_a_real_decoder_shows_the_camera(fetch: Any) -> None:
    fetched = await fetch(in_band=False, sound="opus/48000/2", profile="high")
    fetched.camera.start()
    picture = await fetched.hall.until(TrackOpened, lambda event: event.label is Label.CAMERA)
    sound = await fetched.hall.until(TrackOpened, lambda event: event.label is Label.MICROPHONE)
    fetched.hall.sfu.admit(ROOM, "viewer", VIEWER)
    viewer = Viewer(fetched.hall, "viewer")
    await viewer.watch({picture.track: 720, sound.track: 1})
    await viewer.until(video=10, audio=5)
    await viewer.close()


async def test_sound_that_browsers_do_not_know_is_named_and_left_out(fetch: Any) -> None:
    fetched = await fetch(sound="PCMA/8000")
    fetched.camera.start()
    await fetched.hall.until(TrackFlowing)
    assert [event.label for event in fetched.hall.told(TrackOpened)] == [Label.CAMERA]
    assert fetched.told == [
        CameraChanged(ROOM, "camera:hall-1", playing=True, notice="audio pcma/8000")
    ]
    assert fetched.server.asked.count("SETUP") == 1


async def test_pictures_that_come_out_of_order_are_noticed_once(fetch: Any) -> None:
    fetched = await fetch(reordered=True)
    fetched.camera.start()
    async with asyncio.timeout(20):
        while len(fetched.told) < 2:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.02)
    received = fetched.hall.sfu.counters().received
    await fetched.hall.received(received + 50)
    notices = [one.notice for one in fetched.told]
    assert [text.split(":")[0] for text in notices] == ["", "B frames"]


async def test_a_camera_that_hangs_up_is_seen_to_be_gone_and_comes_back_as_it_was(
    fetch: Any,
) -> None:
    fetched = await fetch(hang_up_after=150, in_band=False)
    pictures = await watched(fetched, 380)
    assert [event.flowing for event in fetched.hall.told(TrackFlowing)][:3] == [True, False, True]
    assert len(fetched.hall.told(TrackOpened)) == 1, "who watches goes on watching"
    assert fetched.hall.told(TrackClosed) == []
    assert {event.member for event in fetched.hall.told(PeerLost)} == {"viewer"}
    playing = [(one.playing, one.why) for one in fetched.told]
    assert playing[:3] == [(True, ""), (False, "camera.unreachable"), (True, "")]
    keys = [units for units in pictures if any(unit[0] & 0x1F == 5 for unit in units)]
    assert len(keys) >= 3


async def test_a_camera_that_is_not_wanted_any_more_is_told_and_leaves_the_room(
    fetch: Any,
) -> None:
    fetched = await fetch(login="md5")
    fetched.camera.start()
    await fetched.hall.until(TrackFlowing)
    await fetched.camera.close()
    assert fetched.server.asked[-1] == "TEARDOWN"
    assert fetched.server.heard["TEARDOWN"]["session"] == "12ab"
    assert fetched.hall.sfu._rooms == fetched.hall.sfu._feeds == {}
    assert len(fetched.hall.told(TrackClosed)) == 1


async def test_a_camera_whose_place_is_taken_is_told_so_too(fetch: Any) -> None:
    fetched = await fetch()
    fetched.camera.start()
    await fetched.hall.until(TrackFlowing)
    fetched.hall.sfu.dismiss(ROOM, "camera:hall-1")
    async with asyncio.timeout(10):
        while fetched.told[-1].playing:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)
    assert fetched.told[-1].why == "camera.replaced"
    async with asyncio.timeout(10):
        while "TEARDOWN" not in fetched.server.asked:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)


async def test_the_camera_hears_of_us_as_often_as_it_wants(fetch: Any) -> None:
    fetched = await fetch(keepalive_s=1)
    fetched.camera.start()
    async with asyncio.timeout(10):
        while "GET_PARAMETER" not in fetched.server.asked:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.02)
    assert fetched.told[-1].playing


OK = b"RTSP/1.0 200 OK\r\nCSeq: CSEQ\r\n"


@pytest.mark.parametrize(
    ("answers", "why"),
    [
        ({"DESCRIBE": b"RTSP/1.0 302 Moved\r\nCSeq: CSEQ\r\nLocation: rtsp://evil/\r\n\r\n"},
         "camera.redirected"),
        ({"OPTIONS": b"RTSP/1.0 401 No\r\nCSeq: CSEQ\r\n\r\n"}, "camera.login"),
        ({"DESCRIBE": b"RTSP/1.0 404 Not Found\r\nCSeq: CSEQ\r\n\r\n"}, "camera.refused"),
        ({"DESCRIBE": OK + b"Content-Length: 3\r\n\r\nv=0"}, "camera.no_h264"),
        ({"DESCRIBE": OK + b"Content-Length: 99999999\r\n\r\n"}, "camera.malformed"),
        ({"DESCRIBE": b"HTTP/1.1 200 OK\r\n\r\n"}, "camera.malformed"),
        ({"DESCRIBE": b"x" * 20_000}, "camera.malformed"),
        ({"PLAY": OK + b"\r\n" + b"$\x09\x00\x00" * 20_001}, "camera.flood"),
        ({"SETUP": OK + b"Session: a\r\nTransport: RTP/AVP;unicast\r\n\r\n"}, "camera.refused"),
        ({"SETUP": OK + b"Transport: RTP/AVP/TCP;interleaved=0-1\r\n\r\n"}, "camera.malformed"),
    ],
    ids=lambda value: value if isinstance(value, str) else next(iter(value)),
)  # fmt: skip
async def test_a_camera_that_says_something_else_is_refused_by_a_code(
    fetch: Any, answers: dict[str, bytes], why: str
) -> None:
    fetched = await fetch(answers=answers)
    failed = await fetched.failed()
    assert (failed.playing, failed.why, failed.again_s) == (False, why, 0.2)
    assert fetched.hall.told(TrackFlowing) == []


async def test_a_wrong_password_is_given_once_and_not_printed(
    fetch: Any, caplog: pytest.LogCaptureFixture
) -> None:
    fetched = await fetch(login="md5")
    line = CameraLine(ROOM, "hall-1", fetched.server.url.replace("word", "wrong"))
    fetched.camera = RtspCamera(fetched.hall.sfu, line, fetched.told.append)
    assert (await fetched.failed()).why == "camera.login"
    assert fetched.server.asked[:2] == ["OPTIONS", "OPTIONS"]
    assert "wrong" not in caplog.text + repr(line) + repr(fetched.camera._url)


@pytest.mark.parametrize(
    ("constant", "answers", "hang"),
    [("ANSWER_S_MAX", {"DESCRIBE": b""}, 0), ("SILENT_S_MAX", {"PLAY": OK + b"\r\n"}, 0)],
)
async def test_a_camera_that_falls_silent_is_given_up(
    fetch: Any, monkeypatch: pytest.MonkeyPatch, constant: str, answers: dict[str, bytes], hang: int
) -> None:
    monkeypatch.setattr(f"media.rtsp.{constant}", 0.2)
    fetched = await fetch(answers=answers)
    assert (await fetched.failed()).why == "camera.silent"
