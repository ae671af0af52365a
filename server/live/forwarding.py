"""The forwarding unit under the server's orders (转发的执行), in the media process.

The site's process says who is in a room with which grants and what is imposed on it; what pages ask
comes through it too. Invariant: orders are whole states, so that any of them may come again; a
room's `RoomMedia` is there before its first member and hears every event while it is told.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from media.errors import MediaRefused
from media.grants import Grants, Label
from media.rooms import (
    LayerChanged,
    MediaEvent,
    PeerConnected,
    PeerLost,
    SfuOptions,
    SpeakerChanged,
    TrackClosed,
    TrackFlowing,
    TrackOpened,
    TrackPaused,
)
from media.sfu import Sfu
from server.live.fetching import Fetching
from server.live.program import Stage
from server.live.recordings import Recordings
from server.live.room_media import RoomMedia
from server.live.track_streams import parse_of

LABELS_MAX: Final = 32
WATCHED_MAX: Final = 256
Notify = Callable[[str, dict[str, Any]], None]

log = logging.getLogger("kaibiao.live")


@dataclass(slots=True)
class Hosted:
    """One room, with what is imposed on it."""

    media: RoomMedia
    held: frozenset[str] = frozenset()
    silenced: frozenset[tuple[str, str]] = frozenset()
    members: set[str] = field(default_factory=set[str])


class Forwarding:
    """``notify(name, value)`` goes to the site's process: ``media`` what happens, ``recording``
    what recordings tell. Used on the loop; `open` and `close` once each.
    """

    def __init__(self, options: SfuOptions, recordings: Recordings, notify: Notify) -> None:
        self.sfu = Sfu(options, self._told)
        self.fetching = Fetching(self.sfu)
        self.recordings = recordings
        self._notify = notify
        self._rooms: dict[str, Hosted] = {}
        self._tracks: dict[int, tuple[str, str, str]] = {}  # number -> room, member, mid

    async def open(self) -> None:
        await self.sfu.open()

    async def close(self) -> None:
        """At the end of this process: recordings go on when there is another."""
        await self.fetching.close()
        rooms, self._rooms = self._rooms, {}
        for hosted in rooms.values():
            await hosted.media.close(ended=False)
        await self.sfu.close()
        await self.recordings.close()

    def room_media(self, room: str) -> RoomMedia | None:
        hosted = self._rooms.get(room)
        return hosted.media if hosted is not None else None

    def may_watch(self, room: str, subject: str, of: str) -> bool:
        """Whether somebody whose token is good may have these fragments.

        An opening's program is for whoever has a token. Of a meeting its members have the tracks
        that their grants give them, and its program ("") where these give them the room's.
        """
        if room.startswith("opening:"):
            return True
        asked = parse_of(of)
        if of and asked is None:
            return False
        return self.sfu.may_watch(room, subject, asked.track if asked is not None else None)

    def tick(self) -> None:
        """Four times a second."""
        for hosted in list(self._rooms.values()):
            hosted.media.tick()

    def counts(self) -> dict[str, int]:
        counters = self.sfu.counters()
        return {
            "received": counters.received,
            "forwarded": counters.forwarded,
            "forwarded_bytes": counters.forwarded_bytes,
            "refused": counters.refused,
            "tracks": len(self._tracks),
            "fragmented": sum(one.media.fragmented for one in self._rooms.values()),
        }

    def watching(self) -> dict[str, int]:
        """By opening: pages that have its picture now, by either way. HLS asks and is forgotten, so
        it is not counted.
        """
        streams = [
            (room, hosted.media.stream)
            for room, hosted in self._rooms.items()
            if room.startswith("opening:")
        ]
        return {
            room: self.sfu.watching(room) + (stream.hub.viewers if stream is not None else 0)
            for room, stream in streams
        }

    # ---- orders of the site's process

    def floor(self, value: Mapping[str, Any]) -> None:
        """Who hosts and is on stage, who is held, which labels of whom are silent."""
        hosted = self._hosted(value["room"])
        hosted.held = frozenset(value["held"])
        hosted.silenced = frozenset((member, label) for member, label in value["muted"])
        self.sfu.impose(value["room"], hosted.held, hosted.silenced)
        hosted.media.stage(Stage(frozenset(value["hosts"]), tuple(value["on_stage"])))

    def admit(self, value: Mapping[str, Any]) -> None:
        room, member = value["room"], value["member"]
        hosted = self._hosted(room)
        self.sfu.admit(room, member, grants_from(value["grants"]))
        if not hosted.members:  # the unit knows a room only while somebody is in it
            self.sfu.impose(room, hosted.held, hosted.silenced)
        hosted.members.add(member)

    def dismiss(self, value: Mapping[str, Any]) -> None:
        room, member = value["room"], value["member"]
        self.fetching.dismiss(room, member)
        self.sfu.dismiss(room, member)
        if room in self._rooms:
            self._rooms[room].members.discard(member)

    async def end_room(self, value: Mapping[str, Any]) -> None:
        """Nobody will be seen here any more: its recording is complete."""
        self.fetching.end_room(value["room"])
        hosted = self._rooms.pop(value["room"], None)
        if hosted is None:
            return
        for member in hosted.members:
            self.sfu.dismiss(value["room"], member)
        await hosted.media.close(ended=True)

    def order(self, value: dict[str, Any]) -> None:
        """Of recordings, see `RoomMedia.order`."""
        media = self.room_media(value["room"])
        if media is not None:
            media.order(value)

    # ---- what pages ask

    async def publish(self, value: Mapping[str, Any]) -> dict[str, Any]:
        """{answer, tracks: {mid: track}}."""
        labels = value["labels"]
        if len(labels) > LABELS_MAX:
            raise MediaRefused("media.sdp", "labels")
        to = value.get("to")
        answer = await self.sfu.publish(
            value["room"],
            value["member"],
            value["offer"],
            {mid: Label(label) for mid, label in labels.items()},
            frozenset(to) if to is not None else None,
        )
        own = {
            mid: number
            for number, (room, member, mid) in self._tracks.items()
            if (room, member) == (value["room"], value["member"])
        }
        return {"answer": answer, "tracks": own}

    async def watch(self, value: Mapping[str, Any]) -> dict[str, Any]:
        """{offer: text or None}. ``anew``: the page has another connection than before;
        ``restart``: the same one, over another path.
        """
        room, member = value["room"], value["member"]
        if value.get("anew"):
            self.sfu.unwatch_all(room, member)
        wanted = {int(track): int(height) for track, height in value["wanted"].items()}
        if not wanted and value.get("anew"):
            return {"offer": None}
        restart = bool(value.get("restart"))
        return {"offer": await self.sfu.watch(room, member, wanted, restart=restart)}

    def restart(self, value: Mapping[str, Any]) -> dict[str, Any]:
        """ICE of a publisher's connection, without an offer (WHIP)."""
        end = self.sfu.restart(value["room"], value["member"], value["ufrag"])
        return {"ufrag": end.ufrag, "password": end.password, "candidates": end.candidates}

    def answer(self, value: Mapping[str, Any]) -> dict[str, Any]:
        self.sfu.answer(value["room"], value["member"], value["answer"])
        return {}

    def own(self, value: Mapping[str, Any]) -> dict[str, Any]:
        """A member's own mute, of his own track alone."""
        room, member, track = value["room"], value["member"], value["track"]
        if self._tracks.get(track, ("", "", ""))[:2] != (room, member):
            raise MediaRefused("media.not_allowed")
        self.sfu.mute(room, member, track, value["muted"])
        return {}

    # ---- what happens

    def _hosted(self, room: str) -> Hosted:
        found = self._rooms.get(room)
        if found is None:
            media = RoomMedia(
                self.sfu,
                self.recordings,
                room,
                lambda message: self._notify("recording", message),
                has_program=room.startswith("opening:"),
            )
            found = self._rooms[room] = Hosted(media)
        return found

    def _told(self, event: MediaEvent) -> None:
        if isinstance(event, TrackOpened):
            self._tracks[event.track] = (event.room, event.member, event.terms.mid)
        elif isinstance(event, TrackClosed):
            self._tracks.pop(event.track, None)
        hosted = self._rooms.get(event.room)
        if hosted is not None:
            hosted.media.told(event)
        self._notify("media", shown(event))


