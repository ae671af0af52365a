"""Live video in the site's process (直播装配): the media process's keeper, desk, recordings.

Invariant: nothing here opens before it is needed but one listening socket, which the media process
inherits, so that its port is the same whoever serves it; whatever fails here costs the pictures
and nothing else.
"""

import asyncio
import contextlib
import logging
import socket
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from media.camera_line import CameraLine
from media.recording.disk import RoomLimits
from server.config import Config
from server.domain.floor_commands import EndCall
from server.domain.model import SYSTEM
from server.domain.refusals import Refused
from server.domain.registry import Person, Registry
from server.live.cameras import Cameras
from server.live.cards import card
from server.live.child import Child
from server.live.desk import LiveDesk
from server.live.grants import Place
from server.live.link import Line
from server.live.playback import Playback
from server.live.recording_acts import RecordingActs
from server.live.retention import Retention
from server.live.tokens import make_token, new_secret
from server.live.turn import Relay
from server.live.whip import WhipCamera
from server.rooms.hall import Hall
from server.rooms.room import Request

HTTP_ABOVE: Final = 3  # the pages' port, where none is configured
UDP_ABOVE: Final = 4
BACKLOG: Final = 1024
TICK_S: Final = 1.0
DAY_MS: Final = 86_400_000
KINDS: Final = ("opening:", "evaluation:")
ANY_ADDRESS: Final = ("0.0.0.0", "::")  # noqa: S104 - to be told apart

log = logging.getLogger("kaibiao.live")


class HallRooms:
    """What the desk asks of the hall."""

    def __init__(self, hall: Hall) -> None:
        self._hall = hall
        self._indexed: Any = None
        self._people: dict[str, Person] = {}

    def now_ms(self) -> int:
        return self._hall.now_ms()

    def names(self) -> list[str]:
        return [name for name in self._hall.room_names() if name.startswith(KINDS)]

    def state(self, room: str) -> Any:
        found = self._hall.find_room(room) if room.startswith(KINDS) else None
        return found.state if found is not None else None

    def is_registered(self, room: str, org: str) -> bool:
        tender = self._hall.find_room(room.replace("opening:", "tender:", 1))
        return tender is not None and org in tender.state.by_org

    def people(self) -> dict[str, Person]:
        (registry,) = self._hall.rooms("registry")
        state: Registry = registry.state
        if state.people is not self._indexed:
            self._indexed = state.people
            self._people = {one.actor.person: one for one in state.people.values()}
        return self._people

    def end_call(self, room: str, call: str) -> None:
        asked = Request(EndCall(call=call), SYSTEM, "", self.now_ms(), lambda answer: None)
        with contextlib.suppress(Refused):  # busy: asked again in a second
            self._hall.put(room, asked)


