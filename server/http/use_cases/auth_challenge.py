"""POST /auth/challenge: a question that only the holder of a login key can answer (登录质询)."""

from aiohttp import web

from crypto.keys import PUBLIC_SIZE
from server.domain.model import Actor
from server.http.front import Front
from server.http.shapes import ChallengeAsked
from server.http.wire import answer, read_json, unhex


async def handle(request: web.Request, front: Front, _actor: Actor) -> web.StreamResponse:
    """Says nothing about whether the key is known."""
    address = front.address(request)
    front.challenge_rate.take(address)
    limits = front.settings.limits
    asked = await read_json(request, ChallengeAsked, limits.auth_body_max, limits.body_within_s)
    public = unhex(asked.public, PUBLIC_SIZE)
    question, expiry_ms = front.challenges.issue(public, address)
    return answer(request, {"challenge": question, "expiry_ms": expiry_ms})