def grants_from(value: Mapping[str, Any]) -> Grants:
    return Grants(**{**value, "publish": frozenset(Label(label) for label in value["publish"])})


def shown(event: MediaEvent) -> dict[str, Any]:
    """An event as the site's process is told of it."""
    head: dict[str, Any] = {"room": event.room, "member": event.member}
    match event:
        case TrackOpened():
            head["to"] = sorted(event.to) if event.to is not None else None
            more = {"label": str(event.label), "hidden": event.hidden}
            more["layers"] = max(1, len(event.terms.rids))
            return {"kind": "track", **head, "track": event.track, **more}
        case TrackClosed():
            return {"kind": "track_gone", **head, "track": event.track}
        case TrackFlowing():
            return {"kind": "flowing", **head, "track": event.track, "flowing": event.flowing}
        case TrackPaused():
            return {"kind": "paused", **head, "track": event.track, "paused": event.paused}
        case LayerChanged():
            return {"kind": "layer", **head, "track": event.track, "layer": event.layer}
        case SpeakerChanged():
            return {"kind": "speaker", **head, "track": event.track}
        case PeerConnected():
            return {"kind": "connected", **head, "way": str(event.way)}
        case PeerLost():
            return {"kind": "lost", **head, "way": str(event.way), "why": event.why}
