"""A room: the actor of one stream (actor: bounded queue -> decide -> append -> evolve -> publish).

Invariant: nobody hears of an event before it is durable; commands are decided in the order in
which they were put; while one append is being synced the queue fills, so the next append is as
large as the load asks (group commit). A failed ``assert`` anywhere in the rules stops the room;
the hall rebuilds it from the journal and hands on what nobody has answered (``unanswered``).

Measured in one process on 1,000 bids, 2026-11-22: an UNLOCK costs its turn 105 us of CPU before the
fsync (its signature 48, parsed and decided 18, three rows 16, its log entry 11, its state 7, its
answer 5) and 20 after it, for the promise. Sockets and SQLite take as much again.
"""

import asyncio
import logging
import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgpack
from msgspec import Struct

from crypto.entries import encode_entry
from crypto.errors import Rejected
from server.domain.commands import Command, Extend, Pause, Resume, StartWindow
from server.domain.events import PARTY, Event
from server.domain.log_entries import entries_of
from server.domain.model import Actor, Context
from server.domain.promises import Promise
from server.domain.refusals import REFUSALS, Refused
from server.rooms.clock import Clock
from server.rooms.kinds import kind_of
from server.rooms.replay import Standing, replay
from server.rooms.rows import Published, RowMaker
from server.storage.journal import Answer as StoredAnswer
from server.storage.journal import Append, Journal, LogEntry, Row

QUEUE_MAX = 8192
BATCH_MAX = 256  # commands per append
ROWS_ENOUGH = 1024  # rows of an append; one command more may make as many again and still fit
SLICE = 16  # commands between two yields to the loop
ANSWERS_MAX = 20_000
ENTROPY_BYTES = 512

log = logging.getLogger("kaibiao.rooms")


class Answer(Struct, frozen=True):
    """What a command is answered; ``result`` carries the signed promises (acks)."""

    ok: bool
    result: dict[str, Any] = {}  # msgspec gives each its own
    code: str = ""
    retryable: bool = False
    detail: dict[str, Any] = {}


@dataclass(slots=True, eq=False)
class Request:
    """A command in the queue."""

    command: Command
    actor: Actor
    cmd_id: str
    received_ms: int
    reply: Callable[[Answer], None]


Stored = tuple[Answer, list[Promise]]  # an answer as it was stored, its promises not signed yet


@dataclass(slots=True)
class _Decided:
    """One drained batch on its way to the disk."""

    rows: list[Row] = field(default_factory=list)
    entries: list[LogEntry] = field(default_factory=list)
    stored: list[StoredAnswer] = field(default_factory=list)
    published: list[Published] = field(default_factory=list)
    replies: list[tuple[Request, Answer | Stored, list[Published]]] = field(default_factory=list)
    own: list[Published] = field(default_factory=list)  # of parties, by the command at hand

    def reply(self, request: Request, answer: "Answer | Stored") -> None:
        """What its party hears leaves with its answer: one write to a thousand bidders, not two."""
        self.replies.append((request, answer, self.own))
        self.own = []

    def mark(self) -> tuple[int, ...]:
        return tuple(map(len, self._lists()))

    def restore(self, mark: tuple[int, ...]) -> None:
        """Forgets what was decided after the mark."""
        self.own = []
        for kept, length in zip(self._lists(), mark, strict=True):
            del kept[length:]

    def _lists(self) -> tuple[list[Any], ...]:
        return self.rows, self.entries, self.stored, self.published, self.replies


TROUBLE = Answer(False, code="server.trouble", retryable=True)


class Stopped(Exception):
    """The room met an impossible state and must be rebuilt from the journal."""


