"""Every limit of the signaling server in one place (信令配置)."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import Final

from msgspec import Struct, field

from signaling.hub import HubLimits
from signaling.pass_clock import wall_clock_ms
from signaling.session import SessionLimits, SlowLimits

SUBPROTOCOL: Final = "kaibiao.v1+msgpack"
PATH: Final = "/ws"


class Options(Struct, frozen=True):
    """Defaults fit one process with some ten thousand viewers.

    ``origins``: values of the Origin header let in; None in it lets in clients that send none
    (programs, not browsers). ``trusted_proxies``: addresses whose X-Forwarded-For is believed.
    """

    origins: tuple[str | None, ...]
    trusted_proxies: frozenset[str] = frozenset()
    tls: ssl.SSLContext | None = None
    now_ms: Callable[[], int] = wall_clock_ms

    session: SessionLimits = SessionLimits()
    hub: HubLimits = HubLimits()
    viewer_slow: SlowLimits = SlowLimits(1 << 20, 10_000)
    participant_slow: SlowLimits = SlowLimits(4 << 20, 20_000)

    hello_frame_bytes_max: int = 4 << 10
    viewer_frame_bytes_max: int = 64 << 10
    participant_frame_bytes_max: int = 1 << 20
    # One event with its frame still fits under viewer_slow above the high-water mark.
    event_bytes_max: int = 900 << 10

    connections_max: int = 15_000
    per_address_max: int = 512
    # Of one login: a person's devices and tabs. More is a program gone wild.
    per_session_max: int = 32
    # Resident bytes of this process above which nobody new is let in; 0: no such limit.
    memory_bytes_max: int = 0
    accept_rate_per_s: int = 500
    accept_burst: int = 500
    # What the request of somebody logged in holds, a cookie's name: let in before viewers, by a
    # bucket of its own. A hint and no proof: who forges it competes with those it imitates.
    login_hint: bytes = b""
    backlog: int = 4096
    # How many one turn of the loop accepts: a storm must not become one long turn.
    accepts_per_turn: int = 32
    handshakes_per_turn: int = 32

    open_timeout_ms: int = 5000
    ping_after_ms: int = 20_000
    idle_after_ms: int = 45_000
    close_timeout_ms: int = 3000
    # A frame once begun must be complete within this time, or its buffer is held for nothing.
    partial_frame_ms_max: int = 20_000

    write_high_bytes: int = 64 << 10
    write_low_bytes: int = 16 << 10
    send_buffer_bytes: int = 64 << 10
    not_sent_low_bytes: int = 16 << 10
    tcp_user_timeout_ms: int = 20_000

    slice_writes: int = 256
    # The journal's thread needs the interpreter some ten times a commit and a write holds it for
    # 12 us: while ``is_writing``, slices are so small that each of those waits half a millisecond.
    is_writing: Callable[[], bool] = lambda: False
    slice_writes_beside: int = 48
    gather_ms: int = 5
    presence_ms: int = 1000
    journal_reads_at_once: int = 4
    long_polls_max: int = 2000

    welcome_features: dict[str, int] = field(default_factory=dict[str, int])
