"""aiortc's own peer connection publishes and watches through the forwarding unit."""

import pytest

from media.codecs import Codec
from media.engine import Engine
from media.grants import Label
from media.python_engine import PythonEngine
from media.rooms import (
    PeerConnected,
    PeerLost,
    SpeakerChanged,
    TrackClosed,
    TrackFlowing,
    TrackOpened,
    TrackPaused,
)
from tests.media.dumb_engine import DumbEngine
from tests.media.sfu_lab import HOST, ROOM, VIEWER, Viewer, on_loopback, publish, running

pytestmark = pytest.mark.usefixtures(on_loopback.__name__)
__all__ = ["on_loopback"]


@pytest.mark.parametrize("engine", [PythonEngine, DumbEngine])
async def test_sound_and_pictures_arrive_and_are_decoded(engine: type[Engine]) -> None:
    """On either engine: nothing above the seam knows which."""
    async with running(make_engine=engine) as hall:
        hall.sfu.admit(ROOM, "host", HOST)
        hall.sfu.admit(ROOM, "viewer", VIEWER)
        host = await publish(hall)
        opened = {event.label: event.track for event in hall.told(TrackOpened)}
        assert opened.keys() == {Label.MICROPHONE, Label.CAMERA}
        viewer = Viewer(hall, "viewer")
        await viewer.watch(dict.fromkeys(opened.values(), 720))
        await viewer.until(video=15, audio=25)
        assert viewer.loudest > 5000
        assert {event.profile for event in hall.told(PeerConnected)} == {"SRTP_AEAD_AES_128_GCM"}
        spoke = await hall.until(SpeakerChanged)
        assert (spoke.member, spoke.track) == ("host", opened[Label.MICROPHONE])

        await host.close()
        lost = await hall.until(PeerLost)
        assert (lost.member, lost.way) == ("host", "publish")
        assert {event.track for event in hall.told(TrackClosed)} == set(opened.values())
        await viewer.close()


async def test_a_room_of_another_codec_forwards_that() -> None:
    async with running(codecs=(Codec.VP8, Codec.OPUS)) as hall:
        hall.sfu.admit(ROOM, "host", HOST)
        hall.sfu.admit(ROOM, "viewer", VIEWER)
        host = await publish(hall, codec="video/VP8")
        viewer = Viewer(hall, "viewer")
        await viewer.watch({event.track: 720 for event in hall.told(TrackOpened)})
        await viewer.until(video=15)
        await viewer.close()
        await host.close()


async def test_a_muted_track_stops_for_everybody_and_comes_back() -> None:
    async with running() as hall:
        hall.sfu.admit(ROOM, "host", HOST)
        hall.sfu.admit(ROOM, "viewer", VIEWER)
        host = await publish(hall, video=False)
        (opened,) = hall.told(TrackOpened)
        await hall.until(TrackFlowing)
        viewer = Viewer(hall, "viewer")
        await viewer.watch({opened.track: 0})
        await viewer.watch({opened.track: 1})
        await viewer.until(audio=5)
        hall.sfu.mute(ROOM, "host", opened.track, muted=True)
        forwarded = hall.sfu.counters().forwarded
        received = hall.sfu.counters().received
        await hall.received(received + 25)
        assert hall.sfu.counters().forwarded == forwarded
        hall.sfu.mute(ROOM, "host", opened.track, muted=False)
        await viewer.until(audio=viewer.frames["audio"] + 10)
        assert [event.paused for event in hall.told(TrackPaused)] == [True, False]
        await viewer.close()
        await host.close()


async def test_connections_that_came_and_went_leave_nothing() -> None:
    async with running() as hall:
        sfu = hall.sfu
        hall.sfu.admit(ROOM, "host", HOST)
        host = await publish(hall, video=False)
        (opened,) = hall.told(TrackOpened)
        for number in range(8):
            sfu.admit(ROOM, f"viewer-{number}", VIEWER)
            viewer = Viewer(hall, f"viewer-{number}")
            await viewer.watch({opened.track: 1})
            await viewer.until(audio=1)
            await viewer.close()
            await hall.until(PeerLost, lambda event, n=number: event.member == f"viewer-{n}")
            sfu.dismiss(ROOM, f"viewer-{number}")
        engine = sfu.engine
        assert isinstance(engine, PythonEngine)
        assert len(sfu._peers) == len(engine._peers) == len(sfu._table._by_peer) == 1
        assert len(sfu._table._by_address) <= 2
        assert engine._streams == {}
        assert len(sfu._rooms[ROOM].members) == 1
        sfu.dismiss(ROOM, "host")
        assert sfu._rooms == {}
        assert engine._tracks == {}
        await host.close()


async def test_who_falls_silent_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    async with running() as hall:
        hall.sfu.admit(ROOM, "host", HOST)
        host = await publish(hall, video=False)
        await hall.until(TrackFlowing)
        monkeypatch.setattr("media.ice.CONSENT_US", 100_000)
        lost = await hall.until(PeerLost)
        assert (lost.member, lost.why) == ("host", "silent")
        assert len(hall.told(TrackClosed)) == 1
        await host.close()
