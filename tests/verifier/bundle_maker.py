"""An independent little maker of complete openings (开标包样品), for the verifier's tests.

It is no server: it does what an honest opening does, step by step, each a method that an attack
may override. `Opening().run().members()` gives the bundle's members; `bundle_file` makes a file of
them, also after a test has changed them.
"""

import json
from typing import Any

from crypto.canonical import encode
from crypto.hashes import sha256
from crypto.messages import build_release, build_unlock
from crypto.shares import open_share
from tests.verifier.bidding_maker import LOCKED, MALFORMED, OPENED, Bidder, Bidding
from tests.verifier.tender_maker import (
    WINDOW_MS,
    box,
    signing,
)


class Opening(Bidding):
    """An opening from the first entry to READ_OUT. Later attributes exist once their step ran."""

    def run(self) -> "Opening":
        self.publish()
        for number, fate in enumerate(self.fates, 1):
            self.register(number, fate)
        for bidder in self.bidders:
            self.submit(bidder)
        self.close()
        self.start()
        for bidder in self.bidders:
            if bidder.fate != LOCKED:
                self.unlock(bidder)
        self.end()
        for i in self.releasing:
            self.release(i)
        self.reply_end()
        self.freeze()
        self.read_out()
        self.finish()
        return self

    def start(self, w: int = 1, second: float = 25.1) -> None:
        self.at(second)
        for envelope in (1, 2):
            nonce = sha256(b"nonce", bytes([envelope, w]))
            self.nonces[envelope] = nonce
            self.entry(
                8,
                session=1,
                envelope=envelope,
                w=w,
                nonce=nonce.hex(),
                start_ms=self.now_ms,
                end_ms=self.now_ms + WINDOW_MS,
            )
        self.row("window_opened")

    def unlock_message(self, bidder: Bidder, w: int = 1) -> bytes:
        return build_unlock(
            self.manifest.suite_impl,
            tender_id=self.manifest.tender_id,
            opening_nonce=self.nonces[1],
            envelope=1,
            w=w,
            items=[(bidder.form.header.bid_id, bidder.form.bidder_half)],
            key=bidder.key,
        ).raw

    def unlock(self, bidder: Bidder) -> None:
        self.at(27 + bidder.number / 1000)
        facts = {"nonce": self.nonces[1].hex(), "by": "key", "result": 0}
        raw = self.unlock_message(bidder)
        self.message_entry(10, "unlock", raw, **facts, received_ms=self.now_ms)
        self.row("unlock_received", "sealed", withheld=True)

    def unlocked(self) -> list[Bidder]:
        return [bidder for bidder in self.bidders if bidder.fate != LOCKED]

    def end(self, w: int = 1, second: float = 35.2) -> None:
        self.at(second)
        for envelope in (1, 2):
            end_ms = self.now_ms // 1000 * 1000 + 100
            facts = {"end_ms": end_ms, "early": False, "unlocked": len(self.unlocked())}
            self.entry(12, nonce=self.nonces[envelope].hex(), **facts)
        self.row("window_ended")
        self.under_checkpoint(f"log/window-end-1-{w}.txt")
        self.files[f"log/window-end-2-{w}.txt"] = self.files[f"log/window-end-1-{w}.txt"]

    def release_items(self, i: int) -> list[tuple[bytes, int, bytes]]:
        """What trustee i answers for each unlocked form."""
        key = box(f"trustee {i}")
        headers = [bidder.form.header for bidder in self.unlocked()]
        return [(header.bid_id, *open_share(header, i, key)) for header in headers]

    def release_message(self, number: int, **changes: Any) -> bytes:
        size = self.checkpoint_sizes[-1]
        facts: dict[str, Any] = {
            "tender_id": self.manifest.tender_id,
            "root": self.log.root(size),
            "size": size,
            "opening_nonce": self.nonces[1],
            "envelope": 1,
            "i": number,
            "mode": 0,
            "items": self.release_items(number),
            "key": signing(f"trustee {number}"),
        }
        return build_release(self.manifest.suite_impl, **(facts | changes)).raw

    def release(self, i: int) -> None:
        self.at(38 + i / 10)
        facts = {"nonce": self.nonces[1].hex(), "i": i, "mode": 0, "received_ms": self.now_ms}
        self.message_entry(13, "release", self.release_message(i), **facts)

    def reply_end(self) -> None:
        self.at(39)
        for envelope in (1, 2):
            self.entry(17, nonce=self.nonces[envelope].hex())

    def states(self) -> dict[bytes, tuple[str, bytes | None]]:
        """The state of each form and, if opened, its unpadded bytes."""
        return {
            bidder.form.header.bid_id: (
                bidder.fate,
                self.plaintext(bidder).rstrip(b"\0")[:-1] if bidder.fate == OPENED else None,
            )
            for bidder in self.bidders
        }

    def freeze(self) -> None:
        self.at(40)
        bids = [
            {
                "bid_id": bid_id.hex(),
                "form_sha256": None if raw is None else sha256(raw).hex(),
                "state": state,
            }
            for bid_id, (state, raw) in sorted(self.states().items())
        ]
        for bidder in self.unlocked():
            self.files[f"forms/{bidder.form.header.bid_id.hex()}.kbc"] = bidder.form.payload
        nonce = self.nonces[1].hex()
        raw = encode({"bids": bids, "nonce": nonce})
        self.files["frozen.json"] = raw
        self.entry(19, nonce=nonce, sha256=sha256(raw).hex(), size=len(raw))

    def read_out(self) -> None:
        self.at(40.1)
        rows = [
            json.loads(raw) | {"bid_id": bid_id.hex()}
            for bid_id, (_, raw) in sorted(self.states().items())
            if raw is not None
        ]
        nonce, tender_id = self.nonces[1].hex(), self.manifest.tender_id.hex()
        raw = encode({"format": 1, "nonce": nonce, "rows": rows, "tender_id": tender_id})
        self.files["readout.json"] = raw
        self.entry(20, nonce=nonce, sha256=sha256(raw).hex(), size=len(raw))
        self.row("prices_read_out")

    def finish(self) -> None:
        for bidder in self.bidders:
            if bidder.fate != OPENED:
                ground = "malformed" if bidder.fate == MALFORMED else "revoked"
                bid_id = bidder.form.header.bid_id.hex()
                facts = {"bid_id": bid_id, "proposed": ground, "ground": ground, "reason": "逾时"}
                self.act(22, **facts)
        self.log.tick()
        self.checkpoint_sizes.append(self.log.size)


def form_name(opening: Opening, bidder: int) -> str:
    """The member that holds the ciphertext of a bidder's form; bidders count from 0."""
    return f"forms/{opening.bidders[bidder].form.header.bid_id.hex()}.kbc"


def header_name(opening: Opening, bidder: int) -> str:
    """The member that holds the header of a bidder's form."""
    return f"headers/{opening.bidders[bidder].form.header.bid_id.hex()}.kbh"


def release_names(opening: Opening) -> list[str]:
    """The members that hold releases, sorted."""
    return sorted(name for name in opening.files if name.startswith("release/"))
