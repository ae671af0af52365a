"""What the server costs: ``python -m tests.signaling.measure [--json] [--small]``.

Fan-out: CPU per delivered event against a bare loop that writes the same prebuilt frame to the same
transports. Burst: one command from each of 1,000 bidders at once. Memory: per idle viewer.
Clients run in another process; only this process's CPU is counted. Loopback only.
"""

import argparse
import asyncio
import gc
import json
import statistics
import sys
import time

import uvloop

from signaling import frames
from signaling.codec import pack
from signaling.gateway import Answer, Event, Identity
from signaling.histogram import Histogram
from signaling.options import Options
from signaling.server import serve
from tests.signaling.hall import ORIGIN, Book


class Measured(Book):
    """Admits bidders by name and answers commands at once."""

    def admit(self, ticket, peer):
        return Identity(ticket or "", ticket is not None)

    def command(self, identity, command, reply):
        self.received.append(command.received_ms)
        reply(Answer.done({"seq": 1}))


def resident_bytes():
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * 4096


class Crowded:
    """A server and a crowd in another process."""

    def __init__(self, count, kind):
        self.count, self.kind = count, kind

    async def __aenter__(self):
        self.book = Measured()
        self.book.received = []
        self.book.open("tender:1")
        options = Options(
            origins=(ORIGIN,), accept_burst=100_000, per_address_max=100_000, connections_max=20_000
        )
        self.server = self.book.server = await serve("127.0.0.1", 0, self.book, options)
        gc.collect()
        before = resident_bytes()
        self.crowd = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.signaling.crowd",
            str(self.server.port),
            str(self.count),
            self.kind,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert (await self.crowd.stdout.readline()).strip() == b"ready"
        gc.collect()
        self.bytes_each = (resident_bytes() - before) / self.count
        return self

    async def ask(self, what):
        self.crowd.stdin.write(what.encode() + b"\n")
        return json.loads(await self.crowd.stdout.readline())

    async def swept(self):
        """All that was published has been written."""
        while self.server._fanout._handle is not None:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0)

    def transports(self):
        return [peer.transport for peer in self.server._desk.peers]

    async def __aexit__(self, *_):
        self.crowd.stdin.write(b"\n")
        await self.crowd.wait()
        await self.server.close(spread_ms=0)


async def fan_out(count, rounds):
    """CPU microseconds per delivered event: ours, and a bare loop over the same transports."""
    async with Crowded(count, "viewers") as hall:
        body = pack({"bidder": "91330000MA27XXXXXX", "price": "1234567.00", "note": "x" * 120})
        event = Event(1, 1, "bid.revealed", body, bytes(32))
        ours, bare, lags_ms = [], [], []
        for seq in range(1, rounds + 1):
            await asyncio.sleep(0.05)
            lag = hall.server.pass_clock.lag = Histogram()
            began = time.process_time()
            hall.server.publish("tender:1", "hall", 1, seq, 1, "bid.revealed", body, bytes(32))
            await hall.swept()
            ours.append((time.process_time() - began) / count * 1e6)
            await asyncio.sleep(0.05)
            lags_ms.append(lag.max_ms)
            # The crowd counts bytes, so a frame of no channel is no trouble.
            key = next(iter(hall.server._desk.hub._channels))
            frame = frames.wrap(frames.event_payload(key, 1, event))
            transports = hall.transports()
            began = time.process_time()
            for transport in transports:
                transport.write(frame)
            bare.append((time.process_time() - began) / count * 1e6)
        assert hall.server.metrics.deliveries >= count * rounds
        return {
            "viewers": count,
            "ours_us": statistics.median(ours),
            "bare_us": statistics.median(bare),
            "ratio": statistics.median(ours) / statistics.median(bare),
            "lag_median_ms": statistics.median(lags_ms),
            "lag_max_ms": max(lags_ms),
        }


async def burst(count):
    """One command each from ``count`` bidders within an instant."""
    async with Crowded(count, "bidders") as hall:
        await asyncio.sleep(0.2)  # The collector's pause is over, and out of the pass clock.
        began = time.process_time()
        times = await hall.ask("burst")
        cpu_us = (time.process_time() - began) / count * 1e6
        received = hall.book.received
        assert len(received) == count
        return {
            "bidders": count,
            "cpu_us_per_command": cpu_us,
            "answered_ms": times["answered_ms"],
            "sent_ms": times["sent_ms"],
            "dated_within_ms": max(received) - min(received),
        }


async def idle(count):
    """Resident memory per idle viewer; the first thing in the process, or it reuses old memory."""
    async with Crowded(count, "viewers") as hall:
        return {"viewers": count, "bytes_per_idle_viewer": hall.bytes_each}


async def measure(sizes, rounds):
    return {
        "idle": await idle(sizes[-1]),
        "fan_out": [await fan_out(size, rounds) for size in sizes],
        "burst": await burst(min(1000, sizes[0])),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--asyncio", action="store_true", help="asyncio's own loop")
    arguments = parser.parse_args()
    sizes, rounds = ([50], 3) if arguments.small else ([1000, 2000], 30)
    run = asyncio.run if arguments.asyncio else uvloop.run
    report = run(measure(sizes, rounds))
    if arguments.json:
        print(json.dumps(report))
        return
    for row in [report["idle"], *report["fan_out"], report["burst"]]:
        print("  ".join(f"{name} {value:.1f}" for name, value in row.items()))


if __name__ == "__main__":
    main()
