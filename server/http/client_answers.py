"""What a client of ours makes of an answer (应答): a value, or the server's refusal.

Invariant: whatever an answer says that is not a success is raised as ``HallRefused`` with a stable
code.
"""

from collections.abc import Mapping
from typing import Any

import aiohttp
import msgspec

from server.http.refusals import CODE_HEADER, RETRY_AFTER_S
from server.http.wire import MSGPACK


class HallRefused(Exception):
    """The server said no. ``code`` is stable, ``retryable`` says whether later may be better."""

    def __init__(self, status: int, code: str, retryable: bool, detail: Mapping[str, Any]) -> None:
        super().__init__(f"{status} {code} {dict(detail)}")
        self.status = status
        self.code = code
        self.retryable = retryable
        self.detail = detail


async def raise_refusal(response: aiohttp.ClientResponse) -> None:
    """Raises what the server refused; a HEAD answer tells its code in a header only."""
    if response.status < 400:
        return
    body = await read_value(response) or {}
    raise HallRefused(
        response.status,
        response.headers.get(CODE_HEADER) or f"http.{response.status}",
        body.get("retryable", response.status in RETRY_AFTER_S),
        body.get("detail", {}),
    )


async def read_value(response: aiohttp.ClientResponse) -> Any:
    """The body, in whichever form it came; None where there is none, or none of ours."""
    raw = await response.read()
    decode = msgspec.msgpack.decode if response.content_type == MSGPACK else msgspec.json.decode
    try:
        return decode(raw) if raw else None
    except msgspec.DecodeError:
        return None
