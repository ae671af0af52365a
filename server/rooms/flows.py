"""Facts carried from room to room, and the moments and work that rooms wait for.

A ``Minder`` looks after one room: it wakes it when its time has come, feeds it signed
checkpoints, tells the opening what its tender closed with, and hands its work to the decryption
pool (`work`). It keeps nothing that matters: every question is asked of the room's state again,
so a restart loses nothing and a fact told twice changes nothing.
"""

import asyncio
import contextlib
import logging
from typing import Protocol

from crypto.checkpoint import fingerprint, parse_checkpoint
from crypto.receipts import closed_list_root
from server.domain import commands as cmd
from server.domain import due
from server.domain.log_entries import DEADLINE_CLOSED, WINDOW_END
from server.domain.model import SYSTEM
from server.domain.opening import Opening, Stage
from server.domain.tender import Tender
from server.rooms.clock import Clock
from server.rooms.room import Answer, Room
from server.rooms.work import Worker

# From the closing, when it is known which forms there are, until they have been opened.
PRELOADED = (Stage.ANNOUNCED, Stage.DECRYPTION, Stage.RELEASE, Stage.REPLIES, Stage.OPENING)
SLEEP_MS_MAX = 60_000
SLEEP_MS_MIN = 20
BODIES_AGAIN_S = 30.0

log = logging.getLogger("kaibiao.minder")


class Services(Protocol):
    """What minders need of the hall."""

    clock: Clock
    worker: Worker

    def find_room(self, stream: str) -> Room | None: ...

    async def whole_pass_after(self, moment_ms: int) -> None: ...

    def checkpoint_over(self, tender_id: bytes, entry_type: int, nonce: bytes) -> str | None:
        """The first signed checkpoint that covers the tender's newest entry of this type (and
        nonce).
        """
        ...


