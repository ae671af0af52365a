"""Query parameters (查询参数): numbers and texts within limits, or ``query.malformed``."""

import re
from typing import Final

from aiohttp import web

from server.domain.refusals import Refused
from signaling.codec import INTEGER_MAX, NAME_LENGTH_MAX

NUMBER: Final = re.compile(r"0|[1-9][0-9]{0,15}")
ID: Final = re.compile(r"[a-z0-9-]{1,64}")  # of a tender, and of its opening
HEX: Final = re.compile(r"[0-9a-f]+")


def int_query(request: web.Request, name: str, default: int | None = None) -> int:
    """A number 0..2^53-1; without a default it must be there."""
    text = request.query.get(name)
    if text is None and default is not None:
        return default
    if text is None or not NUMBER.fullmatch(text) or int(text) > INTEGER_MAX:
        raise Refused("query.malformed", name=name)
    return int(text)


def text_query(request: web.Request, name: str) -> str:
    """A short text that must be there."""
    text = request.query.get(name, "")
    if not 0 < len(text) <= NAME_LENGTH_MAX:
        raise Refused("query.malformed", name=name)
    return text


def hex_query(request: web.Request, name: str, size: int) -> bytes:
    """Exactly ``size`` bytes in lower-case hex."""
    text = request.query.get(name, "")
    if len(text) != 2 * size or not HEX.fullmatch(text):
        raise Refused("query.malformed", name=name)
    return bytes.fromhex(text)
