"""A client of the protocol for programs (客户端): the demo's people, load tests, witnesses.

Reconnects by itself and resumes every channel from its position; commands without an answer are
asked again under the same ``cmd_id``. Invariant: an event reaches its feed once and in order; a
command is settled once, by the server's answer.
"""

from __future__ import annotations

import asyncio
import random
import ssl
import time
from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType
from typing import Any, Final, Self

from signaling.backoff import retry_delay_s
from signaling.client_wire import ClientWire, Loss, open_wire
from signaling.clock_offset import ClockOffset
from signaling.codec import ChannelKey, pack, unpack_server_frame
from signaling.feed import Feed, Heard, HeardEvent
from signaling.outbox import CommandRefused as CommandRefused
from signaling.outbox import Outbox
from signaling.session import CloseCode
from signaling.ways import Ways

TicketSource = str | None | Callable[[], Awaitable[str | None]]
OPEN_TIMEOUT_S: Final = 10.0
# The server answers or pings within ping_s; a line silent for longer than this more is dead.
SILENCE_EXTRA_S: Final = 10.0
_AUTH_TRIES_MAX: Final = 3
_FATAL: Final = {CloseCode.BAD_FRAME}
# Another login of the same person may have ended our session: a fresh ticket tells.
_WITH_A_FRESH_TICKET: Final = {CloseCode.AUTH, CloseCode.REVOKED}


class Dismissed(Exception):
    """The server does not want this client back: bad frame, no valid ticket any more."""

    def __init__(self, loss: Loss) -> None:
        super().__init__(f"{loss.code} {loss.reason}")
        self.loss = loss


