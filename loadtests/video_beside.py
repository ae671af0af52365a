"""Our unit and Debian's janus side by side (并排): the same publisher, the same viewers, one run.

One thin publisher replays the recorded trace through real ICE, DTLS and SRTP at its own pace, thin
viewers count what they get, and CPU is the kernel's account of the unit's whole process. Rounds
alternate; who is not being measured is connected and hears nothing.
"""

import asyncio
import socket
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import uvloop

from loadtests import video_janus
from loadtests.child import Child
from loadtests.machine import cpu_s, median, rss_bytes
from loadtests.report import say
from loadtests.video_peer import AUDIO_PT, VIDEO_PT, ThinPeer
from loadtests.video_process import MediaProcess
from loadtests.video_trace import Due, recorded, replay

GOP_S = 2
WARM_S = 2 * GOP_S
QUIET_S = 0.5


class Unit(Protocol):
    """One of the contestants."""

    pid: int

    async def publish(self, peer: ThinPeer) -> None: ...
    async def watch(self, peer: ThinPeer) -> None: ...
    async def settle(self) -> None: ...


class Ours:
    def __init__(self, child: Child) -> None:
        self._child, self.pid = child, child.pid
        self._asking = asyncio.Lock()  # a child takes one order at a time

    async def _ask(self, order: str, **arguments: Any) -> Any:
        async with self._asking:
            return await asyncio.to_thread(self._child.ask, order, **arguments)

    async def publish(self, peer: ThinPeer) -> None:
        await peer.connect(await self._ask("publish", offer=peer.offer()))

    async def watch(self, peer: ThinPeer) -> None:
        offer = await self._ask("watch", name=peer.name)
        await self._ask("answer", name=peer.name, answer=peer.answer(offer))
        await peer.connect(offer)

    async def settle(self) -> None:
        await self._ask("settle")


class Theirs:
    def __init__(self, janus: video_janus.Janus) -> None:
        self._janus, self.pid = janus, janus.pid

    async def publish(self, peer: ThinPeer) -> None:
        handle, answer = await self._janus.publish(peer.offer())
        await peer.connect(answer)
        await handle.is_up.wait()

    async def watch(self, peer: ThinPeer) -> None:
        handle, offer = await self._janus.watch()
        await self._janus.answer(handle, peer.answer(offer))
        await peer.connect(offer)
        await handle.is_up.wait()

    async def settle(self) -> None:
        """It has no such thing."""


@dataclass(slots=True)
class Contestant:
    """A unit with its people, and what was measured of it."""

    name: str
    unit: Unit
    publisher: ThinPeer
    viewers: Sequence[ThinPeer]
    packets: Iterator[Due] = field(default_factory=lambda: replay(recorded(gop_s=GOP_S)))
    join_cpu_ms: float = 0.0  # of a viewer
    join_kb: float = 0.0
    per_cpu_s: list[float] = field(default_factory=list[float])
    sent: int = 0
    got: int = 0
    _turned: int = 0  # of the trace, ms
    _next: Due | None = None

    @property
    def lost(self) -> int:
        return self.sent * len(self.viewers) - self.got

    async def play(self, seconds: int) -> None:
        began, until_ms = time.monotonic(), self._turned + seconds * 1000
        while True:
            due = self._next or next(self.packets)
            self._next = due
            if due.at_ms >= until_ms:
                break
            wait_s = began + (due.at_ms - self._turned) / 1000 - time.monotonic()
            if wait_s > 0:
                await asyncio.sleep(wait_s)
            pt = VIDEO_PT if due.is_video else AUDIO_PT
            self.publisher.send(pt, due.seq, due.ticks, due.data, marker=due.marker)
            self._next = None
        self._turned = until_ms

    async def drained(self) -> int:
        """Packets that viewers have, when no more come."""
        before = -1
        while (now := sum(viewer.packets for viewer in self.viewers)) != before:
            before = now
            await asyncio.sleep(QUIET_S)
        return now

    async def round(self, seconds: int) -> None:
        got, sent, spent = await self.drained(), self.publisher.sent, cpu_s(self.unit.pid)
        await self.play(seconds)
        got, sent = await self.drained() - got, self.publisher.sent - sent
        self.per_cpu_s.append(got / (cpu_s(self.unit.pid) - spent))
        self.sent, self.got = self.sent + sent, self.got + got


async def joined(
    name: str,
    unit: Unit,
    publisher: ThinPeer,
    people: Sequence[ThinPeer],
    stack: AsyncExitStack,
) -> Contestant:
    """Everybody connected, and a little played: viewers have joined at a keyframe."""
    await unit.publish(publisher)
    stack.push_async_callback(publisher.close)
    spent, held = cpu_s(unit.pid), rss_bytes(unit.pid)
    await asyncio.gather(*(unit.watch(peer) for peer in people))
    spent, held = cpu_s(unit.pid) - spent, rss_bytes(unit.pid) - held
    for peer in people:
        stack.push_async_callback(peer.close)
    made = Contestant(name, unit, publisher, people)
    made.join_cpu_ms, made.join_kb = 1000 * spent / len(people), held / 1000 / len(people)
    await made.play(WARM_S)
    await unit.settle()
    return made


def own_address() -> str:
    """An address of this machine that is not loopback's, where it has one: Janus wants it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # nothing is sent
        except OSError:
            return "127.0.0.1"
        return probe.getsockname()[0]


async def _beside(viewers: int, seconds: int, rounds: int) -> dict[str, Any]:
    # Every round begins at a keyframe: viewers who have heard nothing for a while wait for one.
    assert seconds % GOP_S == 0
    address = own_address()
    async with AsyncExitStack() as stack:
        child = stack.enter_context(Child("loadtests.video_unit"))
        child.ask("open", address=address)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="video")))
        process = MediaProcess("evaluation:load", folder, address)
        units: dict[str, Unit] = {
            "ours": Ours(child),
            "recorded": await stack.enter_async_context(process),
        }
        if video_janus.is_here():
            units["janus"] = Theirs(await stack.enter_async_context(video_janus.Janus(address)))
        all_of_them = await asyncio.gather(
            *(
                joined(
                    name,
                    unit,
                    ThinPeer("publisher", address),
                    [ThinPeer(f"viewer{number}", address) for number in range(viewers)],
                    stack,
                )
                for name, unit in units.items()
            )
        )
        for number in range(rounds):
            for one in all_of_them:
                await one.round(seconds)
            said = ", ".join(f"{one.name} {one.per_cpu_s[-1]:,.0f}/s" for one in all_of_them)
            say(f"processes, round {number + 1}: {said}")
        return {
            one.name: {
                "per_cpu_s": round(median(one.per_cpu_s)),
                "rounds": [round(found) for found in one.per_cpu_s],
                "sent": one.sent,
                "received": one.got,
                "lost": one.lost,
                "join_cpu_ms": round(one.join_cpu_ms, 2),
                "join_kb": round(one.join_kb),
            }
            for one in all_of_them
        }


def beside(viewers: int, seconds: int, rounds: int) -> dict[str, Any]:
    """By name (``ours``, ``recorded``: the media process as shipped, ``janus`` where it is
    installed): packets that reached viewers per CPU-second of the whole process, and what a
    viewer's joining costs it, from the request to keys: CPU, and memory that stays.
    """
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_beside(viewers, seconds, rounds))
