"""JSON and msgpack at the door (编解码): bounded reading of bodies, hex in JSON, bytes in msgpack.

Invariant: nothing is decoded before its size is known to be allowed, and a command's arguments obey
the same limits whichever way they come. In JSON every binary value is lower-case hex, in both
directions; the type of a command's field decides which text is hex.
"""

import asyncio
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated, Any, Final, TypeVar

import msgspec
from aiohttp import web
from msgspec import inspect

from server.domain.refusals import Refused
from signaling.codec import (
    CMD_ID_LENGTH_MAX,
    CMD_ID_LENGTH_MIN,
    OP_LENGTH_MAX,
    BadFrame,
    check_value,
    unpack,
)

JSON: Final = "application/json"
MSGPACK: Final = "application/msgpack"
HEX: Final = re.compile(r"(?:[0-9a-f]{2})*")

T = TypeVar("T")


class CommandAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``args`` as they came; hex is not yet bytes."""

    cmd_id: Annotated[str, msgspec.Meta(min_length=CMD_ID_LENGTH_MIN, max_length=CMD_ID_LENGTH_MAX)]
    op: Annotated[str, msgspec.Meta(min_length=1, max_length=OP_LENGTH_MAX)]
    args: dict[str, Any] = {}


async def read_body(request: web.Request, size_max: int, within_s: float) -> bytes:
    """The whole small body: at most ``size_max`` bytes, complete within ``within_s`` seconds."""
    refuse_encoding(request)
    if (request.content_length or 0) > size_max:
        raise Refused("body.too_large", size_max=size_max)
    pieces: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(within_s):
            while piece := await request.content.readany():
                size += len(piece)
                if size > size_max:
                    raise Refused("body.too_large", size_max=size_max)
                pieces.append(piece)
    except TimeoutError:
        raise Refused("body.slow") from None
    except (web.RequestPayloadError, ConnectionError):
        raise Refused("body.cut") from None
    return b"".join(pieces)


async def read_json(request: web.Request, type_: type[T], size_max: int, within_s: float) -> T:
    """A small typed JSON body."""
    if request.content_type != JSON:
        raise Refused("body.media_type")
    return decode_json(await read_body(request, size_max, within_s), type_)


def refuse_encoding(request: web.Request) -> None:
    """A compressed body is not unpacked: its size would be the client's word."""
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise Refused("body.encoding")


def is_msgpack(request: web.Request) -> bool:
    """Whether the body is msgpack; JSON is the other, anything else is refused."""
    if request.content_type == MSGPACK:
        return True
    if request.content_type != JSON:
        raise Refused("body.media_type")
    return False


def decode_json(raw: bytes, type_: type[T]) -> T:
    """A typed JSON body; raises ``body.malformed`` or ``body.too_deep``."""
    try:
        return msgspec.json.decode(raw, type=type_)
    except RecursionError:
        raise Refused("body.too_deep") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Refused("body.malformed", why=str(error)[:200]) from None


def decode_command(raw: bytes, *, msgpack: bool) -> CommandAsked:
    """A command as asked, under the same limits as a frame of signaling (``signaling.codec``)."""
    try:
        value = unpack(raw) if msgpack else decode_json(raw, dict)
        check_value(value)
        return msgspec.convert(value, type=CommandAsked)
    except BadFrame as bad:
        raise Refused(
            "body.too_deep" if bad.code == "frame.depth" else "body.malformed", why=bad.code
        ) from None
    except (msgspec.ValidationError, TypeError) as error:
        raise Refused("body.malformed", why=str(error)[:200]) from None


def unhex(text: object, size: int | None = None) -> bytes:
    """Bytes from lower-case hex, of exactly ``size`` bytes where one is given."""
    if not isinstance(text, str) or not HEX.fullmatch(text):
        raise Refused("body.malformed", why="not lower-case hex")
    if size is not None and len(text) != 2 * size:
        raise Refused("body.malformed", why=f"not {size} bytes")
    return bytes.fromhex(text)


@lru_cache(maxsize=256)
def _shape_of(cls: type) -> inspect.Type:
    return inspect.type_info(cls)


def args_from_json(cls: type, args: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a command as they would be in msgpack: hex becomes bytes where bytes are
    asked.

    Unknown members and wrong types stay as they are: the domain's own check refuses them.
    """
    shape = _shape_of(cls)
    assert isinstance(shape, inspect.StructType)
    fields = {each.encode_name: each.type for each in shape.fields}
    return {
        name: _from_json(value, fields[name]) if name in fields else value
        for name, value in args.items()
    }


def _from_json(value: Any, shape: inspect.Type) -> Any:
    match shape:
        case inspect.Metadata():
            return _from_json(value, shape.type)
        case inspect.BytesType():
            return unhex(value)
        case inspect.ListType() | inspect.VarTupleType() if isinstance(value, list):
            return [_from_json(each, shape.item_type) for each in value]
        case inspect.DictType() if isinstance(value, dict):
            return {
                _from_json(key, shape.key_type): _from_json(each, shape.value_type)
                for key, each in value.items()
            }
        case _:
            return value


def to_json(value: Any) -> bytes:
    """JSON with every bytes, also a map's key, as lower-case hex."""
    return msgspec.json.encode(_hexed(value))


def _hexed(value: Any) -> Any:
    if isinstance(value, bytes | bytearray | memoryview):
        return value.hex()
    if isinstance(value, Mapping):
        return {_hexed(key): _hexed(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_hexed(each) for each in value]
    return value


def prefers_msgpack(request: web.Request) -> bool:
    """Whether the answer is to be msgpack: asked for, or else the body came so."""
    accepted = request.headers.get("Accept", "")
    if MSGPACK in accepted:
        return True
    return request.content_type == MSGPACK and JSON not in accepted


def answer(request: web.Request, value: Any, status: int = 200) -> web.Response:
    """An answer in the form that the client takes."""
    if prefers_msgpack(request):
        return web.Response(body=msgspec.msgpack.encode(value), status=status, content_type=MSGPACK)
    return web.Response(body=to_json(value), status=status, content_type=JSON)
