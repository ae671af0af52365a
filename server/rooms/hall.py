"""The hall (大厅): every room with its minder, over one journal, one site log, one store.

Who closes whom is said in ARCHITECTURE.md. Invariant: a room that stops is rebuilt from the
journal before anything else is asked of it; a disk that fails ends the process.
"""

import asyncio
import contextlib
import logging
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from crypto.ack import ACK_SUBMIT, ACK_WITHDRAW, RESULT_ACCEPTED, build_ack
from crypto.entries import decode_entry
from crypto.keys import SigningKey
from crypto.messages import KIND_SUBMIT
from server.decryption.pool import Pool
from server.domain import commands as cmd
from server.domain.commands import Command, RegisterBidder
from server.domain.evaluation_room_commands import HoldMeeting
from server.domain.evaluation_room_rules import may_hear
from server.domain.model import SYSTEM, Actor
from server.domain.opening import Stage
from server.domain.promises import Promise
from server.domain.refusals import Refused
from server.domain.registry import Person, Registry
from server.domain.roles import may_subscribe
from server.domain.tender import Received
from server.rooms.clock import Clock
from server.rooms.flows import Minder
from server.rooms.invitations import invitation_signature
from server.rooms.kinds import kind_of
from server.rooms.room import Answer, Request, Room
from server.rooms.rows import Published, payload_of, published
from server.rooms.snapshot_keeper import SnapshotKeeper
from server.rooms.work import Worker
from server.storage.blobs import BlobStore
from server.storage.journal import Journal
from server.storage.site_log import Logged, SiteLog
from signaling.pass_clock import PassClock

REBUILDS_MAX = 5  # of one room; a room that cannot live is left stopped, the others go on
REBUILDS_FORGOTTEN_S = 60.0  # a room that has lived so long may fail as often again
TICK_LATE_MS = 20  # after the full second, so that what was decided in it has been handed over

Publish = Callable[[str, Published, int], None]

log = logging.getLogger("kaibiao.hall")


def members_of(logged: Logged) -> dict[str, Any]:
    """The JSON members of a logged entry."""
    return dict(decode_entry(logged.entry).members)


