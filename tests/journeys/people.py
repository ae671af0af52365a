"""People of the journeys: the demo's clients of the real protocol, who also change their minds."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from crypto.canonical import encode
from crypto.card import card_text, parse_card
from crypto.form import encode_form, pad
from crypto.header import Header
from crypto.keys import random_bytes
from crypto.manifest import Manifest
from crypto.messages import (
    MODE_ALL,
    build_card_unlock,
    build_release,
    build_submit,
    build_unlock,
)
from crypto.sealing import Sealed, seal_bytes
from crypto.shares import open_share
from server.demo.checks import check_halves
from server.demo.people import Bidder, Host, TrusteeVisitor, Visitor, now_ms
from server.demo.world import Person, TrusteeKeys
from server.http.client import HallHttp
from server.http.client_answers import HallRefused
from signaling.feed import HeardEvent
from signaling.outbox import CommandRefused

DOCUMENT = "技术标".encode() * 400


class Firm(Bidder):
    """A bidder of one lot, or (``lots``) of several."""

    def __init__(self, base: str, person: Person, room_id: str) -> None:
        super().__init__(base, person, room_id)
        self.sealed: dict[int, list[Sealed]] = {}  # by lot
        self.receipts: dict[int, dict[str, Any]] = {}

    async def register_and_bid(self, price: str, *lots: int) -> "Firm":
        await self.read_rules()
        await self.register()
        for lot in lots or (1,):
            await self.bid_for(lot, price)
        return self

    async def bid_for(self, lot: int, price: str) -> None:
        """Seals, uploads and submits; what this lot had before is replaced."""
        sealed = self.seal_lot(lot, price)
        await self.upload(sealed)
        await self.http.submit(self.room_id, (await self.submit_of(lot, sealed)).raw)

    def seal_lot(self, lot: int, price: str) -> list[Sealed]:
        assert self.rules is not None
        rules, (sign, box) = self.rules, self.keys()

        def seal(number: int, plaintext: bytes) -> Sealed:
            suite = rules.suite_impl
            return seal_bytes(
                rules.terms(number, sign.public, box.public),
                plaintext,
                lot=lot,
                created_ms=now_ms() // 60_000 * 60_000,
                bid_nonce=random_bytes(suite.bid_nonce_size),
                seed=random_bytes(suite.seed_size),
                key=sign,
            )

        def form(number: int, others: list[tuple[int, bytes]]) -> bytes:
            return encode_form(
                rules,
                SimpleNamespace(lot=lot, envelope=number),
                bidder=(self.person.org, self.person.org_name),
                fields={"price": price, "days": 160, "manager": "何川"},
                others=others,
            )

        rest = [
            seal(
                e.envelope, pad(DOCUMENT, 65_536) if e.kind == "body" else pad(form(e.envelope, []))
            )
            for e in rules.envelopes[1:]
        ]
        others = [(s.header.envelope, s.header.bid_id) for s in rest]
        self.sealed[lot] = [*rest, seal(1, pad(form(1, others)))]
        return self.sealed[lot]

    async def upload(self, sealed: list[Sealed]) -> None:
        for one in sealed:
            uploads = self.http.uploads
            at = await uploads.create(self.room_id, one.header.core, len(one.payload))
            await uploads.send(at, one.payload)
            await uploads.put_header(at, one.header.raw)

    async def submit_of(self, lot: int, sealed: list[Sealed], kind: int = 1) -> Any:
        """The next message of this lot's chain."""
        assert self.rules is not None
        mine = [s for s in (await self.http.mine(self.room_id))["submits"] if s["lot"] == lot]
        last = max(mine, key=lambda s: s["seq"], default=None)
        return build_submit(
            self.rules.suite_impl,
            tender_id=self.rules.tender_id,
            lot=lot,
            seq=last["seq"] + 1 if last else 1,
            prev=bytes.fromhex(last["sha256"]) if last else bytes(32),
            items=[] if kind == 2 else [(s.header.envelope, s.header.bid_id) for s in sealed],
            key=self.keys()[0],
            kind=kind,
        )

    async def withdraw(self, lot: int = 1) -> Any:
        message = await self.submit_of(lot, [], kind=2)
        return await self.http.submit(self.room_id, message.raw)

    async def fetch_receipt(self) -> dict[str, Any]:
        """The receipt of the newest SUBMIT, once the log has it (a second at most)."""
        while True:
            mine = await self.http.mine(self.room_id)
            newest = max((s for s in mine["submits"] if s["kind"] == 1), key=lambda s: s["seq"])
            for receipt in mine["receipts"]:
                if receipt["message"] == newest["message"]:
                    self.receipt = receipt
                    return receipt
            await asyncio.sleep(0.2)

    async def keep_receipt(self, folder: Path) -> Path:
        """The receipt as a file, as the bidder's page would save it after the closing."""
        path = folder / f"{self.person.person}.receipt.json"
        path.write_bytes(encode(await self.fetch_receipt()))
        return path

    def headers(self) -> list[Header]:
        return [one.header for sealed in self.sealed.values() for one in sealed]

    def unlock_messages(self, window: dict[str, Any]) -> list[bytes]:
        """One message per envelope, with the bids of all lots."""
        assert self.rules is not None
        sign, _ = self.keys()
        every = [one for sealed in self.sealed.values() for one in sealed]
        return [
            build_unlock(
                self.rules.suite_impl,
                tender_id=self.rules.tender_id,
                opening_nonce=n["nonce"],
                envelope=n["envelope"],
                w=window["w"],
                items=[
                    (s.header.bid_id, s.bidder_half)
                    for s in every
                    if s.header.envelope == n["envelope"]
                ],
                key=sign,
            ).raw
            for n in window["nonces"]
        ]

    def cards(self) -> dict[int, str]:
        """What the bidder printed: a card per envelope of its lot."""
        assert self.rules is not None
        return {
            s.header.envelope: card_text(s.header.bid_id, s.bidder_half, self.rules.suite_impl)
            for s in self.sealed[1]
        }