class Video:
    """``sock`` is the fragments' listening socket. `close` when the pages are closed."""

    def __init__(self, config: Config, hall: Hall, sock: socket.socket) -> None:
        self._config = config
        self._hall = hall
        self._sock = sock
        self._secret = b""
        self._loop = asyncio.get_running_loop()
        self.rooms = HallRooms(hall)
        self.port: int = sock.getsockname()[1]
        self.udp_port = 0
        self.desk = LiveDesk(self.rooms, self._make_child)
        media = config.media
        self._relay = Relay(tuple(media.turn_urls), media.turn_secret)
        self.cameras = Cameras(
            self.desk,
            [WhipCamera(one.room, one.name, one.token) for one in media.whip],
            [CameraLine(one.room, one.name, one.url) for one in media.rtsp],
        )
        self.acts = RecordingActs(
            ask=lambda room, command: hall.ask(room, command, SYSTEM, "", hall.now_ms()),
            floor=self._floor,
            order=lambda message: self.desk.child.note("recording_order", message),
            on_state=self._recording_changed,
        )
        data = Path(config.site.data)
        self.playback = Playback(
            data / "recordings",
            data / "playable",
            now_ms=hall.now_ms,
            state_of=self.rooms.state,
            live=self.acts.state,
            person=self.person,
            report=self.acts.report,
        )
        self._retention = Retention(
            data / "recordings",
            self._limits,
            now_ms=hall.now_ms,
            rooms=self.rooms.names,
            floor=self._floor,
            remove=lambda recording: self.desk.child.ask(
                "recording_remove", {"recording": recording}
            ),
            acts=self.acts,
            playback=self.playback,
        )
        self._tasks: list[asyncio.Task[None]] = [self._loop.create_task(self._tick())]
        hall.changed.append(self.desk.changed)

    # ---- life

    def begin(self) -> None:
        """The media process is there from now on, not only from the first visitor on."""
        self.desk.child.begin()
        self._tasks.append(self._loop.create_task(self._retention.run()))

    async def close(self) -> None:
        self._hall.changed.remove(self.desk.changed)
        await self.desk.child.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.acts.close()
        await self.playback.close()
        self._sock.close()

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            self.desk.tick()
            self.cameras.tick()

    # ---- for pages

    @property
    def base(self) -> str:
        """Where pages find the fragments' listener: http://host:port, without a path."""
        parts = urlsplit(self._config.site.origin)
        if self._config.media.behind_origin:
            return self._config.site.origin
        host = parts.hostname or ""
        return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}:{self.port}"

    def fragments(self, room: str, subject: str) -> dict[str, str] | None:
        """Addresses with a fresh token; None where there is nothing to be watched so.

        Of an opening they are its program's; a meeting's members add which track they want.
        """
        child = self.desk.child
        child.begin()
        if not child.is_up or (room.startswith("opening:") and not self.desk.is_shown(room)):
            return None
        token = make_token(self._secret, room, subject, self._hall.now_ms())
        base = f"{self.base}/media/{room}"
        return {
            "live": f"{base.replace('http', 'ws', 1)}/live?token={token}",
            "hls": f"{base}/hls/{token}/index.m3u8",
        }

    def ice_servers(self, member: str) -> list[dict[str, Any]]:
        """Relays for one member's connections, from now on for a while."""
        return self._relay.ice_servers(member, self._hall.now_ms())

    def person(self, member: str) -> dict[str, Any] | None:
        """Who that is, wherever; a page is told of venue and seat by the room itself."""
        found = self.rooms.people().get(member)
        return card(found, Place(str(found.actor.role))) if found is not None else None

    # ---- the media process

    def _make_child(self, desk: LiveDesk) -> Child:
        return Child(
            self._opening,
            began=self._began,
            back=desk.back,
            ended=self._ended,
            answer=_answer,
            hear=self._hear,
            inherited=[self._sock],
        )

    def _opening(self) -> dict[str, Any]:
        config, media = self._config, self._config.media
        self._secret = new_secret()
        is_wild = media.host in ANY_ADDRESS
        addresses = media.public_addresses or ["127.0.0.1" if is_wild else media.host]
        pages = config.listen.http_port
        return {
            "host": media.host,
            "port": media.port or (pages and pages + UDP_ABOVE),
            "is_port_fixed": bool(media.port),
            "public_addresses": addresses,
            "listener": self._sock.fileno(),
            "origin": config.site.origin,
            "proxies": config.listen.trusted_proxies,
            "secret": self._secret,
            "recordings": str(Path(config.site.data) / "recordings"),
            "limits": {"bytes_max": self._limits.bytes_max, "keep_ms": self._limits.keep_ms},
        }

    def _began(self, line: Line, answer: dict[str, Any]) -> None:
        self.udp_port = answer["udp_port"]
        self.desk.began(line)
        self.cameras.began(line)

    def _ended(self) -> None:
        self.cameras.gone()
        self.desk.gone()
        self.acts.away()

    def _hear(self, name: str, value: dict[str, Any]) -> None:
        if name == "media":
            self.desk.heard(value)
            self.cameras.heard(value)
        elif name == "beat":
            self.desk.counts = value
        elif name == "recording":
            self.acts.heard(value)

    @property
    def _limits(self) -> RoomLimits:
        media = self._config.media
        return RoomLimits(
            bytes_max=(media.quota_gib << 30) or (1 << 62),
            keep_ms=media.retention_days * DAY_MS,
        )

    # ---- recordings

    def _floor(self, room: str) -> Any:
        state = self.rooms.state(room)
        return state.floor if state is not None else None

    def _recording_changed(self, room: str) -> None:
        self.desk.recording_changed(room, self.acts.state(room).state)


def _answer(name: str, _value: Any) -> Any:
    raise AssertionError(f"the media process asks nothing: {name}")


def bind_listener(config: Config) -> socket.socket:
    """The fragments' listener: the configured port, or one near the pages', or any.

    Raises OSError where a configured one is taken.
    """
    host = config.media.host
    family = socket.AF_INET6 if ":" in host else socket.AF_INET

    def bound(port: int) -> socket.socket:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)

    if config.media.http_port:
        return bound(config.media.http_port)
    if config.listen.http_port:
        with contextlib.suppress(OSError):
            return bound(config.listen.http_port + HTTP_ABOVE)
    return bound(0)
