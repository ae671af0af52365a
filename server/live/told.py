"""What is told in a room, and to whom (房间通报): members, tracks, speaker, order of the floor.

Invariant: a line reaches a listener only if he may know of what it speaks: a discreet member
(grants.py) is in nobody's lines but his own, a track that is meant for some in theirs alone. A
listener that does not read is let go; the lines that wait for him are bounded.
"""

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from server.domain.floor import Floor
from server.domain.model import Actor
from server.live.grants import Place, reached

LINES_MAX: Final = 1024
Line = dict[str, Any]


class Listener:
    """One told stream. ``next`` gives what has come, None when it is over."""

    def __init__(self, member: str) -> None:
        self.member = member
        self._lines: deque[Line] = deque()
        self._came = asyncio.Event()
        self.is_over = False

    def tell(self, line: Line) -> None:
        if self.is_over:
            return
        if len(self._lines) >= LINES_MAX:
            self._lines.clear()
            self.end({"kind": "slow"})
            return
        self._lines.append(line)
        self._came.set()

    def end(self, last: Line | None = None) -> None:
        """After what waits already, and ``last``. Idempotent."""
        if self.is_over:
            return
        if last is not None:
            self._lines.append(last)
        self.is_over = True
        self._came.set()

    async def next(self, within_s: float) -> bytes | None:
        """The lines that wait, as bytes; empty where none came within that time."""
        if not self._lines and not self.is_over:
            try:
                async with asyncio.timeout(within_s):
                    await self._came.wait()
            except TimeoutError:
                return b""
        self._came.clear()
        if not self._lines:
            return None
        found = list(self._lines)
        self._lines.clear()
        return b"".join(map(encoded, found))


def encoded(line: Line) -> bytes:
    return msgspec.json.encode(line) + b"\n"


@dataclass(slots=True)
class Member:
    """Somebody who takes part. ``listener``: his told stream; None for a while after it broke.
    ``tab``: which page of his it is. A camera has neither, nor an actor.
    """

    name: str
    org_name: str
    place: Place
    actor: Actor | None = None
    tab: str = ""
    listener: Listener | None = None


@dataclass(slots=True)
class Track:
    """As the media process told of it."""

    number: int
    member: str
    label: str
    to: frozenset[str] | None
    hidden: bool
    layers: int
    paused: bool = False
    flowing: bool = False


