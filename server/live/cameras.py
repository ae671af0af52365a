"""Cameras that belong to rooms and to no person (机位): those that come by WHIP, those we fetch.

A fetched camera is there while somebody is in its room, and `LINGER_S` after. Invariant: a camera
is a member of its room by `LiveDesk.admit_camera` before the media process hears of it, and is
dismissed when its connection is over; what a stranger sends costs him a refusal.
"""

import logging
import time
from collections.abc import Sequence
from typing import Any, Final

from crypto.keys import random_bytes
from media.camera_line import CameraLine
from media.errors import MediaRefused
from server.domain.refusals import Refused
from server.live.desk import LiveDesk
from server.live.link import Line
from server.live.whip import (
    Whip,
    WhipCamera,
    WhipSession,
    covers,
    labels_of,
    read_fragment,
    wants_restart,
    write_fragment,
)

LINGER_S: Final = 60.0

log = logging.getLogger("kaibiao.live")


class Cameras:
    """``whip`` and ``fetched`` are the configuration's lines."""

    def __init__(
        self, desk: LiveDesk, whip: Sequence[WhipCamera], fetched: Sequence[CameraLine]
    ) -> None:
        self._desk = desk
        self._whip = Whip(whip)
        self._lines = fetched
        self._coming: dict[tuple[str, str], bool] = {}  # whether its older connection is lost
        self._fetched: dict[tuple[str, str], tuple[CameraLine, float]] = {}

    # ---- those that come (RFC 9725)

    async def publish(self, room: str, authorization: str, offer: str) -> tuple[WhipSession, str]:
        """An encoder's offer: its session, and the answer. Raises Refused."""
        member = self._whip.member(room, authorization)
        try:
            labels, head = labels_of(offer)
        except MediaRefused as refused:
            raise Refused(refused.code) from None
        where = (room, member)
        if where in self._coming:
            raise Refused("media.too_often")
        self._coming[where] = False
        try:
            self._desk.admit_camera(room, member, _title(member))
            asked = {"room": room, "member": member, "offer": offer, "labels": labels, "to": None}
            told = await self._desk.child.ask("publish", asked)
        except Refused:
            if self._coming[where] or not self._whip.is_live(room, member):
                self._over(room, member)
            raise
        finally:
            del self._coming[where]
        session = self._whip.begin(room, member, head, _drawn(), _drawn())
        return session, told["answer"]

    async def patch(
        self, room: str, session: str, authorization: str, if_match: str, fragment: str
    ) -> tuple[WhipSession, str]:
        """Ours for a fragment that restarts ICE; empty for one that only brings candidates, which
        are not needed. Raises Refused.
        """
        found = self._whip.find(room, session, authorization)
        restarts = wants_restart(found, if_match)
        ufrag = read_fragment(fragment)
        if not restarts:
            return found, ""
        if not ufrag:
            raise Refused("whip.fragment", why="ice-ufrag")
        asked = {"room": room, "member": found.member, "ufrag": ufrag}
        told = await self._desk.child.ask("restart", asked)
        found.tag = f'"{_drawn()}"'
        candidates = [(address, port) for address, port in told["candidates"]]
        return found, write_fragment(found.head, told["ufrag"], told["password"], candidates)

    def end(self, room: str, session: str, authorization: str) -> None:
        """The encoder goes. Raises Refused."""
        found = self._whip.find(room, session, authorization)
        self._over(room, found.member)

    def check(self, room: str, authorization: str) -> str:
        """The camera whose token it is. Raises Refused ``whip.token``."""
        return self._whip.member(room, authorization)

    def heard(self, value: dict[str, Any]) -> None:
        """An event of the media process, see `forwarding.shown`."""
        if value["kind"] != "lost" or value["way"] != "publish":
            return
        room, member = value["room"], value["member"]
        if (room, member) in self._coming:
            self._coming[room, member] = True  # it comes anew: no end, if that succeeds
        elif self._whip.is_live(room, member):
            self._over(room, member)

    def _over(self, room: str, member: str) -> None:
        self._whip.forget(room, member)
        self._desk.dismiss(room, member)

    # ---- those that are fetched

    def tick(self) -> None:
        """Each second: who is wanted now, who has not been for a while."""
        now = time.monotonic()
        for room in self._desk.occupied():
            for line in self._lines:
                if covers(line.room, room):
                    self._want(CameraLine(room, line.name, line.url), now)
        for (room, member), (_, wanted) in list(self._fetched.items()):
            if now - wanted > LINGER_S:
                del self._fetched[room, member]
                self._desk.dismiss(room, member)
                # The desk may have forgotten the room, and the media process begun anew since.
                self._desk.child.note("dismiss", {"room": room, "member": member})

    def _want(self, line: CameraLine, now: float) -> None:
        where = (line.room, line.member)
        if where not in self._fetched:
            try:
                self._desk.admit_camera(line.room, line.member, _title(line.member))
            except Refused as refused:
                log.debug("live.camera %s in %s: %s", line.name, line.room, refused.code)
                return
            self._desk.child.note("fetch", _fetch(line))
        self._fetched[where] = line, now

    # ---- the media process

    def began(self, line: Line) -> None:
        """It has begun, anew perhaps; its members are told by the desk before."""
        for camera, _ in self._fetched.values():
            line.note("fetch", _fetch(camera))

    def gone(self) -> None:
        """It has died: encoders see it, and come again by themselves."""
        for session in self._whip.sessions():
            self._over(session.room, session.member)


def _title(member: str) -> str:
    return member.partition(":")[2]


def _drawn() -> str:
    return random_bytes(16).hex()


def _fetch(line: CameraLine) -> dict[str, str]:
    return {"room": line.room, "name": line.name, "url": line.url}
