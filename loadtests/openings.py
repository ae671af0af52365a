"""What is done inside the server process (备好的开标): everything up to where a load test begins.

Registrations, stored envelopes, SUBMITs and unlocks go through the real rooms and the real store,
only not through sockets: what is prepared is what clients would have left behind. Invariant:
nothing here runs while something is being measured, but ``extend``, which is the host's own hand.
"""

import asyncio
import time
from array import array
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

from crypto.checkpoint import parse_checkpoint
from crypto.entries import act_message
from crypto.header import parse_header
from loadtests.machine import quantile
from server.app import Running
from server.demo.world import Person, TenderPlan, World, build_manifest
from server.domain import commands as cmd
from server.domain.log_entries import act_members
from server.domain.model import Actor, Role
from server.domain.opening import Opening
from server.domain.releasing import expected_set
from server.domain.tender_events import DeadlineChanged
from server.rooms.rows import Published
from server.storage.metrics import SECONDS_BOUNDS, Histogram

POLL_S = 0.02
# A tender stays open for as long at least, and while bids come in for ten times what so many of
# them took last, so that a machine which stops for a moment does not make them late.
OPEN_MS, TIMES_AT_ONCE = 3000, 10
AT_ONCE = 32
PREPARED_WITHIN_S = 120.0


def actor_of(person: Person) -> Actor:
    """The registry's view of a person (a bidder is shown by its organisation's name)."""
    name = person.org_name if person.role is Role.BIDDER else person.name
    return Actor(person.person, person.role, person.org, name)


class _Noted(Histogram):
    """Keeps every value besides: its buckets are too wide for a test of the test."""

    def __init__(self, bounds: tuple[float, ...]) -> None:
        super().__init__(bounds)
        self.values = array("d")

    def observe(self, value: float) -> None:
        super().observe(value)
        self.values.append(value)


