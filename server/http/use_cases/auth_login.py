"""POST /auth/login: the answer to a challenge becomes a session (登录)."""

from aiohttp import web

from crypto.keys import PUBLIC_SIZE, SIGNATURE_SIZE, verify
from server.domain.model import Actor
from server.domain.refusals import Refused
from server.http.front import Front
from server.http.login_message import CHALLENGE_SIZE, login_message
from server.http.shapes import LoginAsked
from server.http.use_cases.auth_me import describe_person
from server.http.wire import answer, read_json, unhex


async def handle(request: web.Request, front: Front, _actor: Actor) -> web.StreamResponse:
    """The challenge is spent whatever comes of it. A new session id each time (rotation)."""
    front.login_rate.take(front.address(request))
    limits = front.settings.limits
    asked = await read_json(request, LoginAsked, limits.auth_body_max, limits.body_within_s)
    public = unhex(asked.public, PUBLIC_SIZE)
    question = unhex(asked.challenge, CHALLENGE_SIZE)
    signature = unhex(asked.signature, SIGNATURE_SIZE)
    if not front.challenges.spend(question, public, asked.expiry_ms):
        raise Refused("auth.challenge_unknown")
    message = login_message(front.settings.origin, question, asked.expiry_ms, public)
    if not verify(public, message, signature):
        raise Refused("auth.signature")
    person = front.hall.person_by_key(public)
    if person is None:
        raise Refused("auth.key_unknown")
    token = front.sessions.begin(public, front.replaced_token(request))
    told = {"session": token} if front.settings.demo else {}
    response = answer(request, {"me": describe_person(person), **told})
    front.set_cookie(response, token)
    return response
