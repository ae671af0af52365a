"""What goes on in the server process while something is measured (忙碌的大厅): hosts at work, the
loop's lag looked at, large envelopes handed to the decryption pool.

Invariant: each of these begins with one order and ends with another, so that the parent decides
what is measured beside what.
"""

import asyncio
import json
import time
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from crypto.header import parse_header
from loadtests.openings import Openings, actor_of
from server.app import Running
from server.decryption import forms
from server.decryption.bodies import SealedBody, open_into, stamp_of
from server.demo.world import TenderPlan, build_manifest
from server.domain import commands as cmd
from server.domain.due import BidHalves
from signaling.accept import AcceptLimiter
from signaling.desk import monotonic_ms

LAG_EVERY_S = 0.005


class Busy(Openings):
    """All orders of a load test."""

    def __init__(self, site: Running) -> None:
        super().__init__(site)
        self._hosts: list[asyncio.Task[int]] = []
        self._lags_ms: list[float] = []
        self._lag: asyncio.Task[None] | None = None

    # ---- hosts

    async def hosts_begin(self, rooms: list[str], every_ms: int) -> None:
        """The host of each room changes its countdown again and again: decided, journaled with an
        fsync, sent to everybody there.
        """
        for number, room in enumerate(rooms):
            first_ms = every_ms * number / len(rooms)
            self._hosts.append(asyncio.create_task(self._host(room, every_ms, first_ms)))

    async def _host(self, room: str, every_ms: int, first_ms: float) -> int:
        opening, host = f"opening:{room}", actor_of(self.world.host)
        began, times = time.perf_counter() + first_ms / 1000, 0
        try:
            while True:
                await asyncio.sleep(max(0.0, began + times * every_ms / 1000 - time.perf_counter()))
                await self._ask(opening, cmd.Extend(extra_ms=1000, reason="负载测试"), host)
                times += 1
        except asyncio.CancelledError:
            return times

    async def hosts_end(self) -> int:
        """How many changes there were."""
        for host in self._hosts:
            host.cancel()
        done = await asyncio.gather(*self._hosts)
        self._hosts.clear()
        return sum(done)

    async def extend_in_turn(self, rooms: list[str], times: int, every_ms: float) -> dict[str, int]:
        """One room's host after the other changes its countdown, ``times`` times in all. The ns of
        each commit by "stream seq".
        """
        began, host = time.perf_counter(), actor_of(self.world.host)
        committed: dict[str, int] = {}
        for number in range(times):
            await asyncio.sleep(max(0.0, began + number * every_ms / 1000 - time.perf_counter()))
            opening = f"opening:{rooms[number % len(rooms)]}"
            await self._ask(opening, cmd.Extend(extra_ms=1000, reason="负载测试"), host)
            seq = self._position(opening)
            committed[f"{opening} {seq}"] = self._published_ns[opening, "hall", seq]
        return committed

    def committed_ns(self, room: str) -> list[tuple[int, int]]:
        """(seq, ns when it was handed to the fan-out) of the hall's events so far."""
        return [
            (seq, ns)
            for (stream, audience, seq), ns in self._published_ns.items()
            if stream == f"opening:{room}" and audience == "hall"
        ]

    # ---- the loop's lag

    async def lag_begin(self) -> None:
        self._lags_ms = []
        self._lag = asyncio.create_task(self._look_at_lag())

    async def _look_at_lag(self) -> None:
        while True:
            due = time.perf_counter() + LAG_EVERY_S
            await asyncio.sleep(LAG_EVERY_S)
            self._lags_ms.append((time.perf_counter() - due) * 1000)

    def lag_take(self) -> list[float]:
        """What ``lag_end`` would give, and goes on."""
        taken, self._lags_ms = self._lags_ms, []
        return taken

    def lag_end(self) -> list[float]:
        """By how many ms each timer of 5 ms was late."""
        assert self._lag is not None
        self._lag.cancel()
        return self._lags_ms

    # ---- a tender that stays open

    async def publish_open(self, room: str, hours: int) -> None:
        """Bids of it have a large envelope; it closes in so many hours."""
        raw, signatures = build_manifest(
            self.world,
            TenderPlan(
                number=room,
                title=f"负载测试 {room}",
                deadline_ms=self.hall.now_ms() + hours * 3_600_000,
            ),
            receipt_pk=self.site.keys.receipt.public,
            log_origin=self.site.config.site.log_origin,
            log_pk=self.site.keys.log.public,
        )
        await self.hall.open_tender(room, raw, signatures)

    # ---- the door

    def handshakes_per_s(self, rate: int) -> None:
        """From now on so many are let in a second, the first second's worth at once."""
        desk = self.site.signaling._desk
        desk.limiter = AcceptLimiter(rate, rate, monotonic_ms())
        desk.first_limiter = AcceptLimiter(rate, rate, monotonic_ms())

    def seated(self, room: str) -> int:
        """Connections that hear the hall of ``room``."""
        return sum(self.site.signaling.members(f"opening:{room}"))

    def turned_away(self) -> dict[str, int]:
        return dict(self.site.signaling.metrics.turned_away)

    # ---- a test of the test

    def stub_parser(self) -> None:
        """From now on forms are read as if they needed no checking: nothing strict, nothing said
        twice is noticed. Figures that this does not move do not measure the parser.
        """
        forms.parse_padded_form = taken_at_its_word

    # ---- large envelopes

    async def open_bodies(
        self, bodies: list[dict[str, Any]], target: str, is_checked: bool
    ) -> dict[str, Any]:
        """Through the site's own pool. ``target``: a folder, or empty: plaintexts are discarded.
        ``is_checked``: as after STORE_CHECK. Seconds from the first to the last, and states.
        """
        items = [_sealed(body, Path(target), is_checked=is_checked) for body in bodies]
        pool = self.hall.worker.pool
        opened = pool.open_body if target else partial(pool.open_body, opening=_discarded)
        began = time.perf_counter()
        states = await asyncio.gather(*(opened(item) for item in items))
        return {"took_s": time.perf_counter() - began, "states": sorted(set(states))}


def taken_at_its_word(plaintext: bytes, *_rules: object) -> Any:
    raw = plaintext.rstrip(b"\0")[:-1]
    form = json.loads(raw)
    return SimpleNamespace(raw=raw, fields=form["fields"], bidder_code=form["bidder"]["code"])


def _sealed(body: dict[str, Any], target: Path, *, is_checked: bool) -> SealedBody:
    source, header = Path(body["path"]), parse_header(body["header"])
    halves = BidHalves(
        header=header,
        bidder_half=body["half"],
        shares={int(place): share for place, share in body["shares"].items()},
        unreadable=frozenset(),
        self_half=None,
    )
    checked = stamp_of(source) if is_checked else None
    return SealedBody(halves, source, target / header.bid_id.hex(), checked)


def _discarded(item: SealedBody) -> str:
    return open_into(item, len)
