"""A site under load (受测站点): the server in its own process, its openings prepared, its crowds.

Invariant: everything that a load test measures happens between processes over loopback sockets;
this module only sets the scene and asks questions afterwards.
"""

import itertools
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from loadtests.bids import Bid, seal
from loadtests.child import Child, ask_all
from loadtests.machine import allow_files, cpu_s, fsync_s, rss_bytes

CROWDS = 2
# A crowd sits in the rows of five contestants, so it holds open five times as many files.
SEATS_PER_CROWD, ROWS_MAX = 2500, 5
SEATS_PER_ADDRESS = 400  # the server's own limit per address is 512


@dataclass(frozen=True, slots=True)
class Prepared:
    """One opening, announced, with all its bids sealed."""

    room: str
    bids: list[Bid]

    @property
    def stream(self) -> str:
        return f"opening:{self.room}"


class SiteUnderLoad:
    """Use as a context; everything it started ends with it."""

    def __init__(
        self, *, synchronous: str = "FULL", seats: int = 0, edges: dict[str, Any] | None = None
    ) -> None:
        """``seats``: of the largest row, so that enough crowds share them; ``edges``: that section
        of the configuration.
        """
        allow_files(max(seats, min(seats, SEATS_PER_CROWD) * ROWS_MAX))
        self._folder = tempfile.TemporaryDirectory(prefix="kaibiao-load-")
        self.directory = Path(self._folder.name)
        self.seed = os.urandom(32)
        self.server = Child("loadtests.server_process")
        self.crowds = [
            Child("loadtests.crowd") for _ in range(max(CROWDS, -(-seats // SEATS_PER_CROWD)))
        ]
        self.hand = Child("loadtests.crowd")  # of single persons: the host, a trustee
        self._start = {"synchronous": synchronous, "connections": 15_000, "edges": edges}
        self.ws_port = 0
        self.origin = ""

    def __enter__(self) -> Self:
        try:
            where = self.server.ask("start", data=str(self.directory), **self._start)
        except BaseException:
            self.__exit__()
            raise
        self.ws_port, self.origin = where["ws_port"], where["origin"]
        return self

    def __exit__(self, *exc: object) -> None:
        for child in (*self.crowds, self.hand, self.server):
            child.close()
        self._folder.cleanup()

    # ---- setting the scene

    def prepare(self, rooms: Sequence[tuple[str, dict[str, Any]]], bidders: int) -> list[Prepared]:
        """Announced openings, each with one sealed bid of every bidder. ``rooms``: (name, what
        differs in its plan).
        """
        self.server.ask("cast", seed=self.seed, bidders=bidders)
        least = min(3, bidders)
        manifests = [
            self.server.ask("publish", room=room, min_bidders=least, **plan) for room, plan in rooms
        ]
        made: list[Prepared] = []
        for (room, _), manifest in zip(rooms, manifests, strict=True):
            bids = seal(self.seed, room, manifest, bidders)
            if made:
                self.server.answer()  # of the room before: stored while this one was sealed
            self.server.tell("submit", room=room, bids=[bid.handed_in for bid in bids])
            made.append(Prepared(room, bids))
        self.server.answer()
        for one in made:
            counted = self.server.ask("announced", room=one.room)
            assert counted == bidders, f"{counted} of {bidders} bids count"
        return made

    def enter_bidders(self, row: str, prepared: Sequence[Prepared]) -> None:
        """Every bidder takes a seat and hears the hall and its own channel of each opening."""
        bidders = len(prepared[0].bids)
        orders: list[dict[str, Any]] = []
        for part in self.shares(bidders):
            people = [prepared[0].bids[n] for n in part]
            tickets = self.server.ask("tickets", people=[bid.person for bid in people])
            positions = [
                [
                    [one.stream, audience, 0, 0]
                    for one in prepared
                    for audience in ("hall", f"party:{bid.org}")
                ]
                for bid in people
            ]
            orders.append(self.seats(row, part) | {"tickets": tickets, "positions": positions})
        ask_all(self.crowds, "join", orders)

    def enter_viewers(self, row: str, stream: str, count: int) -> None:
        """Anonymous viewers of one hall."""
        orders = [
            self.seats(row, part) | {"positions": [[[stream, "hall", 0, 0]]] * len(part)}
            for part in self.shares(count)
        ]
        ask_all(self.crowds, "join", orders)

    def enter_one(self, row: str, person: str, positions: list[list[Any]]) -> None:
        """One person with a seat of its own row."""
        (ticket,) = self.server.ask("tickets", people=[person])
        order = self.seats(row, range(1)) | {"tickets": [ticket], "positions": [positions]}
        self.hand.ask("join", **order)

    def seats(self, row: str, numbers: range) -> dict[str, Any]:
        """Arguments of ``join``: where from and where to."""
        return self.raw_seats(row, numbers, self.ws_port) | {"origin": self.origin}

    def raw_seats(self, row: str, numbers: range, port: int) -> dict[str, Any]:
        """The same for sockets without a handshake."""
        sources = [source_address(n) for n in numbers]
        return {"row": row, "host": "127.0.0.1", "port": port, "sources": sources}

    def shares(self, count: int) -> list[range]:
        """Which numbers each crowd takes."""
        bounds = [count * k // len(self.crowds) for k in range(len(self.crowds) + 1)]
        return [range(a, b) for a, b in itertools.pairwise(bounds)]

    # ---- questions

    def cpu_s(self) -> float:
        return cpu_s(self.server.pid)

    def rss_bytes(self) -> int:
        return rss_bytes(self.server.pid)

    def fsync_s(self) -> list[float]:
        return fsync_s(self.directory)


def source_address(number: int) -> str:
    """127.0.0.2, 127.0.0.3, ...: one for every few hundred seats."""
    block = 2 + number // SEATS_PER_ADDRESS
    return f"127.0.{block // 250}.{block % 250}"