class Openings:
    """Orders of a load test to the site it runs on."""

    def __init__(self, site: Running) -> None:
        self.site = site
        self.hall = site.hall
        self.world = World(bytes(32), 0)
        self._held_open: dict[str, asyncio.Task[None]] = {}
        self._moving = asyncio.Lock()  # of deadlines: each move names the one before
        self._published_ns: dict[tuple[str, str, int], int] = {}
        self._pass_on = self.hall.publish
        self.hall.publish = self._publish
        self._commits = _Noted(SECONDS_BOUNDS)
        self.hall.journal.metrics.fsync_seconds = self._commits

    def _publish(self, stream: str, event: Published, epoch: int) -> None:
        """Right after the commit: the moment from which fan-out is timed."""
        self._published_ns[stream, event.audience, event.seq] = time.perf_counter_ns()
        self._pass_on(stream, event, epoch)

    def state(self, room: str) -> Opening:
        found = self.hall.find_room(f"opening:{room}")
        assert found is not None, room
        state: Opening = found.state
        return state

    # ---- before the deadline

    async def cast(self, seed: bytes, bidders: int) -> None:
        """Everybody into the registry."""
        self.world = World(seed, bidders)
        commands = [
            cmd.RegisterPerson(
                person=person.person,
                org=person.org,
                org_name=person.org_name,
                role=Role(person.role),
                name=person.name,
                login_pk=person.login_pk,
            )
            for person in self.world.everybody()
        ]
        await _all(self.hall.register_person(command) for command in commands)

    async def publish(self, room: str, **plan: Any) -> bytes:
        """A tender whose bids are one form, open until its bids are submitted. Its manifest."""
        deadline_ms = self.hall.now_ms() + 2 * OPEN_MS
        raw, signatures = build_manifest(
            self.world,
            TenderPlan(
                number=room,
                title=f"负载测试 {room}",
                body=False,
                deadline_ms=deadline_ms,
                **plan,
            ),
            receipt_pk=self.site.keys.receipt.public,
            log_origin=self.site.config.site.log_origin,
            log_pk=self.site.keys.log.public,
        )
        await self.hall.open_tender(room, raw, signatures)
        self._held_open[room] = asyncio.create_task(self._hold_open(room))
        return raw

    async def _hold_open(self, room: str) -> None:
        """Nobody can say how long preparing takes here: the officers move the deadline on."""
        while True:
            await self._keep_open(room, OPEN_MS)
            await asyncio.sleep(OPEN_MS / 1000 / 10)

    async def _keep_open(self, room: str, left_ms: int) -> None:
        """At least for so long from now on."""
        found = self.hall.find_room(f"tender:{room}")
        assert found is not None
        async with self._moving:
            old_ms, now_ms = found.state.deadline_ms, self.hall.now_ms()
            if old_ms - now_ms < left_ms:
                later_ms = now_ms + left_ms + left_ms // 4
                command = self._later(found.state.rules().tender_id, old_ms, later_ms)
                await self._ask(found.stream, command, actor_of(self.world.host))

    def _later(self, tender_id: bytes, old_ms: int, deadline_ms: int) -> cmd.ChangeDeadline:
        facts: dict[str, Any] = {"reason": "负载测试", "deadline_ms": deadline_ms}
        act = DeadlineChanged(old_ms=old_ms, pks=[], sigs=[], **facts)
        ((type_, members),) = act_members(act)
        message = act_message(type_, tender_id, members)
        officers = (self.world.host_officer, self.world.supervisor_officer)
        return cmd.ChangeDeadline(
            pks=[key.public for key in officers],
            sigs=[key.sign(message) for key in officers],
            **facts,
        )

    async def submit(self, room: str, bids: list[dict[str, Any]]) -> None:
        """Registration, envelope and SUBMIT of each bidder, in this order for each of them."""
        tender = f"tender:{room}"

        async def one(bid: dict[str, Any]) -> None:
            actor = actor_of(self.world.bidders[bid["number"]])
            await self._ask(tender, cmd.RegisterBidder(**bid["registration"]), actor)
            header = parse_header(bid["header"])
            await self.hall.blobs.put(header.bid_id, bid["payload"], "kbc")
            stored = cmd.StoreEnvelope(header=header.raw, ct_root=header.ct_root)
            await self._ask(tender, stored, actor)
            await self._ask(tender, cmd.SubmitBid(message=bid["submit"]), actor)

        took_ms = 0
        # A few at a time: the officers' word about the deadline queues behind the bidders'.
        for at in range(0, len(bids), AT_ONCE):
            await self._keep_open(room, max(OPEN_MS, TIMES_AT_ONCE * took_ms))
            began_ms = self.hall.now_ms()
            await _all(one(bid) for bid in bids[at : at + AT_ONCE])
            took_ms = self.hall.now_ms() - began_ms
        self._held_open.pop(room).cancel()

    async def announced(self, room: str) -> int:
        """Waits until the deadline has passed and the hall is ready; how many bids count."""
        await self._until(lambda: bool(self.state(room).closing_checkpoint), "not announced")
        await self.hall.worker.preload(self.state(room))
        return len(self.state(room).bids)

    # ---- the window and what follows it

    async def start_window(self, room: str) -> dict[str, Any]:
        """The host starts the countdown. What clients need to sign an UNLOCK."""
        host = actor_of(self.world.host)
        await self._ask(f"opening:{room}", cmd.StartWindow(session=1), host)
        return await self.window(room)

    async def window(self, room: str) -> dict[str, Any]:
        """The window once it is open: an unattended opening starts it by itself."""
        await self._until(lambda: self.state(room).window is not None, "no window")
        state = self.state(room)
        assert state.window is not None
        return {
            "tender_id": state.rules().tender_id,
            "suite": state.rules().suite,
            "nonce": state.window.nonces[1],
            "w": state.window.w,
            "end_ms": state.window.end_ms,
        }

    async def unlock(self, room: str, messages: list[tuple[int, bytes]]) -> None:
        """(bidder's number, UNLOCK) of each, then waits for the end under its checkpoint."""
        await _all(
            self._ask(
                f"opening:{room}",
                cmd.UnlockBid(messages=[raw]),
                actor_of(self.world.bidders[number]),
            )
            for number, raw in messages
        )
        await self._until(lambda: bool(self._window_checkpoint(room)), "window not ended")

    def _window_checkpoint(self, room: str) -> str:
        window = self.state(room).window
        return window.checkpoint if window else ""

    def release_terms(self, room: str) -> dict[str, Any]:
        """What a trustee signs over."""
        state = self.state(room)
        assert state.window is not None
        log = state.rules().log
        checkpoint = parse_checkpoint(state.window.checkpoint, log.origin, log.pk)
        return {
            "tender_id": state.rules().tender_id,
            "root": checkpoint.root,
            "size": checkpoint.size,
            "nonce": state.window.nonces[1],
            "bid_ids": expected_set(state, 1),
        }

    async def release(self, room: str, place: int, message: bytes) -> None:
        """The trustee at ``place`` (from 0) releases."""
        actor = actor_of(self.world.trustees[place].person)
        await self._ask(f"opening:{room}", cmd.ReleaseShares(messages=[message]), actor)

    async def opened(self, room: str, count: int) -> None:
        """Waits until so many prices have been read out."""
        await self._until(
            lambda: self.status(room)["opened"] >= count and bool(self.state(room).readouts),
            "not read out",
        )

    async def extend(self, room: str, times: int, every_ms: int) -> list[int]:
        """The host extends the countdown again and again. The ns of each commit, by hall seq."""
        opening, host = f"opening:{room}", actor_of(self.world.host)
        before = self._position(opening)
        started = time.perf_counter()
        for number in range(times):
            await asyncio.sleep(max(0.0, started + number * every_ms / 1000 - time.perf_counter()))
            await self._ask(opening, cmd.Extend(extra_ms=1000, reason="负载测试"), host)
        seqs = range(before + 1, before + 1 + times)
        return [self._published_ns[opening, "hall", seq] for seq in seqs]

    # ---- questions

    def tickets(self, people: list[str]) -> list[str]:
        """A fresh session and a ticket of it for each person."""
        known = {person.person: person for person in self.world.everybody()}
        sessions = self.site.front.sessions
        return [sessions.ticket(sessions.begin(known[name].login_pk)) for name in people]

    def status(self, room: str) -> dict[str, Any]:
        """Where the opening stands, for checking that nothing was lost."""
        state = self.state(room)
        return {
            "stage": str(state.stage),
            "bids": len(state.bids),
            "halves": len(state.halves),
            "tries": sum(state.tries.values()),
            "opened": sum(s == "opened" for s in state.states.values()),
            "hall": self._position(f"opening:{room}"),
        }

    def hall_events(self, room: str, after: int) -> list[tuple[int, int, str, bytes, bytes]]:
        return self.hall.history(f"opening:{room}", "hall", after, 500)

    def published_ns(self, room: str) -> list[tuple[str, int]]:
        """(type, when it was handed to the fan-out) of every hall event of this process."""
        opening = f"opening:{room}"
        found = self.hall_events(room, 0)
        published = self._published_ns
        return [
            (type_, published[opening, "hall", seq])
            for seq, _, type_, _, _ in found
            if (opening, "hall", seq) in published
        ]

    def forget_published(self) -> None:
        """So that a run of half an hour does not measure our own notes."""
        self._published_ns.clear()

    def journal(self) -> dict[str, float]:
        """The journal's own figures since the process began."""
        took_ms = [seconds * 1000 for seconds in self._commits.values]
        return {
            "commits": len(took_ms),
            "commit_ms_min": round(min(took_ms), 3),
            "commit_ms_p50": round(quantile(took_ms, 0.5), 3),
            "commit_ms_p99": round(quantile(took_ms, 0.99), 3),
            "group_p50": self.hall.journal.metrics.group_items.quantile(0.5),
            "loop_lag_ms_max": self.site.signaling.pass_clock.lag.max_ms,
        }

    # ---- inside

    def _position(self, stream: str) -> int:
        room = self.hall.find_room(stream)
        assert room is not None
        return room.durable_position("hall")

    async def _ask(self, stream: str, command: cmd.Command, actor: Actor) -> dict[str, Any]:
        answer = await self.hall.ask(stream, command, actor, "", self.hall.now_ms())
        assert answer.ok, f"{command.OP}: {answer.code} {answer.detail}"
        return answer.result

    async def _until(self, is_so: Callable[[], bool], why: str) -> None:
        give_up = time.monotonic() + PREPARED_WITHIN_S
        while not is_so():
            assert time.monotonic() < give_up, why
            await asyncio.sleep(POLL_S)


async def _all(work: Iterable[Coroutine[Any, Any, Any]]) -> None:
    await asyncio.gather(*work)
