"""Cameras between the desk and a media process that tells things in awkward orders."""

from typing import Any

import pytest

from media.camera_line import CameraLine
from server.domain.refusals import Refused
from server.live import cameras as module
from server.live.cameras import Cameras
from server.live.whip import WhipCamera
from tests.domain.cast import HOST
from tests.domain.openings import an_opening
from tests.live.desk_lab import MEETING, OPENING, DeskLab
from tests.media.whip_offers import OBS

READY = an_opening(3, at="ready").opening
BEARER = "Bearer a token of twenty characters"
WHIP = [WhipCamera("opening:*", "obs", BEARER.removeprefix("Bearer "))]
FETCHED = [CameraLine("opening:*", "hall-1", "rtsp://10.0.0.9/")]
LOST = {"kind": "lost", "room": OPENING, "member": "camera:obs", "way": "publish", "why": "closed"}


class Lab(DeskLab):
    """``while_asked`` runs before the media process answers a question."""

    def __init__(self) -> None:
        super().__init__(opening=READY)
        self.cameras = Cameras(self.desk, WHIP, FETCHED)
        self.while_asked: Any = lambda: None
        ask = self.child.ask

        async def answered(name: str, value: Any = None) -> Any:
            await ask(name, value)
            self.while_asked()
            return {"answer": "v=0"}

        self.child.ask = answered

    @property
    def members(self) -> set[str]:
        view = self.desk._views.get(OPENING)
        return set(view.members) if view is not None else set()

    async def come(self) -> str:
        session, _ = await self.cameras.publish(OPENING, BEARER, OBS)
        return session.session


async def test_the_loss_of_the_older_connection_is_no_end_of_the_newer() -> None:
    lab = Lab()
    first = await lab.come()
    lab.while_asked = lambda: lab.cameras.heard(LOST)
    second = await lab.come()
    assert lab.members == {"camera:obs"}
    assert lab.child.noted("dismiss") == []
    with pytest.raises(Refused):
        lab.cameras.end(OPENING, first, BEARER)
    lab.cameras.heard(LOST)
    assert lab.members == set()
    with pytest.raises(Refused):
        lab.cameras.end(OPENING, second, BEARER)


async def test_who_loses_the_older_and_gets_no_newer_is_gone() -> None:
    lab = Lab()
    await lab.come()

    def lose() -> None:
        lab.cameras.heard(LOST)
        raise Refused("media.full")

    lab.while_asked = lose
    with pytest.raises(Refused, match=r"media\.full"):
        await lab.come()
    assert lab.members == set()


async def test_an_offer_that_is_refused_leaves_what_plays_alone_and_else_nobody() -> None:
    lab = Lab()

    def refuse() -> None:
        raise Refused("media.sdp")

    lab.while_asked = refuse
    with pytest.raises(Refused):
        await lab.come()
    assert lab.members == set()
    lab.while_asked = lambda: None
    await lab.come()
    lab.while_asked = refuse
    with pytest.raises(Refused):
        await lab.come()
    assert lab.members == {"camera:obs"}


async def test_encoders_are_gone_with_the_media_process() -> None:
    lab = Lab()
    session = await lab.come()
    lab.cameras.gone()
    assert lab.members == set()
    with pytest.raises(Refused):
        lab.cameras.end(OPENING, session, BEARER)


async def test_a_camera_is_fetched_for_people_and_dismissed_after_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lab = Lab()
    lab.cameras.tick()
    assert lab.child.noted("fetch") == []
    lab.came(HOST)
    lab.cameras.tick()
    lab.cameras.tick()
    assert [value["name"] for value in lab.child.noted("fetch")] == ["hall-1"]
    assert "camera:hall-1" in lab.members
    lab.desk.dismiss(OPENING, HOST.person)
    lab.cameras.tick()
    assert lab.members == {"camera:hall-1"}
    monkeypatch.setattr(module, "LINGER_S", -1.0)
    lab.cameras.tick()
    assert lab.members == set()
    assert {"room": OPENING, "member": "camera:hall-1"} in lab.child.noted("dismiss")
    assert lab.desk.occupied() == []


async def test_a_token_for_openings_is_none_for_meetings() -> None:
    lab = Lab()
    with pytest.raises(Refused, match=r"whip\.token"):
        await lab.cameras.publish(MEETING, BEARER, OBS)
