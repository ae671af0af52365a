"""Every frame the server sends, built once as the bytes of a WebSocket frame (服务端帧).

Invariant: a frame made here is complete and unmasked (RFC 6455 §5.1: servers do not mask), so the
same ``bytes`` object is written to every socket. Bodies of events are spliced as they were stored,
never decoded and encoded again. Shapes: docs/protocol.md.

Measured (`python -m loadtests.costs`, 2026-11-22): 1.2 us an event, once, however many hear it.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import Any, Final

from signaling.codec import ChannelKey, pack, unpack, value_ends
from signaling.gateway import Event

_BINARY_FINAL: Final = 0x82
_SMALL_MAX: Final = 125
PING_FRAME: Final = b"\x89\x00"
_EV: Final = b"\x99" + pack("ev")
_BATCH: Final = b"\x92" + pack("batch")


def wrap(payload: bytes) -> bytes:
    """``payload`` as one final, unmasked binary WebSocket frame."""
    size = len(payload)
    if size <= _SMALL_MAX:
        return bytes((_BINARY_FINAL, size)) + payload
    if size <= 0xFFFF:
        return struct.pack(">BBH", _BINARY_FINAL, 126, size) + payload
    return struct.pack(">BBQ", _BINARY_FINAL, 127, size) + payload


def event_payload(key: ChannelKey, epoch: int, event: Event) -> bytes:
    """``["ev", room, audience, epoch, seq, server_ms, type, body, hash]``; ``body`` is msgpack."""
    # An array of six has a header of one byte.
    head = pack((key.room, key.audience, epoch, event.seq, event.server_ms, event.kind))[1:]
    return b"".join((_EV, head, event.body, pack(event.hash)))


def split_event(payload: bytes) -> Event:
    """The parts of an ``ev`` of ours, the body still as it was stored."""
    ends = value_ends(payload, 1, 9)
    seq, server_ms, kind = (unpack(payload[ends[i] : ends[i + 1]]) for i in (3, 4, 5))
    body = payload[ends[6] : ends[7]]
    return Event(seq, server_ms, kind, body, unpack(payload[ends[7] : ends[8]]))


def events_frame(payloads: Sequence[bytes]) -> bytes:
    """One event as ``ev``, several as ``["batch", [ev, ...]]``."""
    assert payloads
    if len(payloads) == 1:
        return wrap(payloads[0])
    return wrap(b"".join((_BATCH, _array_header(len(payloads)), *payloads)))


def welcome(
    session: str,
    server_ms: int,
    ping_s: int,
    limits: Mapping[str, int],
    me: Mapping[str, Any],
) -> bytes:
    return wrap(pack(["welcome", session, server_ms, ping_s, limits, me]))


def ok(n: int, cmd_id: str, result: object) -> bytes:
    return wrap(pack(["ok", n, cmd_id, result]))


def err(
    n: int, cmd_id: str, code: str, *, is_retryable: bool, detail: Mapping[str, Any] | None = None
) -> bytes:
    """``n`` 0 and an empty ``cmd_id`` when it answers no command."""
    return wrap(pack(["err", n, cmd_id, code, is_retryable, detail or {}]))


def channel_err(key: ChannelKey, code: str, **more: object) -> bytes:
    """An ``err`` about a channel rather than a command."""
    detail = {"room": key.room, "audience": key.audience, **more}
    return err(0, "", code, is_retryable=False, detail=detail)


def presence(room: str, counts: Mapping[str, Any]) -> bytes:
    return wrap(pack(["presence", room, counts]))


def pong(t0: int | float, server_ms: int) -> bytes:
    return wrap(pack(["pong", t0, server_ms]))


def bye(code: int, reason: str, reconnect_after_ms: int) -> bytes:
    return wrap(pack(["bye", code, reason, reconnect_after_ms]))


def _array_header(length: int) -> bytes:
    if length <= 15:
        return bytes((0x90 | length,))
    return struct.pack(">BH", 0xDC, length)
