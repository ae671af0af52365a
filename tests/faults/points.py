"""Named places (故障点) at which a hall of the tests dies, as if by kill -9.

``name@what#count``: at the ``count``-th time that ``name`` is passed with ``what`` (an event type,
or a command's op for replies; nothing: any). Production code knows none of this: the places are
put around its functions from outside, in the process that is to die.
"""

import os
import re
import signal
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

from server.rooms.hall import Hall
from server.rooms.room import Room
from server.storage.journal import Journal
from server.storage.site_log import SiteLog
from server.storage.site_tick import Tick
from server.storage.transaction import Transaction
from server.storage.writer import Writer

FORM = re.compile(r"(?P<name>[a-z_]+)(?:@(?P<what>[a-z_]+))?(?:#(?P<count>[0-9]+))?")


def die() -> NoReturn:
    """No handler, no flush, no goodbye."""
    os.kill(os.getpid(), signal.SIGKILL)
    signal.pause()
    raise AssertionError("still alive")


@dataclass
class Point:
    """Where to die, and how many passes are left until then."""

    what: str | None
    left: int

    def passed(self, kinds: list[str]) -> bool:
        """Whether this is the pass to die at. Two of a kind that go together are two passes."""
        passes = 1 if self.what is None else kinds.count(self.what)
        self.left -= passes
        return passes > 0 and self.left <= 0


def install(spec: str) -> None:
    """Puts the one point of this life in place; "" for none. Raises KeyError for unknown names."""
    if not spec:
        return
    found = FORM.fullmatch(spec)
    assert found is not None, spec
    POINTS[found["name"]](Point(found["what"], int(found["count"] or 1)))


def _types(item: Any) -> list[str]:
    return [row.type for row in item.rows]


def _before_append(point: Point) -> None:
    """Decided, nothing written."""
    append = Journal.append

    def wrapped(self: Journal, item: Any) -> Any:
        if point.passed(_types(item)):
            die()
        return append(self, item)

    Journal.append = wrapped


def _after_append(point: Point) -> None:
    """Durable, and the room knows it; nobody was answered or told."""
    append = Journal.append

    def wrapped(self: Journal, item: Any) -> Any:
        future = append(self, item)
        if point.passed(_types(item)):
            future.add_done_callback(lambda _: die())
        return future

    Journal.append = wrapped


def _before_commit(point: Point) -> None:
    """Written, within the transaction."""
    append = Transaction.append

    def wrapped(self: Transaction, item: Any) -> None:
        append(self, item)
        if point.passed(_types(item)):
            die()

    Transaction.append = wrapped


def _after_commit(point: Point) -> None:
    """Durable, and the loop does not know it yet."""
    append, tell = Transaction.append, Writer._tell
    reached = []

    def noted(self: Transaction, item: Any) -> None:
        append(self, item)
        if point.passed(_types(item)):
            reached.append(True)

    def wrapped(self: Writer, outcomes: Any) -> None:
        if reached:
            die()
        tell(self, outcomes)

    Transaction.append, Writer._tell = noted, wrapped


def _mid_publish(point: Point) -> None:
    """Some were told, others not, nobody was answered."""
    publish = Hall._publish_all

    def wrapped(self: Hall, room: Room, published: Any) -> None:
        for number, event in enumerate(published, 1):
            publish(self, room, [event])
            if point.passed([event.type]) and number <= len(published):
                die()

    Hall._publish_all = wrapped


def _around_reply(point: Point, *, before: bool) -> None:
    put = Room.put

    def wrapped(self: Room, request: Any) -> None:
        reply: Callable[[Any], None] = request.reply

        def dying(answer: Any) -> None:
            dies = point.passed([request.command.OP])
            if dies and before:
                die()
            reply(answer)
            if dies:
                die()

        request.reply = dying
        put(self, request)

    Room.put = wrapped


def _mid_tick(point: Point) -> None:
    """Leaves and tree are written, within the transaction."""
    tick = Tick.__call__

    def wrapped(self: Tick, transaction: Transaction) -> Any:
        ticked = tick(self, transaction)
        if point.passed([]):
            die()
        return ticked

    Tick.__call__ = wrapped


def _after_tick(point: Point) -> None:
    """The leaf is durable, its checkpoint unknown to all."""
    advance = SiteLog._advance

    def wrapped(self: SiteLog, ticked: Any) -> None:
        if point.passed([]):
            die()
        advance(self, ticked)

    SiteLog._advance = wrapped


POINTS: dict[str, Callable[[Point], None]] = {
    "before_append": _before_append,
    "before_commit": _before_commit,
    "after_commit": _after_commit,
    "after_append": _after_append,
    "mid_publish": _mid_publish,
    "before_reply": lambda point: _around_reply(point, before=True),
    "after_reply": lambda point: _around_reply(point, before=False),
    "mid_tick": _mid_tick,
    "after_tick": _after_tick,
}