class Hall:
    """All rooms of one site."""

    def __init__(
        self,
        directory: Path,
        journal: Journal,
        site_log: SiteLog,
        blobs: BlobStore,
        *,
        receipt_key: SigningKey,
        clock: Clock,
        pool: Pool,
        pass_clock: PassClock,
        allow_test: bool = False,
        rooms_max: int = 20_000,
    ) -> None:
        self.rooms_max = rooms_max
        self.directory = directory
        self.journal = journal
        self.site_log = site_log
        self.blobs = blobs
        self.clock = clock
        self.pass_clock = pass_clock
        self.worker = Worker(blobs, pool, directory / "opened")
        self._receipt_key = receipt_key
        # The channels' epoch names a history, not a process: positions outlive a restart. Only a
        # journal restored from a backup begins another one (there is no restore yet).
        self.history_epoch = 1
        self.turns_after_read = 0  # set by whoever reads commands in a later turn than they came
        self._allow_test = allow_test
        self.publish: Publish = lambda stream, event, epoch: None  # set when signaling listens
        self.changed: list[Callable[[str], None]] = []  # told of every stream that has grown
        self.stopped: set[str] = set()  # streams whose room could not be kept alive
        self._rooms: dict[str, Room] = {}
        self._minders: dict[str, Minder] = {}
        self._tasks: asyncio.TaskGroup | None = None
        self._heard: dict[tuple[str, str], set[asyncio.Event]] = defaultdict(set)
        self._snapshots = SnapshotKeeper(directory / "snapshots", journal)
        site_log.subscribe(lambda _: self._touch_all())

    # ---- life

    async def run(self, ready: asyncio.Event) -> None:
        """Rebuilds every room, then keeps rooms, minders and the site log going until cancelled."""
        names = sorted({"registry", *self.journal.streams()})
        # Before anything is under way: a journal that is not what was written ends the start here.
        rooms = [self._build(name, from_snapshot=True) for name in names]
        try:
            await self._live(rooms, ready)
        except asyncio.CancelledError:
            self._snapshots.save_all(list(self._rooms.values()))
            raise

    async def _live(self, rooms: list[Room], ready: asyncio.Event) -> None:
        async with asyncio.TaskGroup() as self._tasks:
            resumed = [self._resume(self._start(room)) for room in rooms]
            self._tasks.create_task(self._tick())
            for answered in resumed:
                await answered
            for room in self.rooms("tender"):  # published just before the power went
                if room.state.manifest is not None:
                    await self._schedule(room.stream.split(":", 1)[1], room.state.manifest.raw)
            self._tasks.create_task(self._snapshots.run(lambda: list(self._rooms.values())))
            ready.set()

    def _resume(self, room: Room) -> "asyncio.Future[None]":
        """The tender's outage rule comes first of all: it is in the room's queue before any tick,
        which would end a window that the outage extends.
        """
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if room.kind.name != "opening" or room.state.manifest is None:
            done.set_result(None)
            return done

        def answered(answer: Answer) -> None:
            assert answer.ok, f"{room.stream} does not resume: {answer.code}"
            done.set_result(None)

        alive_ms = max(self.site_log.last_tick_ms or 0, room.last_ts_ms)
        command = cmd.ResumeAfterOutage(last_alive_ms=alive_ms)
        room.put(Request(command, SYSTEM, "", self.now_ms(), answered))
        return done

    def _start(self, room: Room) -> Room:
        assert self._tasks is not None
        self._rooms[room.stream] = room
        minder = self._minders[room.stream] = Minder(room, self)
        self._tasks.create_task(self._keep(room.stream, room, minder))
        return room

    def _opened(self, stream: str, *, rooms: int = 1) -> Room:
        """The room of a stream, begun if there is none; ``rooms``: how many follow from it. Boot
        begins every room that the journal has.
        """
        if stream not in self._rooms and len(self._rooms) + rooms > self.rooms_max:
            raise Refused("site.rooms_full", max=self.rooms_max)
        return self._rooms.get(stream) or self._start(self._build(stream))

    def _build(self, stream: str, *, from_snapshot: bool = False) -> Room:
        """A room whose predecessor failed is built of its rows alone."""
        kind = kind_of(stream, allow_test=self._allow_test)
        return Room(
            stream,
            self.journal,
            self.clock,
            publish=self._publish_all,
            sign_ack=self._sign_ack,
            allow_test=self._allow_test,
            changed=lambda room: self._touch(room.stream),
            find_person=self.find_person,
            since=self._snapshots.since(stream, kind) if from_snapshot else None,
        )

    async def _keep(self, stream: str, room: Room, minder: Minder) -> None:
        """One room and its minder; rebuilt from the journal when something of ours failed.

        Nobody is forgotten over it: what the stopped room had not told its channels is told, and
        what it had not answered the new one answers, from the journal where it was done already.
        """
        rebuilds, began_s = 0, self._loop_time()
        while rebuilds <= REBUILDS_MAX:
            try:
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(room.run())
                    tasks.create_task(minder.run())
            except* Exception:
                log.exception("rebuilding %s (%d)", stream, rebuilds + 1)
            if self._loop_time() - began_s > REBUILDS_FORGOTTEN_S:
                rebuilds = 0
            await asyncio.sleep(0.05 * 4**rebuilds)
            rebuilds, began_s = rebuilds + 1, self._loop_time()
            await self.journal.settled()  # the stopped room's last append may be on its way
            self._snapshots.forget(stream)
            stopped, room = room, self._build(stream)
            self._rooms[stream] = room
            self._tell_rest(room, stopped.told_seq)
            for request in stopped.unanswered():
                try:
                    room.put(request)
                except Refused as refused:  # more than one queue holds
                    request.reply(Answer(False, code=refused.code, retryable=True))
            minder = self._minders[stream] = Minder(room, self)
        log.error("left stopped: %s", stream)
        self.stopped.add(stream)
        del self._rooms[stream], self._minders[stream]
        for request in room.unanswered():
            request.reply(Answer(False, code="room.stopped", retryable=True))

    def _tell_rest(self, room: Room, told_seq: int) -> None:
        """Publishes what a stopped room had made durable and not told."""
        while rows := self.journal.read(room.stream, told_seq):
            told_seq = rows[-1].seq
            for event in [published(row) for row in rows if row.audience_seq]:
                try:
                    self._publish_all(room, [event])
                except AssertionError:  # what it stopped at, perhaps; the rest must go on
                    log.exception("not told: %s %s %d", room.stream, event.audience, event.seq)

    @staticmethod
    def _loop_time() -> float:
        return asyncio.get_running_loop().time()

    async def _tick(self) -> None:
        """One leaf of the site log a second (C13)."""
        while True:
            now_ms = self.clock.now_ms()
            await asyncio.sleep((1000 - now_ms % 1000 + TICK_LATE_MS) / 1000)
            now_ms = self.clock.now_ms()
            # What was decided before now is under these leaves, or too late for them (C14).
            for room in list(self._rooms.values()):
                await room.handed_over()
            await self.site_log.tick(now_ms)

    # ---- rooms

    def now_ms(self) -> int:
        return self.clock.now_ms()

    def find_room(self, stream: str) -> Room | None:
        return self._rooms.get(stream)

    def room_names(self) -> list[str]:
        return sorted(self._rooms)

    def rooms(self, kind: str) -> list[Room]:
        return [room for room in self._rooms.values() if room.kind.name == kind]

    def put(self, stream: str, request: Request) -> None:
        """Hands a command to its room. Raises Refused."""
        room = self._rooms.get(stream)
        if room is None:
            raise Refused("room.unknown")
        request.command = self.completed(stream, request.command, request.actor)
        room.put(request)

    async def ask(
        self, stream: str, command: Command, actor: Actor, cmd_id: str, received_ms: int
    ) -> Answer:
        """``put`` with an answer to wait for."""
        room = self._rooms.get(stream)
        if room is None:
            raise Refused("room.unknown")
        command = self.completed(stream, command, actor)
        return await room.ask(command, actor, cmd_id, received_ms)

    def completed(self, stream: str, command: Command, actor: Actor) -> Command:
        """A registration gets the host's invitation before it is judged (C17)."""
        if not isinstance(command, RegisterBidder):
            return command
        rules = self._rooms[stream].state.manifest
        if rules is None:
            raise Refused("tender.unknown")
        return invitation_signature(self._receipt_key, rules, command, actor)

    async def open_tender(self, tender_id: str, manifest: bytes, signatures: bytes) -> None:
        """Publishes a tender and schedules its opening; both streams carry the same id."""
        tender = self._opened(f"tender:{tender_id}", rooms=2)
        answer = await tender.ask(
            cmd.PublishTender(manifest=manifest, signatures=signatures), SYSTEM, "", self.now_ms()
        )
        if not answer.ok:
            raise Refused(answer.code, **answer.detail)
        await self._schedule(tender_id, manifest)

    async def _schedule(self, tender_id: str, manifest: bytes) -> None:
        opening = self._rooms.get(f"opening:{tender_id}") or self._start(
            self._build(f"opening:{tender_id}")
        )
        if opening.state.manifest is None:
            await opening.ask(cmd.ScheduleOpening(manifest=manifest), SYSTEM, "", self.now_ms())

    async def open_meeting(self, meeting_id: str, command: HoldMeeting) -> None:
        """Sets a meeting of evaluation. Raises Refused; a refused meeting leaves no rows."""
        stream = f"evaluation:{meeting_id}"
        room = self._opened(stream)
        answer = await room.ask(command, SYSTEM, "", self.now_ms())
        if not answer.ok:
            raise Refused(answer.code, **answer.detail)

    def may_subscribe(self, actor: Actor, room: str, audience: str) -> bool:
        """The table of `roles`; of a meeting its own room knows who takes part."""
        found = self._rooms.get(room)
        if found is not None and found.kind.name == "evaluation":
            return may_hear(found.state, actor, audience)
        return may_subscribe(actor, room, audience)

    async def register_person(self, command: cmd.RegisterPerson) -> Answer:
        return await self._rooms["registry"].ask(command, SYSTEM, "", self.now_ms())

    def person_by_key(self, login_pk: bytes) -> Person | None:
        registry: Registry = self._rooms["registry"].state
        return registry.people.get(login_pk)

    def find_person(self, person: str) -> Actor | None:
        """Somebody by id; rooms ask before the registry itself is built, and know nobody then."""
        registry = self._rooms.get("registry")
        people = registry.state.people.values() if registry is not None else ()
        return next((each.actor for each in people if each.actor.person == person), None)

    # ---- what minders need

    async def whole_pass_after(self, moment_ms: int) -> None:
        """One whole pass over the sockets, and then the turns that an HTTP command may need from
        the read of its last byte to its room's queue.
        """
        await self.pass_clock.whole_pass_after(moment_ms)
        for _ in range(self.turns_after_read):
            await asyncio.sleep(0)

    def checkpoint_over(self, tender_id: bytes, entry_type: int, nonce: bytes) -> str | None:
        for logged in reversed(self.site_log.entries(tender_id, {entry_type})):
            if not nonce or members_of(logged)["nonce"] == nonce.hex():
                return self.site_log.checkpoint_at(logged.covered_by).text
        return None

    def _sign_ack(self, tender_id: bytes, promise: Promise) -> bytes:
        return build_ack(
            self._receipt_key,
            tender_id,
            promise.kind,
            promise.digest,
            promise.result,
            promise.received_ms,
            signed_ms=promise.signed_ms,
        ).raw

    def ack_of(self, tender_id: bytes, received: Received, server_ms: int) -> bytes:
        """The ACK of an accepted SUBMIT again, the same bytes as the first time."""
        kind = ACK_SUBMIT if received.message.kind == KIND_SUBMIT else ACK_WITHDRAW
        digest, at = received.message.digest, received.received_ms
        return self._sign_ack(tender_id, Promise(kind, digest, RESULT_ACCEPTED, at, server_ms))

    def sign_index(self, message: bytes) -> bytes:
        """The bundle's index is the third thing that the receipt key signs (C17)."""
        return self._receipt_key.sign(message)

    def _touch(self, stream: str) -> None:
        self._minders[stream].touch()
        for told in self.changed:
            told(stream)
        if stream.startswith("tender:"):
            return
        twin = self._minders.get(stream.replace("opening:", "tender:", 1))
        if twin is not None:
            twin.touch()

    def _touch_all(self) -> None:
        for minder in self._minders.values():
            minder.touch()

    # ---- what listeners need

    def _publish_all(self, room: Room, published: Sequence[Published]) -> None:
        for event in published:
            self.publish(room.stream, event, self.history_epoch)
            for waiter in self._heard.pop((room.stream, event.audience), ()):
                waiter.set()

    async def events(
        self, room: str, audience: str, after: int, limit: int, wait_ms: int
    ) -> tuple[int, list[tuple[int, int, str, bytes, bytes]]]:
        """A page of a channel; waits up to ``wait_ms`` for the first event (long poll)."""
        found = self.history(room, audience, after, limit)
        if not found and wait_ms > 0:
            waiter = asyncio.Event()
            self._heard[room, audience].add(waiter)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_ms / 1000):
                    await waiter.wait()
            self._heard[room, audience].discard(waiter)
            found = self.history(room, audience, after, limit)
        return self.history_epoch, found

    def history(
        self, room: str, audience: str, after: int, limit: int
    ) -> list[tuple[int, int, str, bytes, bytes]]:
        """Durable events of a channel: (seq, server_ms, type, payload, hash)."""
        rows = self.journal.read_channel(room, audience, after, limit)
        return [(r.audience_seq, r.ts_ms, r.type, payload_of(r), r.hash) for r in rows]

    def counts(self, room: str) -> dict[str, int] | None:
        """What everybody in an opening may know as a number while the window runs (template)."""
        found = self._rooms.get(room)
        if found is None or found.kind.name != "opening":
            return None
        state = found.state
        if state.stage is not Stage.DECRYPTION or not state.session().show_count:
            return None
        total = len(state.session_bid_ids())
        bids = len(state.living_bids())
        per_bid = max(1, total // max(1, bids))
        return {"unlocked": (total - state.waiting) // per_bid, "bids": bids}
