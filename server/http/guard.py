"""The door (门禁): host, origin and person are checked here, refusals become answers here.

Whose request is it? A state-changing request (anything but GET, HEAD, OPTIONS) is taken only if

* its ``Origin`` is ours, or
* it has no ``Origin`` and no session cookie: then no browser lent it anybody's authority. Browsers
  send Origin with every such request; programs of ours send it too, because they carry a session.

``Sec-Fetch-Site``, where a browser sends it, must say same-origin as well. ``SameSite=Strict`` on
the cookie is the second lock. No answer ever carries an Access-Control header, so no foreign page
reads one.

Invariant: a handler runs only after all of this; what it raises reaches the client as a code.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from aiohttp import web

from crypto.errors import Rejected
from server.domain.model import Actor, Role
from server.domain.refusals import Refused
from server.http.front import FRONT, Front
from server.http.refusals import CODE_HEADER, RETRY_AFTER_S, refusal_body, refusal_of
from server.http.wire import answer

log = logging.getLogger("kaibiao.http")

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
UseCase = Callable[[web.Request, Front, Actor], Awaitable[web.StreamResponse]]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def admitted(use_case: UseCase, who: frozenset[Role] | None, *, costly: bool = False) -> Handler:
    """``use_case`` behind its door: ``who`` may come in, None means everybody.

    ``costly``: computed for whoever asks, so each address may ask only so often.
    """

    async def handle(request: web.Request) -> web.StreamResponse:
        front = request.app[FRONT]
        if costly:
            front.lookup_rate.take(front.address(request))
        actor = front.actor(request)
        if who is not None and actor.role not in who:
            raise Refused("auth.required" if actor.role is Role.VIEWER else "auth.role")
        return await use_case(request, front, actor)

    return handle


@web.middleware
async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Checks host and origin; turns whatever goes wrong into a stable code."""
    try:
        front = request.app[FRONT]
        _check_host(request, front)
        if request.method not in SAFE_METHODS:
            _check_origin(request, front)
        return await handler(request)
    except Refused as refused:
        return refusal_answer(request, refused.code, refused.detail)
    except Rejected as rejected:
        return refusal_answer(request, rejected.code, {"why": rejected.detail})
    except web.HTTPMethodNotAllowed as error:
        response = refusal_answer(request, "route.method", {})
        response.headers["Allow"] = ",".join(sorted(error.allowed_methods))
        return response
    except web.HTTPNotFound:
        return refusal_answer(request, "route.unknown", {})
    except web.HTTPException:
        raise
    except ConnectionError:
        raise  # The client has gone; there is nobody to answer.
    except Exception:
        # Never the path itself: it may name an upload.
        resource = request.match_info.route.resource
        log.exception("http.trouble route=%s", resource.canonical if resource else "-")
        request.app[FRONT].metrics.trouble()
        return refusal_answer(request, "server.trouble", {})


def refusal_answer(
    request: web.Request, code: str, detail: Mapping[str, Any], retryable: bool | None = None
) -> web.Response:
    """The answer to a refused request; a room's own ``retryable`` counts before the table's."""
    body = refusal_body(code, detail)
    if retryable is not None:
        body["retryable"] = retryable
    response = answer(request, body, refusal_of(code).status)
    response.headers[CODE_HEADER] = code  # A HEAD request gets no body.
    if response.status in RETRY_AFTER_S:
        response.headers["Retry-After"] = RETRY_AFTER_S[response.status]
    return response


def _check_host(request: web.Request, front: Front) -> None:
    if request.headers.get("Host", "").lower() not in front.settings.known_hosts:
        front.metrics.foreign()
        raise Refused("host.unknown")


def _check_origin(request: web.Request, front: Front) -> None:
    origin = request.headers.get("Origin")
    if origin is None and front.session_token(request):
        raise Refused("origin.missing")
    is_ours = origin is None or origin == front.settings.origin
    site = request.headers.get("Sec-Fetch-Site", "same-origin")
    if not is_ours or site not in ("same-origin", "none"):
        front.metrics.foreign()
        raise Refused("origin.foreign")
