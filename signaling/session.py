"""One connection's conversation, without the connection (会话): sans-I/O.

``Session.receive`` judges each client frame: None (go on), ``Refused`` (answer ``err`` and go on)
or ``Ending`` (say ``bye`` and close). Invariant: hello comes first and once; no two unanswered
commands share a number; what a peer makes us do per second is bounded. Time comes in as monotonic
milliseconds. Close codes: docs/protocol.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import Any, NamedTuple

from msgspec import Struct, field

from signaling.codec import ClientFrame, CommandFrame, Hello, Subscribe


class CloseCode(IntEnum):
    """Why the server ends a connection; the client decides by it whether to come back."""

    RESTART = 1012
    SLOW = 4008
    BAD_FRAME = 4400
    AUTH = 4401
    REVOKED = 4403
    IDLE = 4408
    RATE = 4429


class SessionLimits(NamedTuple):
    """``burst`` frames at once, ``rate_per_s`` for ever, ``unanswered_max`` commands in flight."""

    rate_per_s: int = 10
    burst: int = 40
    unanswered_max: int = 32
    channels_max: int = 64


class SlowLimits(NamedTuple):
    """How much may wait for a peer that does not read, and for how long."""

    buffered_bytes_max: int
    paused_ms_max: int


class Refused(Struct, frozen=True):
    """Answered with ``err``; the connection stays."""

    n: int
    cmd_id: str
    code: str
    is_retryable: bool = False
    detail: Mapping[str, Any] = field(default_factory=dict[str, Any])


class Ending(Struct, frozen=True):
    """Answered with ``bye``; the connection ends."""

    close_code: CloseCode
    reason: str


Verdict = Refused | Ending | None


def is_too_slow(limits: SlowLimits, buffered_bytes: int, paused_for_ms: int) -> bool:
    """Whether a peer above its high-water mark for ``paused_for_ms`` must go (慢消费者)."""
    return (
        buffered_bytes > limits.buffered_bytes_max  # It never read what we owe it ...
        or paused_for_ms > limits.paused_ms_max  # ... or reads too little of it.
    )


class TokenBucket:
    """``burst`` tokens, refilled at ``rate_per_s``. Who is refused queues up virtually."""

    __slots__ = ("_burst", "_filled_ms", "_millitokens", "_rate_per_s", "_refused")

    def __init__(self, rate_per_s: int, burst: int, now_ms: int) -> None:
        self._rate_per_s = rate_per_s
        self._burst = burst * 1000
        self._millitokens = self._burst
        # Refusals not yet made good by the refill, in thousandths like the tokens.
        self._refused = 0
        self._filled_ms = now_ms

    def take(self, now_ms: int) -> int:
        """Take one. 0: taken. Else after how many ms to try again: after those refused before."""
        refill = (now_ms - self._filled_ms) * self._rate_per_s
        self._filled_ms = now_ms
        self._millitokens = min(self._burst, self._millitokens + refill)
        self._refused = max(0, self._refused - refill)
        if self._millitokens >= 1000:
            self._millitokens -= 1000
            return 0
        self._refused += 1000
        return -(-self._refused // self._rate_per_s)

    @property
    def is_bankrupt(self) -> bool:
        """Who goes on after ``burst`` refusals does not listen to them."""
        return self._refused > self._burst


class Session:
    """State of one conversation. ``limits`` are the same for everybody."""

    __slots__ = ("_bucket", "_limits", "_unanswered", "is_admitted")

    def __init__(self, limits: SessionLimits, now_ms: int) -> None:
        self._limits = limits
        self._bucket = TokenBucket(limits.rate_per_s, limits.burst, now_ms)
        self._unanswered: dict[int, str] = {}
        self.is_admitted = False

    def receive(self, frame: ClientFrame, now_ms: int, channels: int = 0) -> Verdict:
        """Judge one client frame; ``channels``: how many it would hear if its ``sub`` were done."""
        if not self.is_admitted:
            if not isinstance(frame, Hello):
                return Ending(CloseCode.AUTH, "hello.missing")
            self.is_admitted = True
            return None
        if isinstance(frame, Hello):
            return Ending(CloseCode.BAD_FRAME, "hello.repeated")
        early_ms = self._bucket.take(now_ms)
        if early_ms:
            return self._too_often(frame, early_ms)
        if isinstance(frame, CommandFrame):
            return self._accept_command(frame)
        if isinstance(frame, Subscribe) and channels > self._limits.channels_max:
            return Refused(0, "", "channel.too_many", detail={"max": self._limits.channels_max})
        return None

    def control_frame(self, now_ms: int) -> Verdict:
        """A ping or pong of the WebSocket itself costs a token too: it also makes us work."""
        if self._bucket.take(now_ms) and self._bucket.is_bankrupt:
            return Ending(CloseCode.RATE, "frame.rate")
        return None

    def answered(self, n: int) -> bool:
        """Note that command ``n`` has its answer; False when there was none to give."""
        return self._unanswered.pop(n, None) is not None

    @property
    def unanswered(self) -> int:
        return len(self._unanswered)

    def _too_often(self, frame: ClientFrame, early_ms: int) -> Verdict:
        if self._bucket.is_bankrupt:
            return Ending(CloseCode.RATE, "frame.rate")
        detail = {"retry_after_ms": early_ms}
        if not isinstance(frame, CommandFrame):
            return Refused(0, "", "frame.rate", is_retryable=True, detail=detail)
        n = 0 if frame.n in self._unanswered else frame.n
        return Refused(n, frame.cmd_id, "command.too_many", is_retryable=True, detail=detail)

    def _accept_command(self, frame: CommandFrame) -> Verdict:
        if frame.n in self._unanswered:
            # n 0: an err with this n would be taken for the answer of the first.
            return Refused(0, frame.cmd_id, "command.duplicate", detail={"n": frame.n})
        if len(self._unanswered) >= self._limits.unanswered_max:
            return Refused(frame.n, frame.cmd_id, "command.too_many", is_retryable=True)
        self._unanswered[frame.n] = frame.cmd_id
        return None
