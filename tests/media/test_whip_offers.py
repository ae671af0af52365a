"""Encoders' own offers, answered by the forwarding unit as those of a camera of the room."""

from typing import Any

import pytest
from aiortc.sdp import SessionDescription

from media.errors import MediaRefused
from media.grants import Grants, Label
from media.rooms import TrackOpened
from media.sdp import SDP_BYTES_MAX
from server.live.whip import labels_of
from tests.media.sfu_lab import ROOM, Hall, running
from tests.media.whip_offers import H265_ONLY, OBS, OFFERS

CAMERA = Grants(publish=frozenset({Label.CAMERA, Label.MICROPHONE}))
MEMBER = "camera:hall-1"


async def publish(hall: Hall, offer: str) -> str:
    hall.sfu.admit(ROOM, MEMBER, CAMERA)
    labels, _ = labels_of(offer)
    return await hall.sfu.publish(
        ROOM, MEMBER, offer, {mid: Label(label) for mid, label in labels.items()}
    )


@pytest.mark.parametrize(
    ("name", "labels", "expected"),
    [
        ("obs", {Label.CAMERA, Label.MICROPHONE}, ["111 opus/48000/2", "96 H264/90000"]),
        ("gstreamer", {Label.CAMERA, Label.MICROPHONE}, ["97 H264/90000", "99 opus/48000/2"]),
        ("hardware, high profile", {Label.CAMERA}, ["102 H264/90000"]),
    ],
)
async def test_an_encoders_offer_is_answered(
    name: str, labels: set[Label], expected: list[str]
) -> None:
    async with running() as hall:
        answer = await publish(hall, OFFERS[name])
        assert {event.label for event in hall.told(TrackOpened)} == labels
        theirs = SessionDescription.parse(answer)
        assert [media.direction for media in theirs.media] == ["recvonly"] * len(expected)
        for media in theirs.media:
            assert media.dtls is not None
            assert media.dtls.role == "server"
        for line in expected:
            assert f"a=rtpmap:{line}" in answer
        offered = [line for line in OFFERS[name].splitlines() if line.startswith("a=group:BUNDLE")]
        assert offered[0] in answer.splitlines()


async def test_a_profile_that_is_offered_is_answered_as_it_was_offered() -> None:
    async with running() as hall:
        answer = await publish(hall, OFFERS["hardware, high profile"])
        assert "packetization-mode=1;profile-level-id=640028" in answer


async def test_sound_that_is_not_ours_costs_an_encoder_its_sound_alone() -> None:
    async with running() as hall:
        offer = OFFERS["hardware, bare"]
        answer = await publish(hall, offer)
        assert "a=rtpmap:96 H264/90000" in answer
        assert "m=audio 0 " in answer


@pytest.mark.parametrize(
    ("offer", "code"),
    [
        (H265_ONLY, "media.no_codec"),
        (OBS.replace("sendonly", "recvonly"), "media.sdp"),
        (OBS.replace("a=fingerprint:sha-256", "a=fingerprint:md5"), "media.sdp"),
        (OBS + "a=x:y\n" * (SDP_BYTES_MAX // 6), "media.sdp_size"),
    ],
)
async def test_what_cannot_be_published_is_refused_by_a_code(offer: str, code: str) -> None:
    async with running() as hall:
        with pytest.raises(MediaRefused) as refused:
            await publish(hall, offer)
        assert refused.value.code == code
        opened: list[Any] = hall.told(TrackOpened)
        assert opened == []
