"""The power is cut at every write of a whole opening: every acknowledged command is there, what
anybody was told is there, and the hall goes on from it. With ``synchronous=OFF`` it is not so.
"""

import asyncio
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from crypto.checkpoint import Checkpoint
from crypto.keys import SigningKey
from server.app import running
from server.domain import commands as cmd
from server.domain.model import Actor
from server.domain.opening import Opening, Stage
from server.rooms.clock import Clock
from server.rooms.room import Room
from server.storage.journal import Journal
from server.storage.site_log import SiteLog
from tests.faults.hall_process import LOG_ORIGIN
from tests.faults.power_cut import CutDisk, Recorder
from tests.faults.recorded_opening import (
    OPENING,
    Answered,
    Recorded,
    Told,
    config_of,
    play,
    recording,
)

ROWS = 9999  # more than an opening of this size has
TORN = 150  # cuts at which some of what was not synced is there
GO_ON = 12  # of the cuts after the window's end: the hall is started and led to its read-out


class AcknowledgedLost(AssertionError):
    """Something was answered or told to somebody and is not there after the cut."""


@dataclass
class Known:
    """What people knew when the power went."""

    answered: list[Answered] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    checkpoint: Checkpoint | None = None

    def hear(self, what: Any) -> None:
        if isinstance(what, Answered):
            self.answered.append(what)
        elif isinstance(what, Told):
            self.told.append(what)
        else:
            self.checkpoint = what


@pytest.fixture(scope="module")
def plays(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Recorded]:
    """The same opening with and without real syncs, played side by side."""
    directory = tmp_path_factory.mktemp("recorded")
    played = {mode: Recorded(directory / mode) for mode in ("FULL", "OFF")}
    recorders = {each.data: Recorder() for each in played.values()}

    async def play_both() -> None:
        await asyncio.gather(
            *(play(each, recorders[each.data], mode) for mode, each in played.items())
        )

    with pytest.MonkeyPatch.context() as patch, recording(patch, recorders):
        asyncio.run(play_both())
    return played


def cuts(recorded: Recorded) -> Iterator[tuple[int, CutDisk, Known]]:
    """Every place where the power can go; the yielded things are the same ones all the way."""
    disk, known = CutDisk(), Known()
    for number, op in enumerate(recorded.ops):
        if op.kind == "mark":
            known.hear(op.what)
        else:
            disk.step(op)
        yield number, disk, known


def kinds_of(recorded: Recorded) -> list[str]:
    """For each mark of something published the type of its event, "" for every other operation."""

    async def read() -> dict[bytes, str]:
        loop = asyncio.get_running_loop()
        journal = Journal.open(recorded.data / "journal", loop=loop, on_failure=_unexpected)
        streams = journal.streams()
        found = {row.hash: row.type for s in streams for row in journal.read(s, limit=ROWS)}
        journal.close()
        return found

    types = asyncio.run(read())
    told = (op.what if isinstance(op.what, Told) else None for op in recorded.ops)
    return [types.get(what.hash, "") if what else "" for what in told]


def _unexpected(error: BaseException) -> None:
    raise AssertionError from error


async def check(directory: Path, known: Known, key: SigningKey) -> None:
    """Opens what the cut left, as the next start would, and rebuilds every room from it."""
    loop = asyncio.get_running_loop()
    journal = Journal.open(directory, loop=loop, on_failure=_unexpected, synchronous="OFF")
    try:
        _check_known(journal, known)
        log = SiteLog(journal, LOG_ORIGIN, key)
        if known.checkpoint is not None:
            if log.leaf_count < known.checkpoint.size:
                raise AcknowledgedLost(f"leaf {known.checkpoint.size}")
            assert log.checkpoint_at(known.checkpoint.size).text == known.checkpoint.text
        for stream in journal.streams():
            Room(
                stream,
                journal,
                Clock(),
                publish=lambda room, events: None,
                sign_ack=lambda tender, promise: b"",
                allow_test=False,
                changed=lambda room: None,
            )
    finally:
        journal.close()


def _check_known(journal: Journal, known: Known) -> None:
    for each in known.answered:
        if journal.answer(each.stream, each.person, each.cmd_id) is None:
            raise AcknowledgedLost(f"answer {each}")
    hashes = {
        (row.stream, row.audience, row.audience_seq): row.hash
        for stream in journal.streams()
        for row in journal.read(stream, limit=ROWS)
    }
    for told in known.told:
        found = hashes.get((told.stream, told.audience, told.seq))
        if found != told.hash:
            raise AcknowledgedLost(f"{told.stream} {told.audience} {told.seq}")


