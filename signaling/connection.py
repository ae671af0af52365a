"""The bytes of one connection (连接): handshake, frames, backpressure and the end; no meaning yet.

An asyncio protocol around websockets' sans-I/O protocol. There is no task, no timer and no queue
per connection: a message is handled inside ``data_received``, when its bytes are read, and time
limits are looked after by one sweep for all (sweep.py). Invariants: reading is never paused
(pass_clock.py relies on it); after ``end`` nothing more is handled and nothing more is written.
What the messages mean: peer.py.
"""

from __future__ import annotations

import asyncio
import logging
from abc import abstractmethod
from enum import IntEnum
from typing import Final, cast

from websockets.frames import BINARY, CLOSE, CONT, PING, PONG, TEXT, Frame
from websockets.http11 import Request
from websockets.protocol import OPEN

from signaling import frames
from signaling.desk import Desk, monotonic_ms
from signaling.handshake import StrictProtocol, address_of, answer_request, busy_response
from signaling.session import CloseCode, Ending, Session, is_too_slow

log = logging.getLogger(__name__)

# A read is worked through in pieces of this size, so that a flood of tiny frames is noticed by the
# rate limit after a few hundred of them and not after forty thousand.
_PIECE_BYTES: Final = 4096
# What a client may send before it is let in: a request with generous headers.
_EARLY_BYTES_MAX: Final = 32 << 10
FULL_RETRY_S: Final = 15
# So many above the limit are heard out, to be told that there is no room; the next are cut.
FULL_SLACK: Final = 256


class Stage(IntEnum):
    """How far a connection has come."""

    CONNECTED = 0
    REQUESTED = 1
    OPEN = 2
    ENDED = 3