async def unlock_by_cards(firm: Firm, window: dict[str, Any]) -> list[Any]:
    """Somebody without any key types the cards on another device (C8)."""
    rules = firm.rules
    assert rules is not None
    nonces = {n["envelope"]: n["nonce"] for n in window["nonces"]}
    ids = {h.bid_id[:8]: h.bid_id for h in firm.headers()}
    answers: list[Any] = []
    async with HallHttp(firm.base) as phone:
        for envelope, text in firm.cards().items():
            card = parse_card(text, rules.suite_impl)
            message = build_card_unlock(
                rules.suite_impl,
                tender_id=rules.tender_id,
                opening_nonce=nonces[envelope],
                bid_id=ids[card.bid_id_start],
                bidder_half=card.bidder_half,
            )
            room = f"opening:{firm.room_id}"
            answers.append(await phone.command(room, "card_unlock", {"message": message.raw}))
    return answers


class Keyholder(TrusteeVisitor):
    """A trustee that releases for one window: earlier ones were restarted, or are done."""

    def __init__(self, base: str, keys: TrusteeKeys, room_id: str) -> None:
        super().__init__(base, keys.person, room_id)
        self.box, self.sign = keys.box, keys.sign
        self.window = (1, 1)  # session, w

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
        """Exactly the set that the rules name: the unlocked bids, or (mode 1) all of them (C11)."""
        mode = rules.envelope(envelope).mode
        listed = [h for h in headers[envelope] if mode == MODE_ALL or h.bid_id.hex() in halves]
        check_halves([h for h in listed if h.bid_id.hex() in halves], halves)
        i = [t.xpk for t in rules.trustees_of(envelope)].index(self.box.public) + 1
        return build_release(
            rules.suite_impl,
            tender_id=rules.tender_id,
            root=root,
            size=size,
            opening_nonce=nonce,
            envelope=envelope,
            i=i,
            mode=mode,
            items=[(h.bid_id, *open_share(h, i, self.box)) for h in listed],
            key=self.sign,
        ).raw

    async def until(self, fits: Callable[[HeardEvent], bool]) -> Any:
        def of_its_window(event: HeardEvent) -> bool:
            return (event.body.get("session"), event.body.get("w")) == self.window and fits(event)

        return await super().until(of_its_window)


async def refused(doing: Any) -> str:
    """The code with which something was refused."""
    try:
        await doing
    except (CommandRefused, HallRefused) as refusal:
        return refusal.code
    raise AssertionError("it was not refused")


async def opened(host: Host) -> dict[str, Any]:
    """What the hall read out: the deciding amounts by number."""
    await host.attempt("open_all")
    return await host.until_kind("prices_read_out")


async def bundle_of(visitor: Visitor, into: Path) -> Path:
    """opening.zip as anybody gets it, as soon as it is ready."""
    while True:
        try:
            await visitor.http.bundle(visitor.room_id, into)
            return into
        except HallRefused as refusal:
            if refusal.code != "bundle.not_ready":
                raise
            await asyncio.sleep(0.2)