def key_of(recorded: Recorded) -> SigningKey:
    return SigningKey(bytes.fromhex((recorded.data / "keys" / "log.key").read_text()))


async def losses(
    recorded: Recorded, directory: Path, numbers: set[int], *, torn: bool = False
) -> int:
    """At how many of these cuts something is lost."""
    lost, key = 0, key_of(recorded)
    for number, disk, known in cuts(recorded):
        if number not in numbers:
            continue
        files = disk.torn(random.Random(number)) if torn else disk.lost()
        disk.put(directory, files)
        try:
            await check(directory, known, key)
        except AcknowledgedLost:
            lost += 1
    return lost


async def test_nothing_that_anybody_knew_of_is_lost(plays: dict[str, Recorded], tmp_path: Path):
    recorded = plays["FULL"]
    assert sum(isinstance(op.what, Answered) for op in recorded.ops) == len(recorded.acts) > 12
    ops = recorded.ops
    # What is there when all that was not synced is lost changes with syncs alone, and the most is
    # known right before the next one: these cuts decide for every write between.
    before_syncs = {n - 1 for n, op in enumerate(ops) if op.kind.startswith("sync")}
    assert await losses(recorded, tmp_path / "lost", before_syncs | {len(ops) - 1}) == 0
    writes = [n for n, op in enumerate(ops) if op.kind == "write"]
    spread = set(writes[:: len(writes) // TORN])
    assert len(spread) >= TORN
    assert await losses(recorded, tmp_path / "torn", spread, torn=True) == 0


async def test_without_a_real_fsync_it_is(plays: dict[str, Recorded], tmp_path: Path):
    recorded = plays["OFF"]
    answered = [n for n, op in enumerate(recorded.ops) if isinstance(op.what, Answered)]
    assert await losses(recorded, tmp_path / "lost", set(answered)) > len(answered) // 2


async def test_the_hall_goes_on_to_the_same_read_out(plays: dict[str, Recorded], tmp_path: Path):
    recorded = plays["FULL"]
    kinds = await asyncio.to_thread(kinds_of, recorded)
    # From the checkpoint on that the trustees signed; an earlier cut asks them to look again.
    checkpoint = len(kinds) - 1 - kinds[::-1].index("checkpoint_reached")
    after = range(checkpoint, len(recorded.ops))
    numbers = set(after[:: max(1, len(after) // GO_ON)])
    readouts: list[bytes] = []
    for number, disk, _ in cuts(recorded):
        if number in numbers:
            data = tmp_path / str(number)
            data.mkdir()
            disk.put(data / "journal", disk.lost())
            for name in ("keys", "store"):
                (data / name).symlink_to(recorded.data / name)
            readouts.append(await go_on(data, recorded))
    assert len(readouts) >= GO_ON
    assert len(set(readouts)) == 1
    assert len(json.loads(readouts[0])["rows"]) == 3


async def go_on(data: Path, recorded: Recorded) -> bytes:
    """Starts a hall on what is left and asks again what was asked then: its readout.json."""
    people = {
        person.person: Actor(person.person, person.role, person.org, person.name)
        for person in recorded.world.everybody()
    }
    async with running(config_of(data)) as site, asyncio.timeout(30):
        room = site.hall.find_room(OPENING)
        assert room is not None
        state: Callable[[], Opening] = lambda: room.state  # noqa: E731

        async def ask(op: str) -> None:
            for act in recorded.acts:
                if act.op == op:
                    command = cmd.parse_command("opening", op, dict(act.args))
                    actor, now_ms = people[act.person], site.hall.now_ms()
                    answer = await site.hall.ask(OPENING, command, actor, act.cmd_id, now_ms)
                    assert answer.ok, (op, answer.code)

        await until(lambda: bool(state().window and state().window.checkpoint))
        await ask("release")
        await until(lambda: state().stage not in (Stage.RELEASE, Stage.REPLIES))
        await ask("open_all")
        await until(lambda: bool(state().readouts))
        return bytes(state().readouts[-1])


async def until(holds: Callable[[], bool]) -> None:
    while True:
        if holds():
            return
        await asyncio.sleep(0.02)
