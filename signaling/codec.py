"""msgpack in and out with hard limits; the shapes a client may send (信令编码).

Invariant: ``decode_client_frame`` either returns one of the five frame types with every member
checked for type and range, or raises ``BadFrame`` with a stable code. It never allocates more than
a small multiple of the frame's own bytes, and never recurses deeper than ``DEPTH_MAX``.
Server frames are built in ``frames.py``; the wire is described in docs/protocol.md.

Measured (`python -m loadtests.costs`, 2026-11-22): 2 us of CPU for an UNLOCK's frame.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final, NamedTuple, cast

import msgpack as _untyped_msgpack  # pyright: ignore[reportMissingTypeStubs]
from msgspec import Struct

from signaling.msgpack_headers import walk_headers

msgpack: Any = _untyped_msgpack

FRAME_BYTES_MAX: Final = 1 << 20
ARRAY_LENGTH_MAX: Final = 4096
MAP_LENGTH_MAX: Final = 256
STR_BYTES_MAX: Final = 64 << 10
DEPTH_MAX: Final = 8
ITEMS_MAX: Final = 20_000
# Below this size a frame cannot hold enough items to hurt; above it the headers are walked first.
SMALL_FRAME_BYTES: Final = 4096
CHANNELS_MAX: Final = 64
# JavaScript's exact integers; the browser reads every number we send or accept.
INTEGER_MAX: Final = (1 << 53) - 1
NAME_LENGTH_MAX: Final = 96
OP_LENGTH_MAX: Final = 48
CMD_ID_LENGTH_MIN: Final = 8
CMD_ID_LENGTH_MAX: Final = 64
TICKET_LENGTH_MAX: Final = 256
PROTOCOL_VERSION: Final = 1


class BadFrame(Exception):
    """A frame no honest client sends. ``code`` is stable: ``noun.reason``."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class ChannelKey(NamedTuple):
    """One channel: a room and who of it may hear."""

    room: str
    audience: str


class Position(NamedTuple):
    """How far a client has applied one channel: everything up to ``seq`` of ``epoch``."""

    key: ChannelKey
    epoch: int
    seq: int


class Hello(Struct, frozen=True):
    """The first frame. ``ticket`` None: an anonymous viewer."""

    version: int
    ticket: str | None
    positions: tuple[Position, ...]


class Subscribe(Struct, frozen=True):
    positions: tuple[Position, ...]


class Unsubscribe(Struct, frozen=True):
    keys: tuple[ChannelKey, ...]


class CommandFrame(Struct, frozen=True):
    """``n`` matches the answer; ``cmd_id`` makes a repeat harmless."""

    n: int
    cmd_id: str
    room: str
    op: str
    args: dict[str, Any]


class Ping(Struct, frozen=True):
    t0: int | float


ClientFrame = Hello | Subscribe | Unsubscribe | CommandFrame | Ping

_packer = msgpack.Packer(use_bin_type=True, autoreset=True)


def pack(value: object) -> bytes:
    """``value`` as msgpack; for what we say ourselves, so anything unpackable is our mistake."""
    return cast(bytes, _packer.pack(value))


def unpack(payload: bytes | bytearray | memoryview) -> Any:
    """One value under the limits above. Raises ``BadFrame``: frame.msgpack, frame.utf8, ...

    Floats, ``NaN`` and big integers pass here; ``check_value`` is the judge of those.
    """
    if len(payload) > FRAME_BYTES_MAX:
        raise BadFrame("frame.too_large")
    if len(payload) > SMALL_FRAME_BYTES:
        fault = walk_headers(payload, ITEMS_MAX, DEPTH_MAX + 2)
        if fault:
            raise BadFrame(fault)
    try:
        return msgpack.unpackb(
            payload,
            raw=False,
            strict_map_key=True,
            ext_hook=_refuse_extension,
            max_array_len=ARRAY_LENGTH_MAX,
            max_map_len=MAP_LENGTH_MAX,
            max_str_len=STR_BYTES_MAX,
            max_bin_len=FRAME_BYTES_MAX,
            max_ext_len=0,
        )
    except UnicodeDecodeError:
        raise BadFrame("frame.utf8") from None
    except msgpack.exceptions.StackError:
        raise BadFrame("frame.depth") from None
    except (ValueError, msgpack.exceptions.UnpackException):
        raise BadFrame("frame.msgpack") from None


def unpack_server_frame(payload: bytes) -> list[Any]:
    """What our own server says, for our own client; sizes were limited by the WebSocket."""
    return cast(list[Any], msgpack.unpackb(payload, strict_map_key=False))


def is_one_value(encoded: bytes) -> bool:
    """Whether ``encoded`` is exactly one msgpack value (a body is spliced, never re-encoded)."""
    unpacker = msgpack.Unpacker(read_size=1, max_buffer_size=max(len(encoded), 1))
    unpacker.feed(encoded)
    try:
        unpacker.skip()
    except (ValueError, msgpack.exceptions.UnpackException):
        return False
    return cast(int, unpacker.tell()) == len(encoded)


def value_ends(encoded: bytes, begin: int, count: int) -> list[int]:
    """Where each of the ``count`` values after offset ``begin`` ends (our own bytes)."""
    unpacker = msgpack.Unpacker(read_size=1, max_buffer_size=len(encoded))
    unpacker.feed(encoded[begin:])
    ends: list[int] = []
    for _ in range(count):
        unpacker.skip()
        ends.append(begin + unpacker.tell())
    return ends


