"""video_decrypting (解密时的画面): do pictures stand still while large envelopes are opened beside?

The media process as shipped, with one publisher and thin viewers, first alone, then while another
process opens gigabytes with the site's own pool (`server.decryption.pool`), all threads of it. Each
is in a session of its own, as the site starts the media process: where the kernel groups sessions
(``sched_autogroup_enabled``), each session has its share of the processors, whatever its threads'
priority; where it does not, the pool's threads are nice, and forwarding is not. Measured is the
longest time between two packets of the picture at any viewer. The publisher and the viewers are
one Python process, which competes as well: what it says is an upper bound.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import uvloop

from crypto.header import parse_header
from loadtests.child import Child, obey
from loadtests.envelopes import Envelope, seal_files
from loadtests.machine import cpu_s, quantile
from loadtests.report import Aim, Report, options, run, say
from loadtests.video_beside import GOP_S, Contestant, joined
from loadtests.video_peer import ThinPeer
from loadtests.video_process import MediaProcess
from server.decryption.bodies import SealedBody
from server.decryption.pool import Pool
from server.domain.due import BidHalves

OPENER = "loadtests.video_decrypting"
VIEWERS, SMALL_VIEWERS = 20, 5
FILES, FILE_BYTES = 4, 128 << 20
TIMES, SMALL_TIMES = 8, 1  # 4 GiB, half a GiB
ALONE_S, SMALL_ALONE_S = 12, 4
STILL_MS = 1000  # issue: no picture stands still for longer


class Viewer(ThinPeer):
    """Notes when each packet of the picture came: ``came_ns`` by SSRC."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.came_ns: dict[bytes, list[int]] = {}

    def _count(self, data: bytes) -> None:
        super()._count(data)
        self.came_ns.setdefault(data[8:12], []).append(time.monotonic_ns())

    def pauses_ms(self) -> list[float]:
        """Between packets of the picture, which has more of them than the sound."""
        times = max(self.came_ns.values(), key=len)
        self.came_ns = {}
        return [(b - a) / 1e6 for a, b in pairwise(times)]


def open_all(bodies: list[dict[str, Any]], folder: str, times: int) -> float:
    """In the child: every file so many times, as the site does. Seconds."""
    pool = Pool()
    items = [
        SealedBody(
            BidHalves(
                header=parse_header(body["header"]),
                bidder_half=body["half"],
                shares={int(place): share for place, share in body["shares"].items()},
                unreadable=frozenset(),
                self_half=None,
            ),
            Path(body["path"]),
            Path(folder) / f"opened-{number}",
        )
        for number, body in enumerate(bodies)
    ]

    async def opened() -> None:
        for _ in range(times):
            states = await asyncio.gather(*map(pool.open_body, items))
            assert set(states) == {"opened"}, states

    began = time.perf_counter()
    asyncio.run(opened())
    pool.close()
    return time.perf_counter() - began


def _figures(viewers: list[Viewer], spent_s: float, took_s: float) -> dict[str, float]:
    pauses = [pause for viewer in viewers for pause in viewer.pauses_ms()]
    return {
        "picture_pause_p99_ms": round(quantile(pauses, 0.99), 1),
        "picture_pause_max_ms": round(max(pauses), 1),
        "media_core_percent": round(100 * spent_s / took_s, 1),
        "seconds": round(took_s, 1),
    }


async def _played(
    contestant: Contestant, viewers: list[Viewer], seconds: int, beside: asyncio.Future[Any] | None
) -> dict[str, float]:
    """For ``seconds``, or as long as what goes on beside."""
    for viewer in viewers:
        viewer.came_ns = {}
    began, spent = time.monotonic(), cpu_s(contestant.unit.pid)
    await contestant.play(seconds)
    while beside is not None and not beside.done():
        await contestant.play(GOP_S)
    took_s = time.monotonic() - began
    return _figures(viewers, cpu_s(contestant.unit.pid) - spent, took_s)


async def _measured(folder: Path, envelopes: list[Envelope], small: bool) -> dict[str, Any]:
    async with AsyncExitStack() as stack:
        process = await stack.enter_async_context(MediaProcess("evaluation:load", folder))
        command = ["setsid", sys.executable, "-m", OPENER, "--open"]
        opener = stack.enter_context(Child(command=command))
        people = [Viewer(f"viewer{n}") for n in range(SMALL_VIEWERS if small else VIEWERS)]
        contestant = await joined("media", process, ThinPeer("publisher"), people, stack)
        say("alone")
        alone = await _played(contestant, people, SMALL_ALONE_S if small else ALONE_S, None)
        say("beside decryption")
        bodies = [one.handed_over for one in envelopes]
        times = SMALL_TIMES if small else TIMES
        order = partial(opener.ask, "open_all", bodies=bodies, folder=str(folder), times=times)
        opening = asyncio.ensure_future(asyncio.to_thread(order))
        beside = await _played(contestant, people, GOP_S, opening)
        took_s = await opening
        got = await contestant.drained()
        return {
            "alone": alone,
            "beside": beside,
            "decrypted_mib": times * FILES * FILE_BYTES >> 20,
            "decrypted_gb_per_s": round(times * FILES * FILE_BYTES / took_s / 1e9, 3),
            "lost": contestant.publisher.sent * len(people) - got,
        }


def measure(arguments: argparse.Namespace) -> Report:
    with tempfile.TemporaryDirectory(prefix="video") as name:
        folder = Path(name)
        say("sealing")
        envelopes = seal_files(folder, FILES, FILE_BYTES)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            figures = runner.run(_measured(folder, envelopes, arguments.small))
    longest_ms = figures["beside"]["picture_pause_max_ms"]
    return Report(
        name="video_decrypting",
        ratio=longest_ms / STILL_MS,
        aim=1,
        aims=[Aim("longest time without a packet of the picture, ms", longest_ms, STILL_MS)],
        figures=figures,
    )


if __name__ == "__main__":
    if sys.argv[1:] == ["--open"]:
        obey({"open_all": open_all})
    else:
        run(measure, options("video_decrypting", "viewers"))
