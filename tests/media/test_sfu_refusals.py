"""Who may do what, and what is refused: by code, before anything is spent, and without growth."""

from dataclasses import replace

import pytest

from media.errors import MediaRefused
from media.grants import Grants, Label
from media.rooms import (
    REQUESTS_BURST,
    PeerLost,
    TrackClosed,
    TrackOpened,
    TrackPaused,
)
from tests.media.descriptions import camera, microphone, offer, viewer_answer
from tests.media.sfu_lab import HOST, ROOM, VIEWER, Hall, running

SUPERVISOR = Grants(publish=frozenset(Label), watch_all=True, call_in=True, hidden=True)
BOTH = {"0": Label.CAMERA, "1": Label.MICROPHONE}
OFFER = offer(camera(), microphone())


async def refused(awaitable: object) -> str:
    with pytest.raises(MediaRefused) as raised:
        await awaitable  # type: ignore[misc]
    return raised.value.code


async def published(hall: Hall, member: str = "host", grants: Grants = HOST) -> list[int]:
    hall.sfu.admit(ROOM, member, grants)
    await hall.sfu.publish(ROOM, member, OFFER, BOTH)
    return [event.track for event in hall.told(TrackOpened) if event.member == member]


# ---- grants


async def test_nothing_is_granted_by_default() -> None:
    async with running() as hall:
        tracks = await published(hall)
        hall.sfu.admit(ROOM, "nobody", Grants())
        sfu = hall.sfu
        assert await refused(sfu.publish(ROOM, "nobody", OFFER, BOTH)) == "media.not_allowed"
        assert await refused(sfu.watch(ROOM, "nobody", {tracks[0]: 1})) == "media.not_allowed"
        with pytest.raises(MediaRefused, match=r"media\.not_allowed"):
            sfu.mute(ROOM, "nobody", tracks[0], muted=True)
        with pytest.raises(MediaRefused, match=r"media\.not_allowed"):
            sfu.hold(ROOM, "nobody", "host", held=True)
        assert len(hall.told(TrackOpened)) == 2


async def test_a_grant_is_for_what_it_names() -> None:
    async with running() as hall:
        hall.sfu.admit(ROOM, "speaker", Grants(publish=frozenset({Label.MICROPHONE})))
        publish = hall.sfu.publish
        assert await refused(publish(ROOM, "speaker", OFFER, BOTH)) == "media.not_allowed"
        wrong = {"0": Label.MICROPHONE}
        assert await refused(publish(ROOM, "speaker", OFFER, wrong)) == "media.sdp"
        await publish(ROOM, "speaker", OFFER, {"1": Label.MICROPHONE})
        assert [event.label for event in hall.told(TrackOpened)] == [Label.MICROPHONE]


async def test_a_call_in_is_seen_by_whom_it_is_for_and_by_supervisors() -> None:
    async with running() as hall:
        hall.sfu.admit(ROOM, "supervisor", SUPERVISOR)
        hall.sfu.admit(ROOM, "other", SUPERVISOR)
        for member in ("seat-1", "seat-2"):
            hall.sfu.admit(ROOM, member, VIEWER)
        hall.sfu.admit(ROOM, "silent", replace(SUPERVISOR, call_in=False))
        for to in (None, frozenset({"seat-1"})):
            calling = hall.sfu.publish(ROOM, "silent", OFFER, BOTH, to)
            assert await refused(calling) == "media.not_allowed"
        await hall.sfu.publish(ROOM, "supervisor", OFFER, BOTH, frozenset({"seat-1"}))
        opened = hall.told(TrackOpened)
        assert all(event.hidden and event.to == {"seat-1"} for event in opened)
        wanted = {opened[0].track: 720}
        assert await hall.sfu.watch(ROOM, "seat-1", wanted)
        assert await hall.sfu.watch(ROOM, "other", wanted)
        assert await refused(hall.sfu.watch(ROOM, "seat-2", wanted)) == "media.not_allowed"
        hall.sfu.admit(ROOM, "host", HOST)
        to_one = hall.sfu.publish(ROOM, "host", OFFER, BOTH, frozenset({"seat-2"}))
        assert await refused(to_one) == "media.not_allowed"

        # The same call, now to the room: everybody who may watch sees it.
        await hall.sfu.publish(ROOM, "supervisor", OFFER, BOTH)
        assert {event.track for event in hall.told(TrackClosed)} == {e.track for e in opened}
        (again, _) = hall.told(TrackOpened)[2:]
        assert await hall.sfu.watch(ROOM, "seat-2", {again.track: 720})