@dataclass(slots=True)
class RoomView:
    """One room, as those in it are told of it."""

    name: str
    floor: Floor = field(default_factory=Floor)
    members: dict[str, Member] = field(default_factory=dict[str, Member])
    tracks: dict[int, Track] = field(default_factory=dict[int, Track])
    speaker: tuple[str, int] | None = None
    recording: str = "off"
    watching: int | None = None  # pages that have the picture now; None: not told yet

    # ---- who may know what

    def _knows(self, listener: str, member: str) -> bool:
        return listener == member or not self.members[member].place.is_discreet

    def _may_hear_of(self, listener: str, track: Track) -> bool:
        place = self.members[listener].place
        if listener == track.member or place.grants.watch_all:
            return True
        return track.to is None or listener in track.to

    def listeners(self) -> list[tuple[str, Listener]]:
        return [(name, one.listener) for name, one in self.members.items() if one.listener]

    def publishing(self) -> list[str]:
        """Whose tracks the whole room may watch."""
        return list(dict.fromkeys(t.member for t in self.tracks.values() if t.to is None))

    # ---- lines

    def member_line(self, name: str) -> Line:
        found = self.members[name]
        return {
            "member": name,
            "name": found.name,
            "org_name": found.org_name,
            "role": found.place.role,
            "venue": found.place.venue,
            "seat": found.place.seat,
            "publishing": any(track.member == name for track in self.tracks.values()),
            "connected": found.listener is not None or found.place.role == "camera",
        }

    def track_line(self, track: Track) -> Line:
        line: Line = {
            "track": track.number,
            "member": track.member,
            "label": track.label,
            "to": sorted(track.to) if track.to is not None else None,
            "paused": track.paused,
            "flowing": track.flowing,
            "layers": track.layers,
        }
        publisher = self.members.get(track.member)
        if track.hidden and publisher is not None:  # whom a call reaches knows who calls
            line |= {
                "name": publisher.name, "org_name": publisher.org_name,
                "role": publisher.place.role,
            }  # fmt: skip
        return line

    def floor_line(self) -> Line:
        return {
            "on_stage": list(self.floor.on_stage),
            "held": sorted(self.floor.held),
            "muted": sorted(map(list, self.floor.muted)),
        }

    def speaker_line(self) -> Line:
        now = self.speaker
        return {"speaker": {"member": now[0], "track": now[1]} if now else None}

    def state(self, listener: str, boot: str) -> Line:
        """Everything that one listener may know."""
        return {
            "boot": boot,
            "may": self.members[listener].place.shown(),
            "members": [
                self.member_line(name) for name in self.members if self._knows(listener, name)
            ],
            "tracks": [
                self.track_line(track)
                for track in self.tracks.values()
                if self._may_hear_of(listener, track)
            ],
            **self.speaker_line(),
            **self.floor_line(),
            "recording": self.recording,
            **self.watching_line(listener),
        }

    def watching_line(self, listener: str) -> Line:
        """For who leads the room alone."""
        place = self.members[listener].place
        return {"watching": self.watching} if place.stage and self.watching is not None else {}

    # ---- telling

    def tell_all(self, line: Line) -> None:
        for _, listener in self.listeners():
            listener.tell(line)

    def tell(self, member: str, line: Line) -> None:
        found = self.members.get(member)
        if found is not None and found.listener is not None:
            found.listener.tell(line)

    def tell_of_member(self, name: str) -> None:
        line = {"kind": "member", **self.member_line(name)}
        for other, listener in self.listeners():
            if self._knows(other, name):
                listener.tell(line)

    def tell_of_track(self, track: Track) -> None:
        line = {"kind": "track", **self.track_line(track)}
        for name, listener in self.listeners():
            if self._may_hear_of(name, track):
                listener.tell(line)

    def tell_calls(self, before: Floor, state: Any) -> None:
        """Of calls that began or ended: to whom they reach, and to those who see all."""
        gone = [(one, True) for name, one in before.calls.items() if name not in self.floor.calls]
        new = [(one, False) for name, one in self.floor.calls.items() if name not in before.calls]
        for call, ended in gone + new:
            to = reached(call, state)
            line = {
                "kind": "call",
                "call": call.call,
                "member": call.person,
                "ended": ended,
                "to": {"kind": call.to.kind, "id": call.to.id},
            }
            for name, listener in self.listeners():
                sees_all = self.members[name].place.grants.watch_all
                if sees_all or to is None or name in to:
                    listener.tell(line)

    # ---- changes

    def remove_member(self, name: str) -> None:
        for other, listener in self.listeners():
            if other != name and self._knows(other, name):
                listener.tell({"kind": "member_gone", "member": name})
        del self.members[name]

    def add_track(self, track: Track) -> None:
        self.tracks[track.number] = track
        self.tell_of_track(track)
        if track.member in self.members:
            self.tell_of_member(track.member)

    def remove_track(self, number: int) -> None:
        track = self.tracks.pop(number, None)
        if track is None:
            return
        for name, listener in self.listeners():
            if self._may_hear_of(name, track):
                listener.tell({"kind": "track_gone", "track": number})
        if track.member in self.members:
            self.tell_of_member(track.member)

    def heard(self, value: Line) -> None:
        """An event of the media process, see `forwarding.shown`."""
        kind, number = value["kind"], value.get("track")
        track = self.tracks.get(number or 0)
        if kind == "track":
            to = frozenset(value["to"]) if value["to"] is not None else None
            member, label, hidden = value["member"], value["label"], value["hidden"]
            self.add_track(Track(value["track"], member, label, to, hidden, value["layers"]))
        elif kind == "track_gone":
            self.remove_track(value["track"])
        elif kind == "layer":
            line = {"kind": "layer", "track": number, "layer": value["layer"]}
            self.tell(value["member"], line)
        elif kind == "speaker":
            member = value["member"]
            self.speaker = (member, number) if member is not None and number is not None else None
            self.tell_all({"kind": "speaker", **self.speaker_line()})
        elif kind == "watching" and value["n"] != self.watching:
            self.watching = value["n"]
            for name, listener in self.listeners():
                if line := self.watching_line(name):
                    listener.tell({"kind": "watching", **line})
        elif kind in ("flowing", "paused") and track is not None:
            setattr(track, kind, value[kind])
            self.tell_of_track(track)

    def forget_tracks(self) -> None:
        """The media process is gone, with all of them."""
        for number in list(self.tracks):
            self.remove_track(number)
        if self.speaker is not None:
            self.speaker = None
            self.tell_all({"kind": "speaker", **self.speaker_line()})