class Connection(asyncio.Protocol):
    """From ``connection_made`` to ``connection_lost``; known to the desk all that time."""

    __slots__ = (
        "_address_key",
        "_early",
        "_protocol",
        "address",
        "desk",
        "partial_since_ms",
        "pinged_ms",
        "seen_ms",
        "session",
        "stage",
        "transport",
    )

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self._protocol = StrictProtocol(desk.options)
        self._address_key: str | None = None
        self._early = b""
        self.transport: asyncio.Transport
        self.address = ""
        self.stage = Stage.CONNECTED
        self.session: Session | None = None
        self.seen_ms = self.pinged_ms = monotonic_ms()
        self.partial_since_ms = 0

    # What the meaning part adds:

    @property
    @abstractmethod
    def is_participant(self) -> bool:
        """Whether the generous limits hold."""

    @abstractmethod
    def handle_message(self, payload: bytes, now_ms: int, received_ms: int) -> None:
        """One complete binary message."""

    @abstractmethod
    def paused(self) -> None:
        """The transport is above its high-water mark: push nothing more."""

    @abstractmethod
    def resumed(self) -> None:
        """Drained: go on from the last seq that was written."""

    @abstractmethod
    def left(self) -> None:
        """Called once, at the end: leave channels and rooms."""

    # -- asyncio.Protocol -------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        desk = self.desk
        options = desk.options
        self.transport.set_write_buffer_limits(options.write_high_bytes, options.write_low_bytes)
        desk.peers[self] = None
        desk.metrics.connections = len(desk.peers)
        if len(desk.peers) > options.connections_max + FULL_SLACK:
            self._turn_away("full")
            self.transport.abort()
            return
        desk.opening[self] = self.seen_ms

    def data_received(self, data: bytes) -> None:
        if self.stage is Stage.ENDED:
            return
        now_ms = self.seen_ms = monotonic_ms()
        if self.stage is Stage.CONNECTED:
            self._knock(data)
            return
        self._read(data, now_ms, self.desk.clock.received_ms())

    def _read(self, data: bytes, now_ms: int, received_ms: int) -> None:
        for begin in range(0, len(data), _PIECE_BYTES):
            piece = data if len(data) <= _PIECE_BYTES else data[begin : begin + _PIECE_BYTES]
            self._protocol.receive_data(piece)
            for event in self._protocol.events_received():
                self._handle(event, now_ms, received_ms)
                if self.has_ended:
                    return
            if self._protocol.violation is not None:
                self.end(CloseCode.BAD_FRAME, self._protocol.violation)
                return
            self._flush()
        self._note_partial(now_ms)

    def eof_received(self) -> None:
        if self.stage is not Stage.ENDED:
            self._protocol.receive_eof()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's name
        desk = self.desk
        desk.closing.pop(self, None)
        desk.peers.pop(self, None)
        desk.metrics.connections = len(desk.peers)
        if self._address_key is not None:
            desk.addresses.leave(self._address_key)
            self._address_key = None
        if desk.is_closing and not desk.peers:
            desk.emptied.set()
        self._leave()
        self._protocol.dissolve()

    def pause_writing(self) -> None:
        self.desk.paused[self] = monotonic_ms()
        self.paused()

    def resume_writing(self) -> None:
        self.desk.paused.pop(self, None)
        if self.stage is Stage.OPEN:
            self.desk.metrics.resyncs += 1
            self.resumed()

    # -- for the sweep and the server -------------------------------------------------------

    @property
    def is_too_slow(self) -> bool:
        """Whether what waits for this peer is too much or too old."""
        options = self.desk.options
        paused_for_ms = monotonic_ms() - self.desk.paused.get(self, monotonic_ms())
        return is_too_slow(
            options.participant_slow if self.is_participant else options.viewer_slow,
            self.transport.get_write_buffer_size(),
            paused_for_ms,
        )

    @property
    def has_ended(self) -> bool:
        return self.stage is Stage.ENDED

    def write(self, frame: bytes) -> None:
        """Send one frame that is not part of a channel."""
        if self.stage is not Stage.OPEN or self._protocol.state is not OPEN:
            return
        self.transport.write(frame)
        if self in self.desk.paused and self.is_too_slow:
            self.end(CloseCode.SLOW, "peer.slow")

    def ping(self, now_ms: int) -> None:
        self.pinged_ms = now_ms
        self.write(frames.PING_FRAME)

    def end(self, code: CloseCode, reason: str, reconnect_after_ms: int = 0) -> None:
        """Say ``bye`` and close; idempotent. The sweep aborts who does not close in turn."""
        if self.stage is Stage.ENDED:
            return
        was_open = self.stage is Stage.OPEN
        self._leave()
        self.desk.metrics.endings[reason] += 1
        self.desk.closing[self] = monotonic_ms()
        if not was_open:
            self.transport.close()
            return
        self.transport.write(frames.bye(code, reason, reconnect_after_ms))
        if self._protocol.violation is None:
            self._protocol.fail(code, reason)
        self._flush()

    # -- opening ----------------------------------------------------------------------------

    def _knock(self, data: bytes) -> None:
        if not self._early:
            hint = self.desk.options.login_hint
            self.desk.door.knock(self, is_first=bool(hint) and hint in data)
        self._early += data
        if len(self._early) > _EARLY_BYTES_MAX:
            self._turn_away("request")
            self.transport.abort()

    def let_in(self, *, is_first: bool) -> None:
        """Its turn at the door: shake hands, or be told when to come back."""
        if self.stage is not Stage.CONNECTED:
            return
        early, self._early = self._early, b""
        now_ms = monotonic_ms()
        retry_after_s = self.desk.retry_after_s(now_ms, is_first=is_first)
        if retry_after_s:
            self._refuse("busy", retry_after_s)
            return
        if len(self.desk.peers) > self.desk.options.connections_max:
            self._refuse("full", FULL_RETRY_S)
            return
        if self.desk.is_memory_full:
            self._refuse("memory", FULL_RETRY_S)
            return
        self.stage = Stage.REQUESTED
        self._read(early, now_ms, self.desk.clock.received_ms())

    def _refuse(self, why: str, retry_after_s: int) -> None:
        """Nobody new now, whoever it is."""
        self._turn_away(why)
        self.transport.write(busy_response(f"server.{why}", retry_after_s))
        self.transport.close()

    def _turn_away(self, why: str) -> None:
        self.desk.metrics.turned_away[why] += 1
        self._leave()

    def _upgrade(self, request: Request) -> None:
        desk = self.desk
        self.address = address_of(self.transport, request, desk.options.trusted_proxies)
        self._address_key = desk.addresses.enter(self.address)
        is_crowded = self._address_key is None
        response = answer_request(self._protocol, request, is_crowded_address=is_crowded)
        self._protocol.send_response(response)
        self._flush()
        if self._protocol.state is OPEN:
            self.stage = Stage.OPEN
            self.session = Session(desk.options.session, self.seen_ms)
            desk.metrics.handshakes += 1
        else:
            self._turn_away("address" if is_crowded else "request")
            desk.closing[self] = self.seen_ms

    # -- frames -----------------------------------------------------------------------------

    def _handle(self, event: object, now_ms: int, received_ms: int) -> None:
        try:
            if isinstance(event, Request):
                self._upgrade(event)
            elif isinstance(event, Frame):
                self._handle_frame(event, now_ms, received_ms)
        except Exception:
            # One peer's trouble must not become everybody's, nor stay unseen.
            log.exception("signaling.peer_failed")
            self.end(CloseCode.RESTART, "server.trouble")

    def _handle_frame(self, frame: Frame, now_ms: int, received_ms: int) -> None:
        opcode = frame.opcode
        if opcode is BINARY and frame.fin:
            self.handle_message(cast(bytes, frame.data), now_ms, received_ms)
        elif opcode is TEXT:
            self.end(CloseCode.BAD_FRAME, "frame.text")
        elif opcode is BINARY or opcode is CONT:
            self.end(CloseCode.BAD_FRAME, "frame.fragmented")
        elif opcode is CLOSE:
            # The echo is among the protocol's writes; what came before it has been handled.
            self._flush()
            self._leave()
            self.desk.closing[self] = now_ms
        elif opcode is PING or opcode is PONG:
            assert self.session is not None
            verdict = self.session.control_frame(now_ms)
            if isinstance(verdict, Ending):
                self.end(verdict.close_code, verdict.reason)

    def _leave(self) -> None:
        """Out of every list but ``peers`` and ``closing``; idempotent."""
        if self.stage is Stage.ENDED:
            return
        self.stage = Stage.ENDED
        self.desk.opening.pop(self, None)
        self.desk.paused.pop(self, None)
        self.left()

    # -- bytes ------------------------------------------------------------------------------

    def _flush(self) -> None:
        """Write what websockets has to say: responses, pongs, the close frame, end of stream."""
        for raw in self._protocol.data_to_send():
            if raw:
                self.transport.write(raw)
            elif self.transport.can_write_eof():
                try:
                    self.transport.write_eof()
                except (OSError, RuntimeError):
                    self.transport.abort()
            else:
                self.transport.close()

    def _note_partial(self, now_ms: int) -> None:
        if not self._protocol.reader.buffer:
            self.partial_since_ms = 0
        elif not self.partial_since_ms:
            self.partial_since_ms = now_ms
