"""Simulated people (模拟人物): real clients of the real protocol, with their own keys.

A person here does what its page would do: it logs in with its key, seals on its own machine,
checks before it hands anything over, and keeps what it is given. Nothing here reaches into the
server.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self

from aiohttp import ClientError

from crypto.checkpoint import parse_checkpoint
from crypto.form import encode_form, pad
from crypto.hashes import labelled
from crypto.header import Header
from crypto.keys import BoxKey, SigningKey, random_bytes
from crypto.manifest import Manifest, parse_manifest
from crypto.messages import build_release, build_submit, build_unlock
from crypto.registration import bind_message, organisation_hash
from crypto.sealing import Sealed, seal_bytes
from crypto.shares import open_share
from server.demo import checks
from server.demo.world import Person
from server.http.client import HallHttp, HallRefused
from signaling.client import Client, CommandRefused
from signaling.feed import HeardEvent

YEAR_MS = 365 * 24 * 3600 * 1000
BODY_BLOCK = 65_536


def now_ms() -> int:
    return time.time_ns() // 1_000_000


@dataclass
class Visitor:
    """A person with a browser: one session, one socket, and what it has heard of one opening."""

    base: str
    person: Person
    room_id: str
    heard: list[HeardEvent] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.http = HallHttp(self.base)
        self.client: Client | None = None
        self.rules: Manifest | None = None
        self._stirred = asyncio.Event()

    async def __aenter__(self) -> Self:
        await self.http.__aenter__()
        try:
            await self.http.login(SigningKey(self.person.seed))
        except BaseException:
            await self.http.__aexit__(None, None, None)
            raise
        return self

    async def __aexit__(self, *exc: Any) -> None:
        if self.client is not None:
            await self.client.close()
        await self.http.__aexit__(None, None, None)

    async def read_rules(self) -> Manifest:
        if self.rules is None:
            raw, _ = await self.http.manifest(self.room_id)
            self.rules = parse_manifest(raw, allow_test=True)
        return self.rules

    async def enter(self, *audiences: str) -> None:
        """Takes a seat in the hall and hears the hall's channel and the ones named."""
        start = await self.http.bootstrap()
        port = start["ws_port"]
        host = self.base.split("//", 1)[1].split(":")[0]
        url = f"ws://{host}:{port}{start['ws_path']}"
        self.client = Client(url, origin=self.base, ticket=self.ticket)
        await self.client.start()
        for audience in ("hall", *audiences):
            self.client.subscribe(f"opening:{self.room_id}", audience, self._hear)

    async def ticket(self) -> str:
        """A fresh one for each connection; a server that was restarted knows no session."""
        try:
            try:
                return await self.http.ticket()
            except HallRefused as refused:
                if refused.code != "auth.required":
                    raise
                await self.http.login(SigningKey(self.person.seed))
                return await self.http.ticket()
        except (ClientError, HallRefused) as error:
            if isinstance(error, HallRefused) and not error.retryable:
                raise
            # Cut in the middle, or busy; the client comes back later.
            raise ConnectionError(str(error)) from error

    def _hear(self, event: HeardEvent) -> None:
        self.heard.append(event)
        self._stirred.set()

    def all(self, kind: str) -> list[Any]:
        return [event.body for event in self.heard if event.kind == kind]

    async def until(self, fits: Callable[[HeardEvent], bool]) -> Any:
        """The first event, heard already or yet to come, that fits."""
        seen = 0
        while True:
            for event in self.heard[seen:]:
                seen += 1
                if fits(event):
                    return event.body
            self._stirred.clear()
            await self._stirred.wait()

    async def until_kind(self, *kinds: str) -> Any:
        return await self.until(lambda event: event.kind in kinds)

    async def do(self, op: str, **args: Any) -> Any:
        """A command in the opening's room; repeated until it is answered."""
        assert self.client is not None, "enter first"
        return await self.client.command(f"opening:{self.room_id}", op, args)


@dataclass
class SealedBid:
    """What a bidder keeps after sealing; the halves stay with it."""

    headers: list[Header]
    halves: dict[bytes, bytes]  # bid_id -> s_B
    cards: list[str] = field(default_factory=list)


