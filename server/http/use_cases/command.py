"""POST /rooms/{room}/commands: a command by HTTP, where a proxy strips WebSocket (命令回退通道).

Received is what the connection says (``reading_moment``), so a command is judged here like a frame
on the socket. What nobody signed in asks has no cmd_id towards the room: "the public" is not one
client, and must not get another's stored answer. A card is guessed by nobody who is slow (C8).
"""

from aiohttp import web

from server.domain.commands import COMMANDS, parse_command
from server.domain.model import Actor, Role
from server.domain.refusals import Refused
from server.http.front import Front
from server.http.guard import refusal_answer
from server.http.reading_moment import read_ms
from server.http.wire import answer, args_from_json, decode_command, is_msgpack, read_body


async def handle(request: web.Request, front: Front, actor: Actor) -> web.StreamResponse:
    """{cmd_id, op, args} -> {result}, or the room's refusal."""
    is_public = actor.role is Role.VIEWER
    front.command_rate.take(front.address(request) if is_public else actor.person)
    limits = front.settings.limits
    msgpack = is_msgpack(request)
    raw = await read_body(request, limits.command_body_max, limits.body_within_s)
    received_ms = read_ms(request)
    asked = decode_command(raw, msgpack=msgpack)
    if asked.op == "card_unlock":
        front.card_rate.take(front.address(request))
    name = request.match_info["room"]
    room = front.hall.room(name)
    if room is None:
        raise Refused("room.unknown")
    kind = name.split(":", 1)[0]
    args = asked.args
    cls = COMMANDS.get((kind, asked.op))
    if cls is not None and not msgpack:
        args = args_from_json(cls, args)
    command = parse_command(kind, asked.op, args)
    told = await room.ask(command, actor, "" if is_public else asked.cmd_id, received_ms)
    if told.ok:
        return answer(request, {"result": told.result})
    return refusal_answer(request, told.code, told.detail, told.retryable)