class Room:
    """The one owner of ``stream``."""

    def __init__(
        self,
        stream: str,
        journal: Journal,
        clock: Clock,
        *,
        publish: Callable[["Room", list[Published]], None],
        sign_ack: Callable[[bytes, Promise], bytes],
        allow_test: bool,
        changed: Callable[["Room"], None],
        find_person: Callable[[str], Actor | None] = lambda person: None,
        since: Standing | None = None,
    ) -> None:
        """``find_person``: in the registry. ``since``: a snapshot to replay from, instead of from
        the first row.
        """
        self.stream = stream
        self.kind = kind_of(stream, allow_test=allow_test)
        stood = replay(self.kind, stream, journal.read, since)
        self.state: Any = stood.state
        self._journal = journal
        self._clock = clock
        self._publish = publish
        self._sign_ack = sign_ack
        self._changed = changed
        self._find_person = find_person
        self._queue: asyncio.Queue[Request] = asyncio.Queue(QUEUE_MAX)
        self._answers: OrderedDict[tuple[str, str], bytes] = OrderedDict()
        self._durable = stood.positions
        self._rows = RowMaker(stream, journal.epoch, stood.head, self.durable_position)
        self._batch: list[Request] = []  # taken from the queue, not answered yet
        self._handed_over = asyncio.Event()
        self._handed_over.set()
        self.told_seq = stood.head.seq  # the newest row that was published
        self.last_ts_ms = stood.last_ts_ms
        self._replayed = stood.head.seq > 0

    # ---- outside

    @property
    def queue_length(self) -> int:
        return self._queue.qsize()

    def durable_position(self, audience: str) -> int:
        """The newest seq of a channel that everybody may know of. The replay has seen them all: a
        thousand parties' channels cost no question to the journal.
        """
        return self._durable.get(audience, 0)

    def put(self, request: Request) -> None:
        """Queues a command; order of calls is order of judgement. Raises room.busy."""
        try:
            self._queue.put_nowait(request)
        except asyncio.QueueFull:
            raise Refused("room.busy") from None

    async def ask(self, command: Command, actor: Actor, cmd_id: str, received_ms: int) -> Answer:
        """Puts a command and waits for its answer."""
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()

        def reply(answer: Answer) -> None:
            if not future.done():
                future.set_result(answer)

        self.put(Request(command, actor, cmd_id, received_ms, reply))
        return await future

    async def handed_over(self) -> None:
        """Returns when everything decided so far has been given to the journal.

        A tick of the site log waits for this: an entry must not reach the log after the leaves of
        the second it belongs to, however long the loop was stalled between the two.
        """
        await self._handed_over.wait()

    def standing(self) -> Standing | None:
        """What a snapshot of now would hold; None while anything is on its way to the disk."""
        if self.told_seq != self._rows.head.seq:
            return None
        return Standing(self.state, self._rows.head, self.last_ts_ms, dict(self._durable))

    def unanswered(self) -> list[Request]:
        """What a stopped room leaves behind, in order; the room that takes its place asks the
        journal whether any of it was done already.
        """
        left, self._batch = self._batch, []
        while not self._queue.empty():
            left.append(self._queue.get_nowait())
        return left

    async def run(self) -> None:
        """Lives until cancelled. Raises Stopped on our own mistake."""
        try:
            while True:
                if not self._batch:
                    self._batch = [await self._queue.get()]
                while len(self._batch) < BATCH_MAX and not self._queue.empty():
                    self._batch.append(self._queue.get_nowait())
                await self._turn()
        except AssertionError as error:
            log.exception("room stopped: %s", self.stream)
            raise Stopped(self.stream) from error

    # ---- inside

    async def _turn(self) -> None:
        """Decide the batch, or as much of it as fits one append; make durable once, then answer
        and publish. The rest stays in the batch.
        """
        decided = _Decided()
        self._handed_over.clear()
        try:
            for number, request in enumerate(list(self._batch)):
                if len(decided.rows) > ROWS_ENOUGH or len(decided.entries) > ROWS_ENOUGH:
                    break
                if number % SLICE == SLICE - 1:
                    await asyncio.sleep(0)
                self._decide(request, decided)
            durable = self._append(decided)
        finally:
            self._handed_over.set()
        if durable is not None:
            await durable
        for row in decided.rows:
            if row.audience_seq:
                self._durable[row.audience] = row.audience_seq
        # The hall and its staff must not wait until everybody has an answer.
        if decided.published:
            self._publish(self, decided.published)
        for number, (request, answer, own) in enumerate(decided.replies):
            if number % SLICE == SLICE - 1:
                await asyncio.sleep(0)
            if own:
                self._publish(self, own)
            self._batch.remove(request)
            request.reply(answer if isinstance(answer, Answer) else self._promised(*answer))
        self.told_seq = self._rows.head.seq
        if decided.rows:
            self._changed(self)

    def _append(self, decided: _Decided) -> "asyncio.Future[None] | None":
        if not decided.rows and not decided.stored:
            return None
        return self._journal.append(Append(decided.rows, decided.stored, decided.entries))

    def _decide(self, request: Request, decided: _Decided) -> None:
        """One command, wholly or not at all. What the rules did not foresee is no reason for
        anybody else to wait: it is answered, logged, and leaves no trace. An ``assert`` is.
        """
        mark = (self.state, self._rows.mark(), decided.mark())
        try:
            self._judge(request, decided)
            return
        except AssertionError:
            # Never again: the rebuilt room would only stop at it too.
            self._batch.remove(request)
            request.reply(TROUBLE)
            raise
        except Rejected as error:
            detail = {"why": str(error.detail)} if error.detail else {}
            answer = Answer(False, code=error.code, detail=detail)
        except Exception:
            log.exception("unforeseen: %s %s", self.stream, request.command.OP)
            answer = TROUBLE
        self.state = mark[0]
        self._rows.restore(mark[1])
        decided.restore(mark[2])
        decided.reply(request, answer)

    def _judge(self, request: Request, decided: _Decided) -> None:
        known = self._known_answer(request.actor.person, request.cmd_id)
        if known is not None:
            decided.reply(request, _unpack(known))
            return
        ctx = Context(
            actor=request.actor,
            now_ms=self._moment_of(request.command),
            received_ms=request.received_ms,
            entropy=(
                secrets.token_bytes(ENTROPY_BYTES)
                if isinstance(request.command, StartWindow)
                else b""
            ),
            people=self._people(request.command),
        )
        try:
            events = self.kind.decide(self.state, request.command, ctx)
        except Refused as refused:
            self._refuse(request, refused, ctx, decided)
            return
        self._take(events, request, ctx, decided)
        promises = self.kind.promises(self.state, request.command, ctx, not events)
        # Nothing of the stream's own numbers: before the deadline they would say how many bids
        # there are.
        self._store(request, Answer(True), promises, decided)

    def _people(self, command: Command) -> dict[str, Actor]:
        named = command.people()
        if not named:
            return {}
        found = {person: self._find_person(person) for person in named}
        return {person: actor for person, actor in found.items() if actor is not None}

    def _moment_of(self, command: Command) -> int:
        """When it is decided: never before what was decided already. Changes of a window have a
        millisecond each: nothing else in the log says which of two came first.
        """
        now_ms = max(self._clock.now_ms(), self.last_ts_ms)
        is_change = isinstance(command, StartWindow | Pause | Resume | Extend)
        return now_ms + 1 if is_change and now_ms == self.last_ts_ms else now_ms

    def _refuse(self, request: Request, refused: Refused, ctx: Context, decided: _Decided) -> None:
        """A refusal with evidence is journaled and answered for good; without, it may be asked
        again.
        """
        row = REFUSALS[refused.code]
        answer = Answer(False, {}, refused.code, row.retryable, refused.detail)
        if not refused.evidence:
            decided.reply(request, answer)
            return
        self._take(list(refused.evidence), request, ctx, decided)
        promises = self.kind.promises_of_refusal(self.state, request.command, refused, ctx)
        self._store(request, answer, promises, decided)

    def _take(self, events: list[Event], request: Request, ctx: Context, decided: _Decided) -> None:
        for event in events:
            row, published = self._rows.make(
                event, actor=request.actor.person, cmd_id=request.cmd_id, ts_ms=ctx.now_ms
            )
            decided.rows.append(row)
            if published.audience.startswith(PARTY):
                decided.own.append(published)
            elif published.seq:
                decided.published.append(published)
            self.state = self.kind.evolve(self.state, event, ctx.now_ms)
            rules = self.kind.rules(self.state)
            if rules is None:
                continue
            for type_, members in entries_of(event, rules, ctx.now_ms):
                entry = encode_entry(type_, members, secrets.token_bytes(16))
                decided.entries.append(LogEntry(ctx.now_ms, rules.tender_id, entry))
        self.last_ts_ms = ctx.now_ms

    def _store(
        self, request: Request, answer: Answer, promises: list[Promise], decided: _Decided
    ) -> None:
        packed = _pack(answer, promises)
        if request.cmd_id:
            key = (request.actor.person, request.cmd_id)
            decided.stored.append(StoredAnswer(self.stream, *key, packed))
            self._answers[key] = packed
            if len(self._answers) > ANSWERS_MAX:
                self._answers.popitem(last=False)
                self._replayed = True  # from now on a miss must ask the journal
        decided.reply(request, (answer, promises))

    def _known_answer(self, person: str, cmd_id: str) -> bytes | None:
        if not cmd_id:
            return None
        known = self._answers.get((person, cmd_id))
        if known is None and self._replayed:
            known = self._journal.answer(self.stream, person, cmd_id)
        return known

    def _promised(self, answer: Answer, promises: list[Promise]) -> Answer:
        """Signed only now, after the fsync (C14); deterministic, so a repeat gets the same
        bytes.
        """
        if not promises:
            return answer
        rules = self.kind.rules(self.state)
        assert rules is not None
        acks = {"acks": [self._sign_ack(rules.tender_id, promise) for promise in promises]}
        if answer.ok:
            return Answer(True, answer.result | acks)
        return Answer(False, {}, answer.code, answer.retryable, answer.detail | acks)


def _pack(answer: Answer, promises: list[Promise]) -> bytes:
    packed = msgpack.packb(
        [
            answer.ok,
            answer.result,
            answer.code,
            answer.retryable,
            answer.detail,
            [(p.kind, p.digest, p.result, p.received_ms, p.signed_ms) for p in promises],
        ]
    )
    assert isinstance(packed, bytes)
    return packed


def _unpack(packed: bytes) -> Stored:
    *answer, promises = msgpack.unpackb(packed)
    return Answer(*answer), [Promise(*promise) for promise in promises]