class Bidder(Visitor):
    """A bidder at its office."""

    bid: SealedBid | None = None
    receipt: dict[str, Any] | None = None

    def keys(self) -> tuple[SigningKey, BoxKey]:
        """Fresh for this tender (C10): other keys than the login's."""
        tender = self.room_id.encode()
        sign = labelled("KBDEMO bid sign", tender, key=self.person.seed)
        box = labelled("KBDEMO bid box", tender, key=self.person.seed)
        return SigningKey(sign), BoxKey(box)

    async def register(self) -> None:
        rules = await self.read_rules()
        sign, box = self.keys()
        expiry_ms = rules.deadline_ms + YEAR_MS
        org = organisation_hash(self.person.org)
        bind = bind_message(rules.tender_id, sign.public, box.public, expiry_ms, org)
        await self.http.register(
            self.room_id,
            bidder_pk=sign.public,
            bidder_xpk=box.public,
            expiry_ms=expiry_ms,
            sig=sign.sign(bind),
        )

    def seal(self, fields: dict[str, str | int], document: bytes) -> list[Sealed]:
        """Bodies first, then the form, which names them (formats.md §4)."""
        assert self.rules is not None
        rules, (sign, box) = self.rules, self.keys()
        sealed: list[Sealed] = []

        def seal_one(number: int, plaintext: bytes) -> Sealed:
            return seal_bytes(
                rules.terms(number, sign.public, box.public),
                plaintext,
                lot=1,
                created_ms=now_ms() // 60_000 * 60_000,
                bid_nonce=random_bytes(rules.suite_impl.bid_nonce_size),
                seed=random_bytes(rules.suite_impl.seed_size),
                key=sign,
            )

        bodies = [e for e in rules.envelopes if e.kind == "body"]
        for envelope in bodies:
            sealed.append(seal_one(envelope.envelope, pad(document, BODY_BLOCK)))
        form = encode_form(
            rules,
            _Place(lot=1, envelope=1),
            bidder=(self.person.org, self.person.org_name),
            fields=fields,
            others=[(s.header.envelope, s.header.bid_id) for s in sealed],
        )
        sealed.append(seal_one(1, pad(form)))
        self.bid = SealedBid(
            headers=[s.header for s in sealed],
            halves={s.header.bid_id: s.bidder_half for s in sealed},
        )
        return sealed

    async def send(self, sealed: list[Sealed]) -> None:
        """Uploads every envelope, then SUBMITs by itself, then waits for the receipt."""
        rules, (sign, _) = await self.read_rules(), self.keys()
        for one in sealed:
            await self.http.store(self.room_id, one.header.raw, one.payload)
        mine = await self.http.mine(self.room_id)
        earlier = sorted(mine["submits"], key=lambda s: s["seq"])
        submit = build_submit(
            rules.suite_impl,
            tender_id=rules.tender_id,
            lot=1,
            seq=len(earlier) + 1,
            prev=bytes.fromhex(earlier[-1]["sha256"]) if earlier else bytes(32),
            items=[(s.header.envelope, s.header.bid_id) for s in sealed],
            key=sign,
        )
        await self.http.submit(self.room_id, submit.raw)
        while self.receipt is None:
            await asyncio.sleep(0.3)
            for receipt in (await self.http.mine(self.room_id))["receipts"]:
                if receipt["message"] == submit.raw.hex():
                    self.receipt = receipt

    async def unlock(self, window: dict[str, Any]) -> Any:
        """C7, then one UNLOCK per envelope in one command."""
        await self.check(window)
        return await self.do("unlock", messages=self.unlock_messages(window))

    def unlock_messages(self, window: dict[str, Any]) -> list[bytes]:
        assert self.bid is not None
        assert self.rules is not None
        sign, _ = self.keys()
        nonces = {n["envelope"]: n["nonce"] for n in window["nonces"]}
        return [
            build_unlock(
                self.rules.suite_impl,
                tender_id=self.rules.tender_id,
                opening_nonce=nonces[header.envelope],
                envelope=header.envelope,
                w=window["w"],
                items=[(header.bid_id, self.bid.halves[header.bid_id])],
                key=sign,
            ).raw
            for header in self.bid.headers
        ]

    async def check(self, window: dict[str, Any]) -> None:
        assert self.receipt is not None, "without a receipt nothing is handed over"
        rules = await self.read_rules()
        nonces = {n["envelope"]: n["nonce"] for n in window["nonces"]}
        proofs = await self._proofs_with(nonces)
        closed = await self.http.closed_list(self.room_id)
        newest = checks.check_closing(rules, proofs, closed, now_ms())
        checks.check_window(rules, proofs, nonces, window["w"])
        old = parse_checkpoint(self.receipt["checkpoint"], rules.log.origin, rules.log.pk)
        consistency = await self.http.consistency(old.size, newest.size)
        checks.check_own_bid(rules, self.receipt, closed, consistency, newest)

    async def _proofs_with(self, nonces: dict[int, bytes]) -> dict[str, Any]:
        """The proofs, once OPENING_START is under a checkpoint: within two seconds of the start."""
        wanted = {nonce.hex() for nonce in nonces.values()}
        while True:
            proofs = await self.http.proofs(self.room_id)
            raw = "".join(
                bytes.fromhex(p["entry"]).decode("latin-1") for p in proofs["opening_starts"]
            )
            if all(nonce in raw for nonce in wanted):
                return proofs
            await asyncio.sleep(0.2)


