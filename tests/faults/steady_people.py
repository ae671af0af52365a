"""People who do not give up: the demo's, with everything asked again until it is answered.

What was answered with yes is kept in ``acts``: the server may never lose it, whatever happens to
it. Every channel's events are kept apart in ``channels``, as they came.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

import aiohttp

from crypto.entries import act_message
from crypto.keys import SigningKey
from crypto.messages import KIND_SUBMIT, KIND_WITHDRAW, build_submit
from crypto.objects.entry import EntryType
from crypto.sealing import Sealed
from server.demo.people import Bidder, Host, TrusteeVisitor, Visitor, now_ms
from server.demo.world import TrusteeKeys, World
from server.http.client import HallHttp, HallRefused
from signaling.client import Client
from signaling.feed import HeardEvent

AGAIN_S = 0.05
MARGIN_MS, FURTHER_MS = 2_500, 2_000
SLOW_TIMES, SLOW_MS_MAX = 4, 8_000  # where halls are killed meanwhile, it says little
LINE_TROUBLE = (aiohttp.ClientError, OSError, TimeoutError)
OURS = frozenset({"server.trouble", "room.busy", "upload.busy", "upload.offset"})

T = TypeVar("T")


@dataclass(frozen=True)
class Act:
    """A command that was answered with yes."""

    person: str
    room: str
    cmd_id: str
    op: str
    args: Mapping[str, Any]
    result: Mapping[str, Any]


class SteadyHttp(HallHttp):
    """Asks again under the same cmd_id; logs in again where a restart has ended the session."""

    def __init__(self, base: str, person: str, acts: list[Act], origin: str = "") -> None:
        super().__init__(base, origin=origin or None, timeout_s=10)
        self._person = person
        self._acts = acts
        self._key: SigningKey | None = None
        self._asked = 0

    async def login(self, key: SigningKey) -> dict[str, Any]:
        self._key = key
        return await self.insist(partial(super().login, key), relogin=False)

    async def request(self, method: str, path: str, **options: Any) -> Any:
        ask = partial(super().request, method, path, **options)
        return await (ask() if path.startswith("/auth/") else self.insist(ask))

    async def read(self, path: str) -> bytes:
        return await self.insist(partial(super().read, path))

    async def command(
        self, room: str, op: str, args: Mapping[str, Any], *, cmd_id: str | None = None
    ) -> Any:
        self._asked += 1
        cmd_id = cmd_id or f"{self._person}-by-http-{self._asked}"
        result = await super().command(room, op, args, cmd_id=cmd_id)
        self._acts.append(Act(self._person, room, cmd_id, op, args, result))
        return result

    async def store_steadily(self, tender: str, sealed: Sealed) -> str:
        """Every step of an upload on its own, so that a kill in between costs that step alone."""
        uploads, header, payload = self.uploads, sealed.header, sealed.payload
        location = await self.insist(lambda: uploads.create(tender, header.core, len(payload)))
        await self.insist(lambda: uploads.send(location, payload, patch_size=40_000))
        return await self.insist(lambda: uploads.put_header(location, header.raw))

    async def insist(self, ask: Callable[[], Awaitable[T]], *, relogin: bool = True) -> T:
        while True:
            try:
                return await ask()
            except LINE_TROUBLE:
                pass
            except HallRefused as refused:
                if refused.code == "auth.required" and relogin and self._key is not None:
                    await self.login(self._key)
                elif refused.code not in {*OURS, "auth.challenge_unknown"}:
                    raise
            await asyncio.sleep(AGAIN_S)


@dataclass
class Steady(Visitor):
    """A visitor of this kind. ``ws_port``: another way to the server, such as a proxy's; then
    ``origin`` is the site's own, which differs from ``base``.
    """

    acts: list[Act] = field(default_factory=list)
    channels: dict[str, list[HeardEvent]] = field(default_factory=dict)
    ws_port: int = 0
    origin: str = ""
    asked: int = 0
    asking: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.http: SteadyHttp = SteadyHttp(self.base, self.person.person, self.acts, self.origin)

    async def enter(self, *audiences: str) -> None:
        start = await self.http.bootstrap()
        port = self.ws_port or start["ws_port"]
        url = f"ws://127.0.0.1:{port}{start['ws_path']}"
        self.client = Client(url, origin=self.origin or self.base, ticket=self.ticket)
        for audience in ("hall", *audiences):
            heard = self.channels[audience] = []
            hear = partial(self._hear_of, heard)
            self.client.subscribe(f"opening:{self.room_id}", audience, hear)
        await self.client.start()

    def _hear_of(self, channel: list[HeardEvent], event: HeardEvent) -> None:
        channel.append(event)
        self._hear(event)

    async def until_count(self, heard: list[HeardEvent], count: int) -> None:
        """Until so many events of this list have come."""
        await self.until(lambda _: len(heard) >= count)

    async def do(self, op: str, **args: Any) -> Any:
        assert self.client is not None
        self.asked += 1
        cmd_id = f"{self.person.person}-{self.asked}-{op}"
        room = f"opening:{self.room_id}"
        self.asking = cmd_id
        result = await self.client.command(room, op, args, cmd_id=cmd_id)
        self.asking = ""
        self.acts.append(Act(self.person.person, room, cmd_id, op, args, result))
        return result

    def where(self) -> str:
        """For whoever must find out why nothing goes on."""
        heard = [event.kind for event in self.heard[-2:]]
        line = self.client and (self.client.connects, self.client._is_live, self.client.last_loss)
        return f"{len(self.acts)} acts, asking {self.asking!r}, line {line}, heard {heard}"

    async def fetch(self, ask: Callable[[], Awaitable[T]]) -> T:
        """Something that may not be there yet."""
        while True:
            try:
                return await self.http.insist(ask)
            except HallRefused as refused:
                if refused.code not in ("bundle.not_ready", "opening.not_ready"):
                    raise
            await asyncio.sleep(AGAIN_S)


class SteadyBidder(Steady, Bidder):
    """Registers, seals, uploads, SUBMITs; keeps its receipt."""

    async def deliver(self, amount: str, document: bytes = b"technical") -> None:
        await self.read_rules()
        await self.register()
        fields: dict[str, str | int] = {"price": amount, "days": 160, "manager": "何川"}
        await self.send(self.seal(fields, document))

    async def send(self, sealed: list[Sealed]) -> None:
        for one in sealed:
            await self.http.store_steadily(self.room_id, one)
        await self.submit(sealed)
        await self.wait_for_receipt()

    async def submit(self, sealed: list[Sealed]) -> None:
        self.submit_raw = self.submit_bytes(sealed)
        await self.http.submit(self.room_id, self.submit_raw)

    def submit_bytes(self, sealed: list[Sealed], seq: int = 1, prev: bytes = bytes(32)) -> bytes:
        """A SUBMIT of these envelopes, a WITHDRAW of none; the first one unless said."""
        assert self.rules is not None
        return build_submit(
            self.rules.suite_impl,
            tender_id=self.rules.tender_id,
            lot=1,
            seq=seq,
            prev=prev,
            items=[(s.header.envelope, s.header.bid_id) for s in sealed],
            key=self.keys()[0],
            kind=KIND_SUBMIT if sealed else KIND_WITHDRAW,
        ).raw

    async def wait_for_receipt(self) -> None:
        while self.receipt is None:
            for receipt in (await self.http.mine(self.room_id))["receipts"]:
                if receipt["message"] == self.submit_raw.hex():
                    self.receipt = receipt
            await asyncio.sleep(0.1)

    async def enter_own(self) -> None:
        await self.enter(f"party:{self.person.org}")


class SteadyTrustee(Steady, TrusteeVisitor):
    """Releases once, after its own checks."""

    @classmethod
    def of(cls, base: str, keys: TrusteeKeys, room: str) -> "SteadyTrustee":
        trustee = cls(base, keys.person, room)
        trustee.box, trustee.sign = keys.box, keys.sign
        return trustee


class SteadyHost(Steady, Host):
    """The console; with the keys of the officers who sign with it."""

    officers: tuple[SigningKey, ...] = ()

    @classmethod
    def of(cls, base: str, world: World, room: str) -> "SteadyHost":
        host = cls(base, world.host, room)
        host.officers = (world.host_officer, world.supervisor_officer)
        return host

    async def put_off(self, deadline_ms: int) -> None:
        """DEADLINE_CHANGE, as in a hall whose line is bad on the day."""
        rules = await self.read_rules()
        old_ms = next(
            line["deadline_ms"] for line in await self.http.tenders() if line["id"] == self.room_id
        )
        members: dict[str, Any] = {
            "old_ms": old_ms,
            "deadline_ms": deadline_ms,
            "reason": "线路故障",
        }
        message = act_message(EntryType.DEADLINE_CHANGE, rules.tender_id, members)
        args = {
            "deadline_ms": deadline_ms,
            "reason": members["reason"],
            "pks": [key.public for key in self.officers],
            "sigs": [key.sign(message) for key in self.officers],
        }
        await self.http.command(f"tender:{self.room_id}", "change_deadline", args)

    async def keep_open(
        self, delivered: Callable[[], bool], peace: asyncio.Event, margin_ms: int = MARGIN_MS
    ) -> None:
        """Puts the deadline off as long as somebody is still sending, however slow the machine.

        ``peace`` is not set while that must not be disturbed for long.
        """
        began_ms = now_ms()
        deadline_ms = (await self.read_rules()).deadline_ms
        while not delivered():
            # To put it off once more takes about as long as the last time.
            slow_ms = min(SLOW_MS_MAX, SLOW_TIMES * (now_ms() - began_ms))
            margin_ms = max(margin_ms, slow_ms)
            began_ms = now_ms()
            if deadline_ms - now_ms() < margin_ms:
                peace.clear()
                deadline_ms = now_ms() + margin_ms + FURTHER_MS
                await self.put_off(deadline_ms)
                peace.set()
            await asyncio.sleep(0.2)