def decode_client_frame(payload: bytes | bytearray | memoryview) -> ClientFrame:
    """What the client says. Raises ``BadFrame``."""
    frame = unpack(payload)
    if type(frame) is not list:
        raise BadFrame("frame.shape")
    items = cast(list[Any], frame)
    if not items or type(items[0]) is not str:
        raise BadFrame("frame.shape")
    shape = _SHAPES.get(items[0])
    if shape is None:
        raise BadFrame("frame.unknown")
    length, build = shape
    if len(items) != length:
        raise BadFrame("frame.shape")
    return build(items)


def check_value(value: Any, depth: int = 1) -> None:
    """Refuse what must not travel in ``args``: floats, integers beyond 2^53, deep nesting."""
    kind = cast(type[object], type(value))
    if kind is str or kind is bytes or kind is bool or value is None:
        return
    if kind is int:
        if not -INTEGER_MAX <= value <= INTEGER_MAX:
            raise BadFrame("frame.integer")
        return
    if depth > DEPTH_MAX:
        raise BadFrame("frame.depth")
    if kind is list:
        for item in value:
            check_value(item, depth + 1)
    elif kind is dict:
        for key, item in value.items():
            if type(key) is not str:
                raise BadFrame("frame.key")
            check_value(item, depth + 1)
    elif kind is float:
        # Money is integer fen, scores are decimal texts, time is integer ms: no float, no NaN.
        raise BadFrame("frame.float")
    else:
        raise BadFrame("frame.type")


def _hello(items: list[Any]) -> Hello:
    _, version, ticket, positions = items
    if type(version) is not int or version != PROTOCOL_VERSION:
        raise BadFrame("hello.version")
    if ticket is not None:
        _check_text(ticket, 1, TICKET_LENGTH_MAX)
    return Hello(version, ticket, _positions(positions))


def _subscribe(items: list[Any]) -> Subscribe:
    return Subscribe(_positions(items[1]))


def _unsubscribe(items: list[Any]) -> Unsubscribe:
    return Unsubscribe(tuple(_key(item) for item in _listed(items[1])))


def _command(items: list[Any]) -> CommandFrame:
    _, n, cmd_id, room, op, args = items
    if type(n) is not int or not 1 <= n <= INTEGER_MAX:
        raise BadFrame("frame.integer")
    _check_text(cmd_id, CMD_ID_LENGTH_MIN, CMD_ID_LENGTH_MAX)
    _check_text(room, 1, NAME_LENGTH_MAX)
    _check_text(op, 1, OP_LENGTH_MAX)
    if type(args) is not dict:
        raise BadFrame("frame.shape")
    check_value(args)
    return CommandFrame(n, cmd_id, room, op, cast(dict[str, Any], args))


def _ping(items: list[Any]) -> Ping:
    t0 = items[1]
    # performance.now() is a float in browsers; it is echoed, never calculated with.
    if type(t0) is float:
        if not math.isfinite(t0):
            raise BadFrame("frame.float")
    elif type(t0) is not int or not -INTEGER_MAX <= t0 <= INTEGER_MAX:
        raise BadFrame("frame.integer")
    return Ping(t0)


_SHAPES: Final[dict[str, tuple[int, Callable[[list[Any]], ClientFrame]]]] = {
    "hello": (4, _hello),
    "sub": (2, _subscribe),
    "unsub": (2, _unsubscribe),
    "cmd": (6, _command),
    "ping": (2, _ping),
}


def _positions(value: Any) -> tuple[Position, ...]:
    return tuple(_position(item) for item in _listed(value))


def _position(value: Any) -> Position:
    if type(value) is not list or len(cast(list[Any], value)) != 4:
        raise BadFrame("frame.shape")
    room, audience, epoch, seq = cast(list[Any], value)
    for number in (epoch, seq):
        if type(number) is not int or not 0 <= number <= INTEGER_MAX:
            raise BadFrame("frame.integer")
    return Position(_key([room, audience]), epoch, seq)


def _key(value: Any) -> ChannelKey:
    if type(value) is not list or len(cast(list[Any], value)) != 2:
        raise BadFrame("frame.shape")
    room, audience = cast(list[Any], value)
    _check_text(room, 1, NAME_LENGTH_MAX)
    _check_text(audience, 1, NAME_LENGTH_MAX)
    return ChannelKey(room, audience)


def _listed(value: Any) -> list[Any]:
    if type(value) is not list:
        raise BadFrame("frame.shape")
    items = cast(list[Any], value)
    if len(items) > CHANNELS_MAX:
        raise BadFrame("frame.too_many")
    return items


def _check_text(value: Any, length_min: int, length_max: int) -> None:
    """Names and identifiers are visible ASCII: nothing to normalise, nothing to smuggle."""
    if type(value) is not str or not length_min <= len(value) <= length_max:
        raise BadFrame("frame.name")
    if not value.isascii() or not value.isprintable() or " " in value:
        raise BadFrame("frame.name")


def _refuse_extension(code: int, _content: bytes) -> Any:
    raise ValueError(f"extension {code}")
