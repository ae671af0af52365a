"""WHIP on the wire: bearer tokens and small texts (RFC 9725 §4.5).

Invariant: a token is looked at before a byte of a body is read, and a wrong one is answered with
how to log in (RFC 6750 §3).
"""

from functools import wraps

from aiohttp import web

from server.domain.model import Actor
from server.domain.refusals import Refused
from server.http.front import Front
from server.http.guard import UseCase, refusal_answer
from server.http.live_gate import gate_of
from server.http.wire import read_body


def authorization(request: web.Request) -> str:
    return request.headers.get("Authorization", "")


def bearer(use_case: UseCase) -> UseCase:
    """A use case whose ``whip.token`` is answered with a challenge; guesses are bounded."""

    @wraps(use_case)
    async def handle(request: web.Request, front: Front, actor: Actor) -> web.StreamResponse:
        try:
            return await use_case(request, front, actor)
        except Refused as refused:
            if refused.code != "whip.token":
                raise
        gate_of(request).take_guess(front.address(request))
        response = refusal_answer(request, "whip.token", {})
        response.headers["WWW-Authenticate"] = 'Bearer realm="kaibiao"'
        return response

    return handle


async def read_text(request: web.Request, front: Front, media_type: str, size_max: int) -> str:
    """A body of this type. Refused ``body.*``."""
    if request.content_type != media_type:
        raise Refused("body.media_type")
    raw = await read_body(request, size_max, front.settings.limits.body_within_s)
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise Refused("body.malformed") from None