@dataclass(frozen=True, slots=True)
class _Place:
    lot: int
    envelope: int


class TrusteeVisitor(Visitor):
    """A trustee with its two keys; releases once, after its own checks."""

    box: BoxKey
    sign: SigningKey

    async def release(self) -> Any:
        rules = await self.read_rules()
        await self.until(lambda e: e.kind == "checkpoint_reached" and e.body["of"] == "window_end")
        # The newest: an earlier window may have been started anew.
        end = [c for c in self.all("checkpoint_reached") if c["of"] == "window_end"][-1]
        window = [w for w in self.all("window_opened") if w["w"] == end["w"]][-1]
        nonces = {n["envelope"]: n["nonce"] for n in window["nonces"]}
        closed = await self.http.closed_list(self.room_id)
        proofs = await self.http.proofs(self.room_id)
        newest = checks.check_closing(rules, proofs, closed, now_ms())
        checks.check_window(rules, proofs, nonces, window["w"])
        envelopes = await self.http.envelopes(self.room_id, newest.size)
        headers = checks.check_every_bid(rules, envelopes, closed, newest)
        halves = await self.http.halves(self.room_id)
        checkpoint = parse_checkpoint(end["checkpoint"], rules.log.origin, rules.log.pk)
        messages = [
            self._message(rules, envelope, nonce, checkpoint.root, checkpoint.size, headers, halves)
            for envelope, nonce in nonces.items()
        ]
        return await self.do("release", messages=messages)

    def _message(
        self,
        rules: Manifest,
        envelope: int,
        nonce: bytes,
        root: bytes,
        size: int,
        headers: dict[int, list[Header]],
        halves: dict[str, str],
    ) -> bytes:
        listed = [h for h in headers.get(envelope, []) if h.bid_id.hex() in halves]
        checks.check_halves(listed, halves)
        xpks = [t.xpk for t in rules.trustees_of(envelope)]
        i = xpks.index(self.box.public) + 1
        return build_release(
            rules.suite_impl,
            tender_id=rules.tender_id,
            root=root,
            size=size,
            opening_nonce=nonce,
            envelope=envelope,
            i=i,
            mode=rules.envelope(envelope).mode,
            items=[(h.bid_id, *open_share(h, i, self.box)) for h in listed],
            key=self.sign,
        ).raw


class Host(Visitor):
    """The centre's host at the console."""

    async def run_opening(self) -> None:
        """Start, wait, open all, read out, close: the plain day."""
        await self.until(lambda e: e.kind == "checkpoint_reached" and e.body["of"] == "closing")
        await self.attempt("start_window", session=1)
        await self.until_kind("replies_ended", "opening_failed")
        await self.attempt("open_all")
        readout = await self.until_kind("prices_read_out")
        for no in sorted(readout["amounts"]):
            await self.attempt("read_row", no=no)

    async def attempt(self, op: str, **args: Any) -> Any:
        """``do`` that takes no for an answer: somebody else was quicker, or the room did it
        itself.
        """
        try:
            return await self.do(op, **args)
        except CommandRefused as refused:
            return refused.code
