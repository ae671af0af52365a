"""The signaling server (信令服务): one listener, its connections, and the way in for events.

``serve`` composes what the other modules make: listener -> Peer -> Desk and Hub -> FanOut. Rooms
publish through ``SignalingServer.publish`` after their events are durable; HTTP's long poll waits
in ``SignalingServer.wait``. Invariant: everything here runs on the thread of the loop it was
started in.
"""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import Callable, Sequence
from typing import Final

from signaling import frames
from signaling.broker import Broker
from signaling.broker_memory import MemoryBroker
from signaling.codec import ChannelKey, is_one_value
from signaling.desk import Desk
from signaling.fanout import FanOut
from signaling.gateway import Event, Gateway
from signaling.long_poll import LongPoll
from signaling.metrics import Metrics
from signaling.options import Options
from signaling.pass_clock import RECEIVE_BUFFER_BYTES, PassClock
from signaling.peer import Peer
from signaling.presence import Presence
from signaling.session import CloseCode
from signaling.sweep import Sweep

_END_SLICE: Final = 256


class SignalingServer:
    """A running server; made by ``serve``."""

    def __init__(self, desk: Desk, broker: Broker, loop: asyncio.AbstractEventLoop) -> None:
        self._desk = desk
        self._broker = broker
        self._loop = loop
        self._fanout = FanOut(desk, loop)
        self._presence = Presence(desk, loop)
        self._sweep = Sweep(desk, self._presence, loop)
        self._long_poll = LongPoll(desk, loop)
        self._listener: asyncio.Server | None = None
        self._listening_port = 0
        broker.attach(self._deliver)

    @property
    def port(self) -> int:
        return self._listening_port

    @property
    def metrics(self) -> Metrics:
        return self._desk.metrics

    @property
    def pass_clock(self) -> PassClock:
        return self._desk.clock

    def publish(
        self,
        room: str,
        audience: str,
        epoch: int,
        seq: int,
        ts_ms: int,
        kind: str,
        body: bytes,
        hash_: bytes,
    ) -> None:
        """Announce one durable event. ``body``: one msgpack value, spliced verbatim.

        Seqs of a channel come in order from 1, each once; what was published before the process
        started is served from the gateway's ``history``.
        """
        assert len(body) <= self._desk.options.event_bytes_max, "an event must fit a slow viewer"
        assert is_one_value(body), "a body is one msgpack value"
        key = ChannelKey(room, audience)
        payload = frames.event_payload(key, epoch, Event(seq, ts_ms, kind, body, hash_))
        self._broker.publish(key, epoch, seq, payload)

    async def wait(
        self,
        room: str,
        audience: str,
        after: int,
        timeout_s: float,
        *,
        epoch: int = 0,
        limit: int = 256,
    ) -> tuple[int, Sequence[Event]]:
        """(epoch, events with seq > ``after``, at most ``limit``) for HTTP's long poll.

        Waits up to ``timeout_s`` for the first. Where ``epoch`` is given and not the channel's,
        the answer is that epoch and no events, at once: begin again from 0. Raises
        ``UnknownChannel``, ``TooManyWaiting``.
        """
        key = ChannelKey(room, audience)
        return await self._long_poll.wait(key, epoch, after, timeout_s, limit)

    def members(self, room: str) -> tuple[int, int]:
        """(participants, viewers): connections that hear ``room`` now."""
        return self._desk.hub.members(room)

    def counts_changed(self, room: str) -> None:
        """What ``Gateway.presence`` says of ``room`` is another; shown within a second."""
        self._desk.changed_rooms.setdefault(room, [])

    def share_limits(self, handshakes_per_s: int, elsewhere: Callable[[str], int]) -> None:
        """The limits at the door hold for several processes together: our share of the rate, and
        how many connections of an address are elsewhere. Asked at each handshake: never waits.
        """
        self._desk.limiter.set_rate(handshakes_per_s)
        self._desk.addresses.elsewhere = elsewhere

    def crowded_addresses(self, least: int) -> dict[str, int]:
        """Addresses with at least so many connections here, for other processes to know."""
        return self._desk.addresses.crowded(least)

    def drop_identity(self, session: str) -> int:
        """End every connection admitted under ``session`` (logout, revoked). Returns how many."""
        connections = list(self._desk.sessions.get(session, ()))
        for connection in connections:
            connection.end(CloseCode.REVOKED, "session.revoked")
        return len(connections)

    async def close(self, reason: str = "server.restart", spread_ms: int = 5000) -> None:
        """Let nobody in, send everybody away to come back within ``spread_ms``, and stop."""
        desk = self._desk
        if desk.is_closing:
            return
        desk.is_closing = True
        if self._listener is not None:
            self._listener.close()
        for begin, connection in enumerate(list(desk.peers)):
            after_ms = random.randrange(spread_ms + 1)  # noqa: S311 - spreads, guards nothing
            connection.end(CloseCode.RESTART, reason, after_ms)
            if begin % _END_SLICE == _END_SLICE - 1:
                await asyncio.sleep(0)
        self._long_poll.close()
        if desk.peers:
            # Bounded: the sweep aborts who does not close in time.
            await desk.emptied.wait()
        self._sweep.close()
        self._presence.close()
        await self._fanout.close()
        await self._broker.close()
        desk.clock.close()

    async def listen(self, host: str, port: int) -> None:
        """Bind and accept. Called once, by ``serve``."""
        options = self._desk.options
        listening = _listening_socket(host, port, options)
        self._desk.clock.start()
        self._sweep.start()
        self._listener = await self._loop.create_server(
            lambda: Peer(self._desk),
            sock=listening,
            ssl=options.tls,
            ssl_handshake_timeout=options.open_timeout_ms / 1000 if options.tls else None,
            backlog=options.accepts_per_turn,
            start_serving=True,
        )
        # asyncio accepts up to ``backlog`` connections in one turn; the kernel may hold many more.
        listening.listen(options.backlog)
        self._listening_port = listening.getsockname()[1]

    def _deliver(self, key: ChannelKey, epoch: int, seq: int, payload: bytes) -> None:
        self._fanout.deliver(key, epoch, seq, payload)
        self._long_poll.wake(key)


async def serve(
    host: str,
    port: int,
    gateway: Gateway,
    options: Options,
    *,
    clock: PassClock | None = None,
    broker: Broker | None = None,
) -> SignalingServer:
    """Start a signaling server in the running loop. ``port`` 0: any free one, see ``.port``.

    ``clock``: one for the whole process, where others need it too; else the server makes its own.
    """
    loop = asyncio.get_running_loop()
    desk = Desk(options, gateway, clock or PassClock(loop, options.now_ms))
    server = SignalingServer(desk, broker or MemoryBroker(), loop)
    await server.listen(host, port)
    return server


def _listening_socket(host: str, port: int, options: Options) -> socket.socket:
    """Accepted sockets inherit these from the listener: no system call per connection."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # Slow viewers shall show up in user space early, and cost the kernel little.
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, options.send_buffer_bytes)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        listening.setsockopt(
            socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, options.not_sent_low_bytes
        )
        # A dead peer that never acknowledges is noticed by the kernel.
        listening.setsockopt(
            socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, options.tcp_user_timeout_ms
        )
        listening.bind((host, port))
        listening.setblocking(False)
    except OSError:
        listening.close()
        raise
    return listening
