"""What one client says and hears (对端): its session, the gateway's questions, its channels.

Everything here happens inside the read of the message that asks for it. Invariant: a command that
passed the session is handed to the gateway exactly once and answered at most once; ``joined`` and
``left`` are called in pairs. An answer takes along what the client's channels hold for it. The
bytes: connection.py; the plan of who hears what: hub.py.
"""

from __future__ import annotations

import logging
import secrets
from functools import partial

from signaling import frames
from signaling.channel import Subscriber
from signaling.codec import (
    BadFrame,
    ChannelKey,
    ClientFrame,
    CommandFrame,
    Hello,
    Ping,
    Position,
    Subscribe,
    decode_client_frame,
)
from signaling.connection import Connection, Stage
from signaling.desk import Desk
from signaling.gateway import AdmissionRefused, Answer, Command, Identity, PeerAddress
from signaling.session import CloseCode, Refused

log = logging.getLogger(__name__)

_TROUBLE = Answer.refused("server.trouble", is_retryable=True)


class Peer(Connection):
    """A client's connection. Made by the listener."""

    __slots__ = ("identity", "subscriber")

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.identity: Identity | None = None
        self.subscriber: Subscriber | None = None

    # -- connection.py's questions ----------------------------------------------------------

    @property
    def is_participant(self) -> bool:
        return self.identity is not None and self.identity.is_participant

    def paused(self) -> None:
        if self.subscriber is not None:
            self.desk.hub.pause(self.subscriber)

    def resumed(self) -> None:
        if self.subscriber is not None:
            self.desk.hub.resume(self.subscriber)
            self.desk.schedule()

    def left(self) -> None:
        if self.identity is None:
            return
        of_session = self.desk.sessions.get(self.identity.session)
        if of_session is not None:
            of_session.pop(self, None)
            if not of_session:
                del self.desk.sessions[self.identity.session]
        if self.subscriber is not None:
            for key in list(self.subscriber.subscriptions):
                self._unsubscribe(key)
            # No circle is left for the collector (connection.py says why).
            self.subscriber.owner = None

    def handle_message(self, payload: bytes, now_ms: int, received_ms: int) -> None:
        assert self.session is not None
        try:
            frame = decode_client_frame(payload)
        except BadFrame as bad:
            self.end(CloseCode.BAD_FRAME, bad.code)
            return
        channels = 0
        if isinstance(frame, Subscribe) and self.subscriber is not None:
            asked = {position.key for position in frame.positions}
            channels = len(asked | self.subscriber.subscriptions.keys())
        verdict = self.session.receive(frame, now_ms, channels)
        if verdict is None:
            self._do(frame, received_ms)
        elif isinstance(verdict, Refused):
            self.desk.metrics.refusals[verdict.code] += 1
            self.write(
                frames.err(
                    verdict.n,
                    verdict.cmd_id,
                    verdict.code,
                    is_retryable=verdict.is_retryable,
                    detail=verdict.detail,
                )
            )
        else:
            self.end(verdict.close_code, verdict.reason)

    def _do(self, frame: ClientFrame, received_ms: int) -> None:
        if isinstance(frame, CommandFrame):
            self._forward(frame, received_ms)
        elif isinstance(frame, Ping):
            self.write(frames.pong(frame.t0, self.desk.clock.now_ms()))
        elif isinstance(frame, Hello):
            self._greet(frame)
        elif isinstance(frame, Subscribe):
            self._subscribe(frame.positions)
        else:
            for key in frame.keys:
                self._unsubscribe(key)

    def _forward(self, frame: CommandFrame, received_ms: int) -> None:
        assert self.identity is not None
        desk = self.desk
        desk.metrics.commands += 1
        command = Command(frame.room, frame.op, frame.args, frame.cmd_id, frame.n, received_ms)
        reply = partial(self._answer, frame.n, frame.cmd_id)
        try:
            desk.gateway.command(self.identity, command, reply)
        except Exception:
            log.exception("signaling.command_failed")
            reply(_TROUBLE)

    def _answer(self, n: int, cmd_id: str, answer: Answer) -> None:
        if self.stage is not Stage.OPEN or self.session is None or not self.session.answered(n):
            return
        try:
            frame = _answer_frame(n, cmd_id, answer)
        except (TypeError, ValueError, OverflowError):
            # The room's mistake; it must not come back to it as an exception of ours.
            log.exception("signaling.answer_unsayable")
            frame = _answer_frame(n, cmd_id, _TROUBLE)
        rest = self.desk.hub.rest_of(self.subscriber) if self.subscriber is not None else ()
        if rest:
            self.desk.metrics.deliveries += len(rest)
            frame = b"".join((*rest, frame))
        self.write(frame)

    def _greet(self, hello: Hello) -> None:
        desk = self.desk
        options = desk.options
        try:
            identity = desk.gateway.admit(
                hello.ticket, PeerAddress(self.address, self._protocol.origin)
            )
        except AdmissionRefused as refused:
            self.end(CloseCode.AUTH, refused.code)
            return
        of_session = desk.sessions.get(identity.session, ())
        if hello.ticket is not None and len(of_session) >= options.per_session_max:
            self.end(CloseCode.RATE, "session.crowded")
            return
        self.identity = identity
        self.subscriber = Subscriber(
            self.transport.write, is_participant=identity.is_participant, owner=self
        )
        self.subscriber.is_paused = self in desk.paused
        frame_bytes_max = (
            options.participant_frame_bytes_max
            if identity.is_participant
            else options.viewer_frame_bytes_max
        )
        self._protocol.max_message_size = frame_bytes_max
        desk.opening.pop(self, None)
        desk.sessions.setdefault(identity.session, {})[self] = None
        limits = options.session._asdict() | {"frame_bytes_max": frame_bytes_max}
        self.write(
            frames.welcome(
                secrets.token_hex(8),
                desk.clock.now_ms(),
                options.ping_after_ms // 1000,
                limits,
                identity.me,
            )
        )
        self._subscribe(hello.positions)

    # -- channels ---------------------------------------------------------------------------

    def _subscribe(self, positions: tuple[Position, ...]) -> None:
        assert self.identity is not None
        assert self.subscriber is not None
        desk = self.desk
        for position in positions:
            room, audience = position.key
            if not desk.gateway.may_subscribe(self.identity, room, audience):
                self.write(frames.channel_err(position.key, "channel.not_yours"))
                continue
            known = desk.gateway.position(room, audience)
            if known is None:
                self.write(frames.channel_err(position.key, "room.unknown"))
                continue
            epoch, durable_seq = known
            desk.hub.open(position.key, epoch, durable_seq)
            if desk.hub.subscribe(self.subscriber, position, durable_seq):
                desk.changed_rooms.setdefault(room, []).append(self.subscriber)
                desk.gateway.joined(self.identity, room)
        desk.schedule()

    def _unsubscribe(self, key: ChannelKey) -> None:
        assert self.identity is not None
        assert self.subscriber is not None
        if self.desk.hub.unsubscribe(self.subscriber, key):
            self.desk.changed_rooms.setdefault(key.room, [])
            self.desk.gateway.left(self.identity, key.room)


def _answer_frame(n: int, cmd_id: str, answer: Answer) -> bytes:
    if not answer.code:
        return frames.ok(n, cmd_id, answer.result)
    return frames.err(
        n, cmd_id, answer.code, is_retryable=answer.is_retryable, detail=answer.detail
    )