async def test_a_grant_that_is_taken_away_ends_what_stood_on_it() -> None:
    async with running() as hall:
        tracks = await published(hall)
        hall.sfu.admit(ROOM, "viewer", VIEWER)
        await hall.sfu.watch(ROOM, "viewer", dict.fromkeys(tracks, 720))
        hall.sfu.admit(ROOM, "viewer", Grants())
        assert hall.sfu._rooms[ROOM].members["viewer"].watched == {}
        hall.sfu.admit(ROOM, "host", Grants(publish=frozenset({Label.CAMERA})))
        (closed,) = hall.told(TrackClosed)
        assert closed.track == tracks[1]
        hall.sfu.dismiss(ROOM, "host")
        hall.sfu.dismiss(ROOM, "host")
        assert len(hall.told(TrackClosed)) == 2


async def test_who_was_muted_cannot_unmute_himself() -> None:
    async with running() as hall:
        speaker = Grants(publish=frozenset(Label))
        tracks = await published(hall, "speaker", speaker)
        hall.sfu.admit(ROOM, "host", HOST)
        for by, muted in (("host", True), ("speaker", True), ("speaker", False), ("host", False)):
            hall.sfu.mute(ROOM, by, tracks[1], muted)
        assert [event.paused for event in hall.told(TrackPaused)] == [True, True, True, False]
        hall.sfu.hold(ROOM, "host", "speaker", held=True)
        assert [event.paused for event in hall.told(TrackPaused)][4:] == [True, True]


async def test_what_the_server_imposes_holds_for_tracks_to_come_and_can_be_taken_back() -> None:
    async with running() as hall:
        hall.sfu.admit(ROOM, "host", HOST)
        silenced = frozenset({("host", "microphone")})
        hall.sfu.impose(ROOM, frozenset(), silenced)
        camera_track, sound = await published(hall)
        assert [(e.track, e.paused) for e in hall.told(TrackPaused)] == [(sound, True)]
        hall.sfu.mute(ROOM, "host", sound, muted=False)
        assert hall.told(TrackPaused)[-1].paused, "what was imposed is not undone in the room"
        hall.sfu.impose(ROOM, frozenset({"host"}), silenced)
        hall.sfu.impose(ROOM, frozenset({"host"}), frozenset())
        assert hall.told(TrackPaused)[-1].paused, "on hold still"
        hall.sfu.impose(ROOM, frozenset(), frozenset())
        now = {event.track: event.paused for event in hall.told(TrackPaused)}
        assert now == {camera_track: False, sound: False}
        hall.sfu.impose("no room", frozenset({"host"}), silenced)


# ---- order and limits


async def test_what_is_not_there_or_not_now_is_refused() -> None:
    async with running() as hall:
        sfu = hall.sfu
        assert await refused(sfu.publish("no room", "x", OFFER, BOTH)) == "media.unknown"
        tracks = await published(hall)
        assert await refused(sfu.publish(ROOM, "x", OFFER, BOTH)) == "media.unknown"
        assert await refused(sfu.watch(ROOM, "host", {999: 1})) == "media.unknown"
        assert await refused(sfu.watch(ROOM, "host", {tracks[0]: 1})) == "media.not_allowed"
        assert await refused(sfu.publish(ROOM, "host", OFFER, {})) == "media.sdp"
        receiving = offer(camera(direction="recvonly"))
        assert await refused(sfu.publish(ROOM, "host", receiving, BOTH)) == "media.sdp"
        with pytest.raises(MediaRefused, match=r"media\.state"):
            sfu.answer(ROOM, "host", viewer_answer(OFFER))
        with pytest.raises(MediaRefused, match=r"media\.unknown"):
            sfu.tap(999, None)


