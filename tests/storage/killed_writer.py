"""Kills a writing journal again and again (kill -9) and says what was found each time.

A program of its own: it forks, so it may have no threads at that moment, and a test process has.
    python killed_writer.py DIRECTORY ROUNDS SEED
Each round a child opens the journal, appends in bursts, ticks, and tells through a pipe what was
acknowledged; the parent kills it at a random moment, reads the pipe to its end, and opens what is
left. The last line is JSON; an exception means that something acknowledged was lost or repeated.
"""

import asyncio
import json
import os
import random
import select
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from crypto.keys import SigningKey
from server.storage import site_tick, wal_keeper
from server.storage.journal import Journal
from server.storage.site_log import SiteLog
from tests.storage.streams import Stream

ORIGIN = "hall.jiangzhou.example/kaibiao/log"
KEY = SigningKey(bytes([0x32] * 32))
START_MS = 1_795_138_200_000
STREAMS = ("registry", "tender:a", "opening:a", "opening:b")
CHILD_LIFE_S_MAX = 10.0
ROUNDS_PER_DIRECTORY = 8


def _unexpected(error: BaseException) -> None:
    raise AssertionError from error


def child(directory: Path, tell: Callable[[str], None]) -> None:
    """Appends until it is killed. ``tell`` is called after the acknowledgement, never before."""
    wal_keeper.WAL_BYTES_MAX = 200 << 10  # so that kills also meet the copying back of the WAL,
    wal_keeper.WAL_REST_BYTES = 20 << 10  # by the writer and beside it,
    site_tick.BUILT_AT_ONCE_MAX = 2  # and the time in which the tree of a second is built
    asyncio.run(_write(directory, tell))


async def _write(directory: Path, tell: Callable[[str], None]) -> None:
    loop = asyncio.get_running_loop()
    journal = Journal.open(directory, loop=loop, on_failure=_unexpected)
    tell(f"epoch {journal.epoch}")
    log = SiteLog(journal, ORIGIN, KEY)
    now_ms = max(START_MS, (log.last_tick_ms or 0) + 1000)
    streams = []
    for name in STREAMS:
        stream = Stream(name, journal.epoch, journal.head(name))
        stream.channels["hall"] = journal.channel_head(name, "hall")
        streams.append(stream)

    async def send(stream: Stream) -> None:
        body = b"%s of epoch %d after %d" % (
            stream.name.encode(),
            stream.epoch,
            stream.head.seq,
        )
        item = stream.item(body=body, entry_ms=now_ms)
        await journal.append(item)
        tell(f"row {stream.name} {item.rows[0].seq} {item.rows[0].hash.hex()}")

    ends = time.monotonic() + CHILD_LIFE_S_MAX
    while time.monotonic() < ends:
        await asyncio.gather(*(send(stream) for stream in streams for _ in range(3)))
        checkpoint = await log.tick(now_ms)
        tell(f"checkpoint {checkpoint.size} {checkpoint.root.hex()}")
        now_ms += 1000


def one_round(directory: Path, chance: random.Random) -> list[list[str]]:
    """What a child told before it was killed, line by line."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        try:
            child(directory, lambda line: _write_line(writing, line))
        finally:
            os._exit(9)  # it is to be killed, not to end
    os.close(writing)
    told = b""
    # Some are killed while they open, most while they write.
    if chance.random() < 0.8:
        select.select([reading], [], [])
    time.sleep(chance.uniform(0, 0.04))
    os.kill(pid, signal.SIGKILL)
    while piece := os.read(reading, 1 << 16):
        told += piece
    os.close(reading)
    _, status = os.waitpid(pid, 0)
    assert os.WIFSIGNALED(status), f"the child ended by itself: {status}"
    whole, _, _ = told.rpartition(b"\n")  # a last line without its end was not told
    return [line.split() for line in whole.decode().splitlines()]


def _write_line(handle: int, line: str) -> None:
    os.write(handle, line.encode() + b"\n")


async def verify(directory: Path, told: list[list[str]]) -> int:
    """Rows found; AssertionError when something told is not there, or is there twice."""
    loop = asyncio.get_running_loop()
    journal = Journal.open(directory, loop=loop, on_failure=_unexpected)
    rows = {name: journal.read(name, limit=10_000) for name in STREAMS}
    hashes = {(row.stream, row.seq): row.hash.hex() for name in STREAMS for row in rows[name]}
    bodies = [row.body for name in STREAMS for row in rows[name]]
    assert len(set(bodies)) == len(bodies), "a row is there twice"
    log = SiteLog(journal, ORIGIN, KEY)
    for kind, *rest in told:
        if kind == "epoch":
            assert journal.epoch > int(rest[0])
        elif kind == "row":
            assert hashes[rest[0], int(rest[1])] == rest[2], "an acknowledged row is lost"
        else:
            assert log.checkpoint_at(int(rest[0])).root.hex() == rest[1]
    for name in STREAMS:
        order = [int(line[2]) for line in told if line[:2] == ["row", name]]
        assert order == sorted(set(order)), "told out of order, or twice"
        assert journal.verify(name).seq == len(rows[name])
        for row in rows[name]:
            assert journal.answer(name, row.actor, row.cmd_id) == b"answer to " + row.body
    journal.close()
    return len(bodies)


def main(directory: Path, rounds: int, seed: int) -> None:
    chance = random.Random(seed)
    acknowledged = found = while_opening = 0
    told_before: list[list[str]] = []
    for number in range(rounds):
        place = directory / str(number // ROUNDS_PER_DIRECTORY)
        if number % ROUNDS_PER_DIRECTORY == 0:
            told_before = []
        told = one_round(place, chance)
        told_before += told
        found += asyncio.run(verify(place, told_before))
        acknowledged += sum(line[0] == "row" for line in told)
        while_opening += not told
    print(
        json.dumps(
            {
                "rounds": rounds,
                "acknowledged": acknowledged,
                "found": found,
                "while_opening": while_opening,
            }
        )
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
