"""Openings that take a lawful turn (样品开标的各种经过), for several tests."""

from typing import Any

from crypto.hashes import sha256
from crypto.messages import build_self_release
from crypto.shares import find_host_half, open_share
from tests.verifier.bundle_maker import Bidder, Opening
from tests.verifier.tender_maker import DEADLINE_MS, box, manifest_value, signing
from tests.verifier.witness_maker import cosigned


class TrusteesLost(Opening):
    """One release only; bidders 1 and 3 show their own host half after TRUSTEES_LOST."""

    releasing = (1,)
    showing = (1, 3)

    def reply_end(self) -> None:
        self.at(38.5)
        self.act(15, nonce=self.nonces[1].hex(), reason="两位持钥人失联")
        for bidder in self.bidders:
            if bidder.number in self.showing:
                self.show(bidder)
        super().reply_end()

    def show(self, bidder: Bidder) -> None:
        header = bidder.form.header
        shares = {i: open_share(header, i, box(f"trustee {i}"))[1] for i in (1, 2)}
        found = find_host_half(header, shares)
        assert found is not None
        raw = build_self_release(
            self.manifest.suite_impl,
            tender_id=self.manifest.tender_id,
            opening_nonce=self.nonces[1],
            bid_id=header.bid_id,
            host_half=found.host_half,
        ).raw
        digest = sha256(raw).hex()
        self.files[f"self/{digest}.bin"] = raw
        facts = {"nonce": self.nonces[1].hex(), "bid_id": header.bid_id.hex(), "sha256": digest}
        self.entry(14, **facts, received_ms=self.now_ms)


class Paused(Opening):
    """Paused at 28 s with 7.1 s left, resumed at 33 s, extended by 2 s: ends at 42.1 s."""

    def end(self, w: int = 1, second: float = 35.2) -> None:
        first_end = self.at(25.1) + 10_000
        self.change(28, "pause", first_end, first_end - self.at(28))
        resumed = self.at(33) + first_end - self.at(28)
        self.change(33, "resume", resumed, None)
        self.change(34, "extend", resumed + 2000, None)
        super().end(second=42.15)

    def change(self, second: float, kind: str, end_ms: int, remaining_ms: int | None) -> None:
        self.at(second)
        for envelope in (1, 2):
            facts: dict[str, Any] = {"nonce": self.nonces[envelope].hex(), "change": kind}
            self.entry(
                9, **facts, end_ms=end_ms, remaining_ms=remaining_ms, reason="断电，延长两秒"
            )

    def at(self, seconds: float) -> int:
        return super().at(
            seconds + 10 if seconds >= 38 and len(self.checkpoint_sizes) == 2 else seconds
        )


class LyingTrustee(Opening):
    """Trustee 2 calls bid 1's good box unreadable and sends another share for bid 3."""

    logged = True

    def release_items(self, i: int) -> list[tuple[bytes, int, bytes]]:
        items = super().release_items(i)
        if i != 2:
            return items
        (first, _, _), (third, _, _) = items
        return [(first, 1, bytes(32)), (third, 0, (12_345).to_bytes(32, "little"))]

    def reply_end(self) -> None:
        self.at(38.6)
        if self.logged:
            digest = sha256(self.release_message(2)).hex()
            for bidder, fault in ((self.bidders[0], "unreadable"), (self.bidders[2], "share")):
                facts = {"i": 2, "bid_id": bidder.form.header.bid_id.hex(), "fault": fault}
                self.entry(18, nonce=self.nonces[1].hex(), **facts, sha256=digest)
        super().reply_end()


class Witnessed(Opening):
    """Two of two witnesses cosign every checkpoint, a second after it."""

    def manifest_value(self) -> dict[str, Any]:
        witnesses = [
            {"name": f"w{k}.example/witness", "pk": signing(f"w{k}").public.hex()} for k in (1, 2)
        ]
        return manifest_value(witnesses=witnesses, quorum=2, demo=False)

    cosigned_after_ms = 1000

    def members(self) -> dict[str, bytes]:
        found = super().members()
        second = (DEADLINE_MS + self.cosigned_after_ms) // 1000
        return {
            name: cosigned(raw, ("w1", "w2"), second) if name.endswith(".txt") else raw
            for name, raw in found.items()
        }