async def test_a_viewer_that_wants_to_be_the_server_is_refused() -> None:
    async with running() as hall:
        tracks = await published(hall)
        hall.sfu.admit(ROOM, "viewer", VIEWER)
        offered = await hall.sfu.watch(ROOM, "viewer", {tracks[0]: 720})
        assert offered is not None
        passive = viewer_answer(offered).replace("setup:active", "setup:passive")
        with pytest.raises(MediaRefused, match=r"media\.sdp"):
            hall.sfu.answer(ROOM, "viewer", passive)
        hall.sfu.answer(ROOM, "viewer", viewer_answer(offered))
        with pytest.raises(MediaRefused, match=r"media\.state"):
            hall.sfu.answer(ROOM, "viewer", viewer_answer(offered))


async def test_what_a_viewer_refuses_is_not_sent() -> None:
    async with running() as hall:
        tracks = await published(hall)
        hall.sfu.admit(ROOM, "viewer", VIEWER)
        offered = await hall.sfu.watch(ROOM, "viewer", dict.fromkeys(tracks, 720))
        answer = viewer_answer(offered or "").replace("m=video 9", "m=video 0")
        hall.sfu.answer(ROOM, "viewer", answer)
        assert set(hall.sfu._rooms[ROOM].members["viewer"].watched) == {tracks[1]}


async def test_rooms_members_and_connections_are_bounded() -> None:
    async with running(rooms_max=1, members_max=2, peers_max=1) as hall:
        hall.sfu.admit(ROOM, "host", HOST)
        hall.sfu.admit(ROOM, "viewer", VIEWER)
        for room, member in ((ROOM, "third"), ("another", "host")):
            with pytest.raises(MediaRefused, match=r"media\.full"):
                hall.sfu.admit(room, member, HOST)
        tracks = await published(hall)
        assert await refused(hall.sfu.watch(ROOM, "viewer", {tracks[0]: 1})) == "media.full"


async def test_a_storm_of_requests_is_refused_and_leaves_nothing() -> None:
    async with running() as hall:
        tracks = await published(hall)
        hall.sfu.admit(ROOM, "viewer", VIEWER)
        codes: list[str] = []
        for turn in range(20 * REQUESTS_BURST):
            try:
                await hall.sfu.watch(ROOM, "viewer", {tracks[turn % 2]: 720})
            except MediaRefused as refusal:
                codes.append(refusal.code)
        assert set(codes) == {"media.too_often"}
        assert len(codes) > 15 * REQUESTS_BURST
        member = hall.sfu._rooms[ROOM].members["viewer"]
        assert len(member.sections) == 2
        assert len(member.peers) == 1


async def test_sections_are_used_again_and_never_change_their_order() -> None:
    async with running() as hall:
        tracks = await published(hall)
        hall.sfu.admit(ROOM, "viewer", VIEWER)
        watch = hall.sfu.watch
        first = await watch(ROOM, "viewer", dict.fromkeys(tracks, 720))
        assert await watch(ROOM, "viewer", dict.fromkeys(tracks, 180)) is None
        second = await watch(ROOM, "viewer", {tracks[1]: 1})
        third = await watch(ROOM, "viewer", dict.fromkeys(tracks, 720))
        kinds = [
            [line.split()[0] for line in (text or "").splitlines() if line.startswith("m=")]
            for text in (first, second, third)
        ]
        assert kinds == [["m=video", "m=audio"]] * 3
        assert "a=inactive" in (second or "")
        ssrcs = {line for line in (first or "").splitlines() if "cname" in line}
        again = {line for line in (third or "").splitlines() if "cname" in line}
        assert len(ssrcs & again) == 1, "a stream that begins anew has a new SSRC"


async def test_a_new_connection_replaces_the_old_one() -> None:
    async with running() as hall:
        before = await published(hall)
        again = offer(camera(), ufrag="another", session="2")
        await hall.sfu.publish(ROOM, "host", again, BOTH)
        (lost,) = hall.told(PeerLost)
        assert (lost.member, lost.why) == ("host", "closed")
        assert {event.track for event in hall.told(TrackClosed)} == set(before)
        both = offer(camera(), microphone(), ufrag="another", session="2")
        await hall.sfu.publish(ROOM, "host", both, BOTH)
        assert len(hall.told(PeerLost)) == 1
        assert len(hall.told(TrackOpened)) == 4
