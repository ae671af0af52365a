"""GET /rooms/{room}/events: a channel by long poll, where a proxy strips WebSocket (事件长轮询)."""

from collections.abc import Sequence
from typing import Any

import msgspec
from aiohttp import web

from server.domain.model import Actor, Role
from server.domain.refusals import Refused
from server.http.front import Front
from server.http.ports import EventRow
from server.http.queries import int_query, text_query
from server.http.wire import answer, prefers_msgpack

SLICE_MS = 2000  # how soon the place of a client that has gone is free again


async def handle(request: web.Request, front: Front, actor: Actor) -> web.StreamResponse:
    """Events after ``after`` of ``epoch``; from another epoch the whole channel."""
    room = request.match_info["room"]
    audience = text_query(request, "audience")
    epoch = int_query(request, "epoch", 0)
    after = int_query(request, "after", 0)
    limits = front.settings.limits
    wait_ms = min(int_query(request, "wait_ms", limits.poll_wait_ms_max), limits.poll_wait_ms_max)
    if front.hall.room(room) is None:
        raise Refused("room.unknown")
    if not front.hall.may_subscribe(actor, room, audience):
        raise Refused("auth.required" if actor.role is Role.VIEWER else "channel.not_yours")
    with front.polls.held(front.address(request)):
        now_epoch, rows = await _poll(request, front, (room, audience), (epoch, after), wait_ms)
    return answer(
        request,
        {
            "epoch": now_epoch,
            "server_ms": front.hall.now_ms(),
            "events": _events(rows, msgpack=prefers_msgpack(request)),
        },
    )


async def _poll(
    request: web.Request,
    front: Front,
    channel: tuple[str, str],
    position: tuple[int, int],
    wait_ms: int,
) -> tuple[int, Sequence[EventRow]]:
    limit = front.settings.limits.poll_events_max
    epoch, after = position
    now_epoch, rows = await front.hall.events(*channel, after, limit, 0)
    if after and epoch != now_epoch:
        # Positions of another epoch say nothing about this one (design.md §5).
        return await front.hall.events(*channel, 0, limit, 0)
    while not rows and wait_ms > 0 and not front.is_gone(request):
        slice_ms = min(SLICE_MS, wait_ms)
        now_epoch, rows = await front.hall.events(*channel, after, limit, slice_ms)
        wait_ms -= slice_ms
    return now_epoch, rows


def _events(rows: Sequence[EventRow], *, msgpack: bool) -> list[tuple[Any, ...]]:
    """In msgpack the payload is spliced in as it was stored, in JSON it is decoded."""
    if msgpack:
        return [(*row[:3], msgspec.Raw(row[3]), row[4]) for row in rows]
    return [(*row[:3], msgspec.msgpack.decode(row[3]), row[4]) for row in rows]
