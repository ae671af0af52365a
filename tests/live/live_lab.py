"""A whole site with live video: real processes, real HTTP, real UDP, and thin people in it.

The opening is played through the pure rules and written into the journal before the site starts.
"""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from server.app import Running, running
from server.config import Config, Listen, Media, Site
from server.domain import commands as cmd
from server.domain.model import Actor
from server.http.client import HallHttp, HallRefused
from server.live.video import Video
from server.storage.journal import Journal
from tests.domain.cast import HOST, PURCHASER_PERSON, SUPERVISOR_PERSON, Bidder, signing
from tests.domain.openings import an_opening
from tests.media.thin_peer import ThinPeer, Venue
from tests.rooms.open_room import OPENING, TENDER, journaled

PATIENCE_S = 30
STRANGER = Bidder(9)  # bids in no tender
PEOPLE = (HOST, SUPERVISOR_PERSON, PURCHASER_PERSON, *(Bidder(n).actor for n in (1, 2, 3, 9)))
ROOM = OPENING


def key_of(actor: Actor):
    return signing(f"login {actor.person}")


@dataclass
class Guest:
    """Somebody at a page: the routes, the told stream, and up to two connections."""

    http: HallHttp
    actor: Actor | None
    room: str = ROOM
    lines: list[dict[str, Any]] = field(default_factory=list)
    _came: asyncio.Event = field(default_factory=asyncio.Event)
    _reading: asyncio.Task[None] | None = None
    peers: list[ThinPeer] = field(default_factory=list)
    is_over: bool = False

    async def door(self) -> dict[str, Any]:
        return await self.http.get(f"/media/{self.room}/door")

    async def post(self, name: str, **body: Any) -> dict[str, Any]:
        """As a page asks: again while the media process is being started."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                try:
                    return await self.http.post(f"/media/{self.room}/{name}", body)
                except HallRefused as refused:
                    if refused.code != "media.away":
                        raise

    # ---- told

    async def come_in(self, tab: str = "") -> dict[str, Any]:
        """Opens the told stream; its first line."""
        self.lines, self.is_over = [], False
        answer = await self.http.session.get(f"/media/{self.room}/told", params={"tab": tab})
        if answer.status != 200:
            raise AssertionError((await answer.json())["code"])
        self._reading = asyncio.create_task(self._read(answer))
        return await self.told("state")

    async def _read(self, answer: Any) -> None:
        try:
            async for line in answer.content:
                self.lines.append(json.loads(line))
                self._came.set()
        except aiohttp.ClientError:
            pass  # the site has gone
        finally:
            answer.close()
            self.is_over = True
            self._came.set()

    async def hang_up(self) -> None:
        """The told stream breaks, as a closed page's does."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)

    async def until(self, holds: Callable[[], Any]) -> Any:
        async with asyncio.timeout(PATIENCE_S):
            while not (found := holds()):
                self._came.clear()
                await self._came.wait()
            return found

    async def told(self, kind: str, *, after: int = 0, **members: Any) -> dict[str, Any]:
        """The first line of this kind, from the ``after``-th line on, that has these members."""

        def fits() -> dict[str, Any] | None:
            for line in self.lines[after:]:
                if line["kind"] == kind and members.items() <= line.items():
                    return line
            return None

        return await self.until(fits)

    # ---- media

    async def publish(self) -> "Publishing":
        """A camera and a microphone, whose packets come until it is closed."""
        peer = ThinPeer(f"pub{len(self.peers)}{self.http_name}")
        labels = {"0": "camera", "1": "microphone"}
        answer = await self.post("publish", offer=peer.offer(), labels=labels)
        self.peers.append(peer)
        await peer.connect(answer["answer"])
        return Publishing(peer, answer["tracks"])

    @property
    def http_name(self) -> str:
        return self.actor.person.replace("-", "") if self.actor else "nobody"

    async def watch(self, *tracks: int, anew: bool = True) -> ThinPeer:
        wanted = {str(track): 720 for track in tracks}
        offered = await self.post("watch", wanted=wanted, anew=anew)
        peer = ThinPeer(f"watch{len(self.peers)}{self.http_name}")
        await self.post("answer", answer=peer.answer(offered["offer"]))
        self.peers.append(peer)
        await peer.connect(offered["offer"])
        return peer

    async def close(self) -> None:
        await self.hang_up()
        for peer in self.peers:
            await peer.close()
        self.peers.clear()


