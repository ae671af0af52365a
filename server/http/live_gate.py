"""Where handlers find live video (直播入口), with what bounds its pages. Without: ``media.absent``.

Invariant: a told stream belongs to a session and ends with it; how many there are at once is
bounded, for an address and for all.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from aiohttp import web

from media.sdp import SDP_BYTES_MAX
from server.domain.model import Actor
from server.domain.refusals import Refused
from server.http.front import FRONT
from server.http.playback_door import PLAYBACK
from server.http.rates import Buckets, Slots
from server.http.settings import Rate
from server.live.told import Listener
from server.live.video import Video

BODY_BYTES_MAX: Final = 2 * SDP_BYTES_MAX + (8 << 10)  # JSON writes a line's end as four bytes
TOLD_PER_ADDRESS_MAX: Final = 100  # an office behind one address
TOLD_MAX: Final = 4000
ASK_RATE: Final = Rate(60, 600)
GUESS_RATE: Final = Rate(60, 60)  # of an encoder's token, from one address
ADDRESSES_MAX: Final = 50_000


class LiveGate:
    """Of one site."""

    def __init__(self, video: Video, now_ms: Callable[[], int]) -> None:
        self.video = video
        self.desk = video.desk
        self._told = Slots(TOLD_PER_ADDRESS_MAX, TOLD_MAX, "media.full")
        self._asked = Buckets(ASK_RATE, ADDRESSES_MAX, now_ms, "media.too_often")
        # Of its own: an encoder behind an office's address must not use up the office's cards.
        self._guessed = Buckets(GUESS_RATE, ADDRESSES_MAX, now_ms, "media.too_often")
        self._by_session: dict[bytes, set[tuple[str, Listener]]] = {}

    def take(self, person: str) -> None:
        """One question of somebody. Raises Refused ``media.too_often``."""
        self._asked.take(person)

    def take_guess(self, address: str) -> None:
        """A wrong token. Raises Refused ``media.too_often``."""
        self._guessed.take(address)

    @contextmanager
    def present(
        self, room: str, actor: Actor, tab: str, session: bytes, address: str
    ) -> Iterator[Listener]:
        """Somebody's told stream, for as long as the block lasts. Raises Refused."""
        with self._told.held(address):
            listener = self.desk.come_in(room, actor, tab)
            held = (room, listener)
            self._by_session.setdefault(session, set()).add(held)
            try:
                yield listener
            finally:
                mine = self._by_session[session]
                mine.discard(held)
                if not mine:
                    del self._by_session[session]
                self.desk.go_away(room, listener)

    def session_over(self, session: bytes) -> None:
        """Whoever was present by it is gone at once."""
        for room, listener in list(self._by_session.get(session, ())):
            self.desk.drop(room, listener)


LIVE: Final = web.AppKey("live", LiveGate)


def gate_of(request: web.Request) -> LiveGate:
    """Raises Refused ``media.absent``."""
    found = request.app.get(LIVE)
    if found is None:
        raise Refused("media.absent")
    return found


def show_video(app: web.Application, video: Video, now_ms: Callable[[], int]) -> None:
    """Gives the pages live video and recordings; before it listens."""
    gate = LiveGate(video, now_ms)
    app[LIVE] = gate
    app[PLAYBACK] = video.playback
    app[FRONT].sessions.on_end.append(gate.session_over)

    async def end(_app: web.Application) -> None:
        gate.desk.end_streams()

    app.on_shutdown.append(end)