class Minder:
    """Looks after one room until cancelled."""

    def __init__(self, room: Room, services: Services) -> None:
        self._room = room
        self._services = services
        self._is_preloaded = False
        self._is_settled = False  # a closed tender has told its opening everything
        self._due_ms: int | None = -1  # when the room is woken; not known yet
        self._moved = {name: asyncio.Event() for name in ("wake", "follow", "bodies")}
        self.touch()

    def touch(self) -> None:
        """The room's state, or the site log, has moved. Wakes who may have something to do: in a
        countdown, where a thousand bidders move it, that is nobody.
        """
        state = self._room.state
        due_ms = self._room.kind.wake_ms(state)
        # The clock may have been set forward: a timer that was armed before knows nothing of it.
        is_over = due_ms is not None and due_ms <= self._services.clock.now_ms()
        if is_over or due_ms != self._due_ms:
            self._moved["wake"].set()
        if self._is_settled or (self._is_preloaded and due.only_its_end(state)):
            return
        self._moved["follow"].set()
        self._moved["bodies"].set()

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._wake())
            if self._room.kind.name == "tender":
                tasks.create_task(self._each_time("follow", self._follow_tender))
            if self._room.kind.name == "opening":
                tasks.create_task(self._each_time("follow", self._follow_opening))
                tasks.create_task(self._each_time("bodies", self._open_bodies))

    async def _ask(self, command: cmd.Command, *, room: Room | None = None) -> Answer:
        target = room or self._room
        answer = await target.ask(command, SYSTEM, "", self._services.clock.now_ms())
        assert answer.ok, f"{target.stream} refused {command.OP}: {answer.code}"
        return answer

    async def _each_time(self, name: str, step: "Step") -> None:
        """Runs ``step`` whenever something moved, until it finds nothing more to do."""
        moved = self._moved[name]
        while True:
            await moved.wait()
            moved.clear()
            while await step():
                pass

    # ---- moments

    async def _wake(self) -> None:
        """Ticks the room when its moment has come and one whole pass over the sockets began
        after it.
        """
        services, moved = self._services, self._moved["wake"]
        tick = cmd.TenderTick if self._room.kind.name == "tender" else cmd.OpeningTick
        while True:
            moved.clear()
            due_ms = self._due_ms = self._room.kind.wake_ms(self._room.state)
            now_ms = services.clock.now_ms()
            if due_ms is not None and due_ms <= now_ms:
                await services.whole_pass_after(due_ms)
                await self._ask(tick(passed_ms=due_ms))
                await asyncio.sleep(SLEEP_MS_MIN / 1000)
                continue
            wait_ms = SLEEP_MS_MAX if due_ms is None else min(due_ms - now_ms, SLEEP_MS_MAX)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(wait_ms, 1) / 1000):
                    await moved.wait()

    # ---- a tender closes

    async def _follow_tender(self) -> bool:
        state: Tender = self._room.state
        opening = self._services.find_room("opening:" + self._room.stream.split(":", 1)[1])
        if state.manifest is None or opening is None:
            return False
        if not state.closed:
            if opening.state.manifest and opening.state.deadline_ms != state.deadline_ms:
                await self._ask(cmd.MoveDeadline(deadline_ms=state.deadline_ms), room=opening)
            return False
        if not opening.state.submits and opening.state.stage in (Stage.SCHEDULED, Stage.SIGN_IN):
            await self._ask(closed_list(state), room=opening)
        if not state.store_checked:
            await self._check_store(state)
        self._is_settled = bool(opening.state.submits) and self._room.state.store_checked
        return False

    async def _check_store(self, state: Tender) -> None:
        """STORE_CHECK: every counting payload is hashed again against its ct_root (C3)."""
        damaged: list[bytes] = []
        ids = [item.bid_id for r in state.counting() for item in r.message.items]
        for bid_id in ids:
            if not await self._services.worker.gives_root(state.stored[bid_id].header):
                damaged.append(bid_id)
        await self._ask(cmd.ReportStoreCheck(checked=len(ids), damaged=sorted(damaged)))

    # ---- an opening goes on

    async def _follow_opening(self) -> bool:
        state: Opening = self._room.state
        if state.manifest is None:
            return False
        if await self._feed_checkpoint(state):
            return True
        if not self._is_preloaded and state.stage in PRELOADED:
            await self._services.worker.preload(state)
            self._is_preloaded = True
        if state.stage is Stage.ANNOUNCED:
            first = state.rules().sessions[0]
            if state.closing_checkpoint and first.unattended:
                # The host may have pressed in this very moment: then it runs, and that is as good.
                now_ms = self._services.clock.now_ms()
                start = cmd.StartWindow(session=first.session)
                return (await self._room.ask(start, SYSTEM, "", now_ms)).ok
        work = due.work(state)
        if isinstance(work, due.FindHalves):
            await self._ask(await self._services.worker.find_halves(work))
            return True
        if isinstance(work, due.OpenForms):
            await self._ask(await self._services.worker.open_forms(state, work))
            return True
        return False

    async def _open_bodies(self) -> bool:
        """Behind the hall's back, a few at a time; each report is journaled when its file is
        complete.
        """
        state: Opening = self._room.state
        work = due.bodies(state)
        if work is None:
            return False
        if isinstance(work, due.NameFaults):
            await self._ask(await self._services.worker.name_faults(work))
            return True
        opening_id = self._room.stream.split(":", 1)[1]
        try:
            reports = await self._services.worker.open_bodies(opening_id, work)
        except OSError:  # no room for the plaintexts, say; the hall does not wait for them
            log.exception("bodies of %s are not opened now", opening_id)
            await asyncio.sleep(BODIES_AGAIN_S)
            return True
        for report in reports:
            await self._ask(report)
        return True

    async def _feed_checkpoint(self, state: Opening) -> bool:
        awaited = due.awaited_checkpoint(state)
        if awaited is None:
            return False
        of, w, session = awaited
        rules = state.rules()
        if of == "closing":
            text = self._services.checkpoint_over(rules.tender_id, DEADLINE_CLOSED, b"")
        else:
            assert state.window is not None
            nonce = state.window.nonces[max(state.window.nonces)]
            text = self._services.checkpoint_over(rules.tender_id, WINDOW_END, nonce)
        if text is None:
            return False
        root = parse_checkpoint(text, rules.log.origin, rules.log.pk).root
        await self._ask(
            cmd.ReachCheckpoint(
                of=of, w=w, session=session, checkpoint=text, fingerprint=fingerprint(root)
            )
        )
        return True


class Step(Protocol):
    """One step of a minder: true when there may be more to do at once."""

    async def __call__(self) -> bool: ...


def closed_list(state: Tender) -> cmd.TakeClosedList:
    """What the tender closed with, for its opening."""
    counting = state.counting()
    headers = [state.stored[item.bid_id].header.raw for r in counting for item in r.message.items]
    parties = {r.org: state.by_org[r.org] for r in counting}
    return cmd.TakeClosedList(
        submits=[r.message.raw for r in counting],
        headers=headers,
        names={org: party.name for org, party in parties.items()},
        orgs={party.bidder_pk: org for org, party in parties.items()},
        certified=sorted(org for org, party in parties.items() if party.certified),
        deadline_ms=state.deadline_ms,
        list_root=closed_list_root([r.message.digest for r in counting]),
    )