@dataclass
class Publishing:
    peer: ThinPeer
    tracks: dict[str, int]
    _sending: asyncio.Task[None] | None = None

    def begin(self) -> "Publishing":
        self._sending = asyncio.create_task(self._send())
        return self

    async def _send(self) -> None:
        venue = Venue(self.peer, 1)
        number = 0
        while True:
            venue.turn(number)
            number += 1
            await asyncio.sleep(0.02)

    async def end(self) -> None:
        if self._sending is not None:
            self._sending.cancel()
            await asyncio.gather(self._sending, return_exceptions=True)


async def received(peer: ThinPeer, packets: int) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while sum(peer.got.values()) < packets:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.02)


@dataclass
class LiveSite:
    site: Running
    stack: AsyncExitStack
    publishings: list[Publishing] = field(default_factory=list)

    @property
    def base(self) -> str:
        return self.site.config.site.origin

    @property
    def video(self) -> Video:
        assert self.site.video is not None
        return self.site.video

    @property
    def child_pid(self) -> int:
        return self.video.desk.child.pid

    async def is_up(self) -> None:
        """The media process is there."""
        self.video.desk.child.begin()
        async with asyncio.timeout(PATIENCE_S):
            while not self.video.desk.child.is_up:  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.02)

    async def is_spared(self) -> None:
        """Another media process stands by, and has read what it is made of."""
        child = self.video.desk.child
        async with asyncio.timeout(PATIENCE_S):
            while child._spare is None:  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.02)
            await (await child._spare).line.ask("ready", within_s=PATIENCE_S)

    def leave_nobody(self) -> None:
        for room in list(self.video.desk.occupied()):
            for actor in PEOPLE:
                self.video.desk.dismiss(room, actor.person)

    async def guest(self, actor: Actor | None, room: str = ROOM) -> Guest:
        http = await self.stack.enter_async_context(HallHttp(self.base, timeout_s=60))
        if actor is not None:
            await http.login(key_of(actor))
        guest = Guest(http, actor, room)
        self.stack.push_async_callback(guest.close)
        return guest

    def sending(self, publishing: Publishing) -> Publishing:
        self.stack.push_async_callback(publishing.end)
        return publishing.begin()

    async def act(self, guest: Guest, op: str, **args: Any) -> Any:
        return await guest.http.command(guest.room, op, args)

    def kill_child(self, number: int) -> int:
        pid = self.child_pid
        assert pid
        os.kill(pid, number)
        return pid


@asynccontextmanager
async def live_site(
    data: Path, *, at: str = "ready", people: tuple[Actor, ...] = PEOPLE, **media: Any
) -> AsyncIterator[LiveSite]:
    """An opening with three bidders, at this stage; everybody is in the registry."""
    play = an_opening(3, at=at)
    loop = asyncio.get_running_loop()
    journal = Journal.open(data / "journal", loop=loop, on_failure=_unexpected)
    await journaled(journal, TENDER, play)
    await journaled(journal, OPENING, play)
    journal.close()
    config = Config(
        site=Site(data=str(data), log_origin="hall.example/kaibiao/log", test_suites=True),
        listen=Listen(http_port=0, ws_port=0, health_port=0),
        media=Media(**media),
    )
    async with running(config) as site:
        for actor in people:
            await site.hall.register_person(registration(actor))
        async with AsyncExitStack() as stack:
            yield LiveSite(site, stack)


def registration(actor: Actor) -> cmd.RegisterPerson:
    return cmd.RegisterPerson(
        person=actor.person, org=actor.org, org_name=f"单位{actor.org[-4:]}", role=actor.role,
        name=actor.name, login_pk=key_of(actor).public,
    )  # fmt: skip


def _unexpected(error: BaseException) -> None:
    raise AssertionError("the journal failed") from error