class Client:
    """``async with Client(url, origin=..., ticket=...) as client: ...``

    ``ticket``: the text, None for an anonymous viewer, or a coroutine function that fetches a fresh
    one for each connection (tickets are single-use, so only that survives a reconnect). ``edges``:
    addresses that serve viewers; who has no ticket goes there first.
    """

    def __init__(
        self,
        url: str,
        *,
        origin: str | None = None,
        ticket: TicketSource = None,
        edges: Sequence[str] = (),
        tls: ssl.SSLContext | None = None,
        clock_samples: int = 8,
        on_presence: Callable[[str, dict[str, Any]], None] | None = None,
    ) -> None:
        first = random.randrange(1 << 16)  # noqa: S311 - spreads, guards nothing
        self._ways = Ways(url, edges, first) if ticket is None else Ways(url, (), 0)
        self._origin = origin
        self._ticket = ticket
        self._tls = tls
        self._clock_samples = clock_samples
        self._on_presence = on_presence
        self._feeds: dict[ChannelKey, Feed] = {}
        self._outbox = Outbox(self._send)
        self._said_hello_for: set[ChannelKey] = set()
        self._wire: ClientWire | None = None
        self._task: asyncio.Task[None] | None = None
        self._welcomed: asyncio.Future[None] | None = None
        self._is_live = False
        self._asked_after_s = 0.0
        self._heard_s = 0.0
        self._watch_timer: asyncio.TimerHandle | None = None
        self._asking_all: asyncio.TimerHandle | None = None
        self.clock = ClockOffset()
        self.me: dict[str, Any] = {}
        self.limits: dict[str, int] = {}
        self.ping_s = 20
        self.connects = 0
        self.last_loss: Loss | None = None

    # -- life -------------------------------------------------------------------------------

    async def start(self) -> Self:
        """Connect; returns when welcomed. Raises ``Dismissed``; otherwise keeps trying."""
        loop = asyncio.get_running_loop()
        self._welcomed = loop.create_future()
        self._task = loop.create_task(self._run())
        await asyncio.wait([self._task, self._welcomed], return_when=asyncio.FIRST_COMPLETED)
        if self._task.done():
            await self._task
        return self

    async def close(self) -> None:
        """Go. Feeds end; commands without an answer are cancelled, their outcome unknown."""
        task, self._task = self._task, None
        if self._wire is not None:
            self._wire.close()
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        self._finish()

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    def cut(self) -> None:
        """Cut the line as a network does (for tests of reconnecting)."""
        if self._wire is not None:
            self._wire.abort()

    # -- channels and commands --------------------------------------------------------------

    def subscribe(
        self,
        room: str,
        audience: str,
        on_event: Callable[[HeardEvent], None] | None = None,
        *,
        epoch: int = 0,
        seq: int = 0,
    ) -> Feed:
        """Hear a channel from (epoch, seq) on; (0, 0) is from its first event."""
        key = ChannelKey(room, audience)
        feed = self._feeds[key] = Feed(key, on_event, epoch, seq)
        self._ask_for(feed)
        return feed

    def unsubscribe(self, feed: Feed) -> None:
        if self._feeds.pop(feed.key, None) is not None:
            self._send(["unsub", [list(feed.key)]])
        feed.close()

    async def command(
        self, room: str, op: str, args: dict[str, Any] | None = None, *, cmd_id: str | None = None
    ) -> Any:
        """The result, however many connections it takes. Raises ``CommandRefused``."""
        return await self._outbox.ask(room, op, args or {}, cmd_id)

    def server_ms(self) -> float | None:
        """The server's UTC ms now."""
        return self.clock.server_ms(_monotonic_ms())

    # -- connecting -------------------------------------------------------------------------

    async def _run(self) -> None:
        failures = 0
        auth_failures = 0
        try:
            while True:
                loss = self.last_loss = await self._live_once(self._ways.next(failures))
                failures = 1 if self._is_live else failures + 1
                auth_failures = 0 if self._is_live else auth_failures
                self._is_live = False
                if loss.code in _WITH_A_FRESH_TICKET:
                    auth_failures += 1
                if (
                    loss.code in _FATAL
                    or (auth_failures and not callable(self._ticket))
                    or auth_failures >= _AUTH_TRIES_MAX
                ):
                    raise Dismissed(loss)
                chance = random.random()  # noqa: S311 - spreads, guards nothing
                asked_s = max(self._asked_after_s, loss.retry_after_s)
                self._asked_after_s = 0.0
                await asyncio.sleep(max(asked_s, retry_delay_s(failures, chance)))
        except Exception as error:
            self._finish(error)
            raise

    async def _live_once(self, url: str) -> Loss:
        """Connect, say hello, stay until the line is lost."""
        try:
            ticket = await self._ticket() if callable(self._ticket) else self._ticket
            wire = await open_wire(url, self._origin, tls=self._tls, timeout_s=OPEN_TIMEOUT_S)
        except (OSError, TimeoutError) as error:
            return Loss(0, type(error).__name__)
        self._wire = wire
        wire.on_message = self._handle
        positions = [_on_wire(feed) for feed in self._feeds.values()]
        self._said_hello_for = set(self._feeds)
        wire.send(pack(["hello", 1, ticket, positions]))
        self._heard_s = time.monotonic()
        self._arm_watch()
        try:
            return await wire.lost
        finally:
            if self._watch_timer is not None:
                self._watch_timer.cancel()
            wire.abort()
            self._wire = None

    def _arm_watch(self) -> None:
        loop = asyncio.get_running_loop()
        self._watch_timer = loop.call_later(self.ping_s, self._watch)

    def _watch(self) -> None:
        """Keep the line warm and notice when it is dead; re-armed while there is a line."""
        wire = self._wire
        if wire is None:
            return
        if time.monotonic() - self._heard_s > self.ping_s + SILENCE_EXTRA_S:
            wire.abort()
            return
        self._ping()
        self._arm_watch()

    def _ping(self) -> None:
        self._send(["ping", _monotonic_ms()])

    def _finish(self, error: Exception | None = None) -> None:
        for feed in self._feeds.values():
            feed.close()
        self._outbox.fail_all(error)

    # -- frames -----------------------------------------------------------------------------

    def _send(self, frame: list[Any]) -> None:
        if self._wire is not None and self._is_live:
            self._wire.send(pack(frame))

    def _handle(self, payload: bytes) -> None:
        self._heard_s = time.monotonic()
        match unpack_server_frame(payload):
            case ["ev", *parts]:
                self._hear(parts)
            case ["batch", events]:
                for _, *parts in events:
                    self._hear(parts)
            case ["ok", _, cmd_id, result]:
                self._outbox.settle(cmd_id, result)
            case ["err", _, "", code, _, detail]:
                self._hear_of_channel(code, detail)
            case ["err", _, cmd_id, code, is_retryable, detail]:
                self._outbox.refuse(cmd_id, code, is_retryable, detail)
            case ["welcome", _, _, ping_s, limits, me]:
                self._welcome(ping_s, limits, me)
            case ["pong", t0, server_ms]:
                self.clock.add(t0, server_ms, _monotonic_ms())
            case ["presence", room, counts]:
                if self._on_presence is not None:
                    self._on_presence(room, counts)
            case ["bye", _, _, reconnect_after_ms]:
                self._asked_after_s = reconnect_after_ms / 1000
            case _:
                # A newer server may say more; what is not understood is skipped.
                pass

    def _welcome(self, ping_s: int, limits: dict[str, int], me: dict[str, Any]) -> None:
        self.ping_s, self.limits, self.me = ping_s, limits, me
        self._is_live = True
        self.connects += 1
        for _ in range(self._clock_samples):
            self._ping()
        self._outbox.transmit_all()
        for key, feed in self._feeds.items():
            feed.is_resuming = False
            if key not in self._said_hello_for:
                self._ask_for(feed)
        if self._welcomed is not None and not self._welcomed.done():
            self._welcomed.set_result(None)

    def _hear(self, parts: list[Any]) -> None:
        room, audience, *rest = parts
        feed = self._feeds.get(ChannelKey(room, audience))
        if feed is None or feed.take(HeardEvent(*rest)) is not Heard.GAP or feed.is_resuming:
            return
        feed.is_resuming = True
        self._ask_for(feed)

    def _ask_for(self, feed: Feed) -> None:
        self._send(["sub", [_on_wire(feed)]])

    def _ask_for_all(self) -> None:
        self._asking_all = None
        self._send(["sub", [_on_wire(feed) for feed in self._feeds.values()]])

    def _hear_of_channel(self, code: str, detail: dict[str, Any]) -> None:
        if code == "frame.rate":
            # It may have been a ``sub``; asking again from where we stand does no harm.
            if self._asking_all is None:
                after_s = detail["retry_after_ms"] / 1000
                loop = asyncio.get_running_loop()
                self._asking_all = loop.call_later(after_s, self._ask_for_all)
            return
        feed = self._feeds.get(ChannelKey(detail.get("room", ""), detail.get("audience", "")))
        if feed is None:
            return
        if code == "channel.epoch_changed":
            feed.restart(detail["epoch"], detail["seq"])
        else:
            feed.refuse(code)


def _on_wire(feed: Feed) -> list[Any]:
    return [*feed.key, feed.epoch, feed.seq]


def _monotonic_ms() -> float:
    return time.monotonic() * 1000
