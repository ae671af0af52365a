"""GET /auth/me: who is logged in (当前身份)."""

from typing import Any

from aiohttp import web

from server.domain.model import Actor
from server.http.front import Front
from server.http.ports import Person
from server.http.wire import answer


def describe_person(person: Person) -> dict[str, Any]:
    """A person as their own pages show them."""
    actor = person.actor
    return {
        "person": actor.person,
        "role": str(actor.role),
        "org": actor.org,
        "name": actor.name,
        "org_name": person.org_name,
    }


async def handle(request: web.Request, front: Front, _actor: Actor) -> web.StreamResponse:
    """An empty map for the public."""
    person = front.person(request)
    return answer(request, describe_person(person) if person else {})
