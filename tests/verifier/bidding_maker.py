"""A sample tender up to its closing (样品项目，至截标): what an honest host and honest bidders do.

Each step is a method that an attack may override. Everything is deterministic. `members` gives the
bundle's members from the log as it stands.
"""

import json
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import msgpack

from crypto.canonical import encode
from crypto.entries import act_message
from crypto.form import encode_form, pad
from crypto.hashes import sha256
from crypto.header import Header
from crypto.keys import BoxKey, SigningKey
from crypto.manifest import (
    Manifest,
    encode_manifest,
    encode_manifest_signatures,
    parse_manifest,
)
from crypto.messages import Submit, build_submit
from crypto.receipts import closed_list_root
from crypto.registration import bind_message, invite_message, organisation_hash
from crypto.rows import body_hash, row_hash, stub_bytes
from crypto.sealing import Sealed, seal_bytes
from tests.verifier.log_maker import LogMaker
from tests.verifier.tender_maker import (
    AGENCY,
    DEADLINE_MS,
    EXPIRY_MS,
    HOST,
    LOG_KEY,
    ORIGIN,
    RECEIPT_KEY,
    START_MS,
    SUPERVISOR,
    box,
    manifest_value,
    signing,
)

STREAM = "opening:jz-0417"
OPENED, LOCKED, MALFORMED = "opened", "locked", "malformed"


@dataclass
class Bidder:
    """One bidder and what it sealed."""

    number: int
    fate: str
    price: str
    key: SigningKey
    box_key: BoxKey
    form: Sealed = field(init=False)
    body: Sealed = field(init=False)
    submit: Submit = field(init=False)

    @property
    def code(self) -> str:
        return f"9136080{self.number:06d}MA00X"

    def header(self, envelope: int) -> Header:
        return (self.form if envelope == 1 else self.body).header


class Bidding:
    """Log, journal and files of one tender, from its first entry to DEADLINE_CLOSED."""

    fates: tuple[str, ...] = (OPENED, LOCKED, MALFORMED)
    releasing: tuple[int, ...] = (1, 2, 3)
    seq = 1
    registration_expiry_ms = EXPIRY_MS
    signers: tuple[SigningKey, ...] = (HOST, SUPERVISOR)
    manifest_signers = (("agency", AGENCY), ("supervisor", SUPERVISOR))
    origin, log_key = ORIGIN, LOG_KEY

    def __init__(self) -> None:
        self.log = LogMaker(self.origin, self.log_key, START_MS)
        self.log.at_tick = self.head
        self.headed = 0
        self.files: dict[str, bytes] = {}
        self.rows: list[dict[str, Any]] = []
        self.nonces: dict[int, bytes] = {}
        self.checkpoint_sizes: list[int] = []
        self.bidders: list[Bidder] = []
        self.now_ms = START_MS

    @cached_property
    def manifest(self) -> Manifest:
        return parse_manifest(encode_manifest(self.manifest_value()))

    def manifest_value(self) -> dict[str, Any]:
        return manifest_value()

    def at(self, seconds: float) -> int:
        """Let the clock of the opening stand at this second after its start."""
        self.now_ms = START_MS + round(seconds * 1000)
        return self.now_ms

    def entry(self, entry_type: int, *, public: bool = True, **members: Any) -> Any:
        """Log an entry now."""
        common: dict[str, Any] = {"server_ms": self.now_ms}
        if entry_type not in (1, 30, 31):
            common["tender_id"] = self.manifest.tender_id.hex()
        return self.log.add(entry_type, common | members, public=public)

    def message_entry(self, entry_type: int, folder: str, raw: bytes, **members: Any) -> Any:
        """Log a message and put it into the bundle."""
        digest = sha256(raw).hex()
        self.files[f"{folder}/{digest}.bin"] = raw
        return self.entry(entry_type, sha256=digest, size=len(raw), **members)

    def act(self, entry_type: int, **members: Any) -> Any:
        """Log what host and supervisor sign together."""
        message = act_message(entry_type, self.manifest.tender_id, members)
        sigs = [{"pk": k.public.hex(), "sig": k.sign(message).hex()} for k in self.signers]
        return self.entry(entry_type, **members, sigs=sigs)

    def row(self, event: str, audience: str = "hall", *, withheld: bool = False) -> None:
        """A journal row; the HEAD that ties it to the log comes with its second."""
        seq = len(self.rows) + 1
        salt = sha256(b"row", seq.to_bytes(4, "big"))[:16]
        body = msgpack.packb(["host-1", f"c{seq}", {"n": seq}])
        previous = bytes.fromhex(self.rows[-1]["hash"]) if self.rows else bytes(32)
        stub = {"audience": audience, "epoch": 1, "seq": seq, "stream": STREAM}
        stub |= {"ts_ms": self.now_ms, "ver": 1}
        raw = stub_bytes(**stub, event_type=event)
        self.rows.append(
            {
                "body": None if withheld else body.hex(),
                "body_hash": body_hash(salt, body).hex(),
                "hash": row_hash(previous, body_hash(salt, body), raw).hex(),
                "prev_hash": previous.hex(),
                "salt": None if withheld else salt.hex(),
                "stub": stub | {"type": event},
            }
        )

    def head(self) -> None:
        """HEAD of the opening's stream, once in a second in which it moved."""
        if len(self.rows) > self.headed:
            self.headed = len(self.rows)
            members = {"stream": STREAM, "seq": self.headed, "hash": self.rows[-1]["hash"]}
            self.log.add_now(30, members | {"server_ms": self.log.tick_ms + 1000})

    def under_checkpoint(self, name: str) -> None:
        """Close the running second and sign what is there."""
        self.log.tick()
        self.files[name] = self.log.checkpoint().encode()
        self.checkpoint_sizes.append(self.log.size)

    def publish(self) -> None:
        self.at(0.2)
        self.entry(1, epoch=1, log_origin=self.origin, software="kaibiao 0.1.0")
        self.at(0.5)
        raw = self.manifest.raw
        signatures = encode_manifest_signatures(
            self.manifest.tender_id, list(self.manifest_signers)
        )
        self.files |= {"manifest.json": raw, "manifest.sig.json": signatures}
        value = json.loads(signatures)
        digest = sha256(raw).hex()
        self.entry(2, sha256=digest, size=len(raw), signatures=value["signatures"])

    def register(self, number: int, fate: str) -> None:
        self.at(1 + number / 1000)
        bidder = Bidder(
            number, fate, f"71{number:06d}.00", signing(f"bidder {number}"), box(f"bidder {number}")
        )
        org = organisation_hash(bidder.code)
        expiry_ms = self.registration_expiry_ms
        claims = (self.manifest.tender_id, bidder.key.public, bidder.box_key.public, expiry_ms, org)
        self.entry(
            3,
            bidder_pk=bidder.key.public.hex(),
            bidder_xpk=bidder.box_key.public.hex(),
            org_sha256=org.hex(),
            expiry_ms=expiry_ms,
            sig=bidder.key.sign(bind_message(*claims)).hex(),
            binding={
                "kind": "invitation",
                "pk": RECEIPT_KEY.public.hex(),
                "sig": RECEIPT_KEY.sign(invite_message(*claims)).hex(),
            },
        )
        self.bidders.append(bidder)

    def lot_of(self, bidder: Bidder) -> int:
        """Which lot this bidder bids for."""
        return 1

    def seal(self, bidder: Bidder, envelope: int, plaintext: bytes) -> Sealed:
        terms = self.manifest.terms(envelope, bidder.key.public, bidder.box_key.public)
        seed = sha256(b"seed", bytes([envelope]), bidder.code.encode())
        return seal_bytes(
            terms,
            plaintext,
            lot=self.lot_of(bidder),
            created_ms=START_MS,
            bid_nonce=seed[:16],
            seed=seed,
            key=bidder.key,
        )

    def plaintext(self, bidder: Bidder) -> bytes:
        """The padded form: as written, or with a lie in its price for a malformed one."""
        raw = encode_form(
            self.manifest,
            SimpleNamespace(lot=self.lot_of(bidder), envelope=1),
            bidder=(bidder.code, f"投标单位{bidder.number}"),
            fields={"price": bidder.price},
            others=[(2, bidder.body.header.bid_id)],
        )
        if bidder.fate == MALFORMED:
            raw = raw.replace(b".00", b".0")
        return pad(raw)

    def submit(self, bidder: Bidder) -> None:
        self.at(10 + bidder.number / 1000)
        bidder.body = self.seal(bidder, 2, pad(b"technical", 65_536))
        bidder.form = self.seal(bidder, 1, self.plaintext(bidder))
        for sealed in (bidder.form, bidder.body):
            self.files[f"headers/{sealed.header.bid_id.hex()}.kbh"] = sealed.header.raw
        bidder.submit = build_submit(
            self.manifest.suite_impl,
            tender_id=self.manifest.tender_id,
            lot=self.lot_of(bidder),
            seq=self.seq,
            prev=bytes(32) if self.seq == 1 else sha256(b"the submission before"),
            items=[(n, bidder.header(n).bid_id) for n in (1, 2)],
            key=bidder.key,
        )
        received = self.now_ms - 1
        self.message_entry(5, "submit", bidder.submit.raw, kind=1, result=0, received_ms=received)

    def close(self) -> None:
        self.at(20.4)
        digests = sorted(bidder.submit.digest for bidder in self.bidders)
        self.files["closed.json"] = encode({"submits": [digest.hex() for digest in digests]})
        root = closed_list_root(digests).hex()
        self.entry(6, deadline_ms=DEADLINE_MS, count=len(digests), list_root=root)
        self.entry(7, checked=2 * len(digests), damaged=[])
        self.row("bidders_announced")
        self.under_checkpoint("log/closing.txt")

    def members(self) -> dict[str, bytes]:
        """Everything but the index, from the log as it stands now."""
        sizes = sorted(set(self.checkpoint_sizes))
        proofs = [self.log.consistency(a, b) for a, b in pairwise(sizes)]
        public = [kept for kept in self.log.kept if kept.public]
        public.sort(key=lambda kept: (kept.index, kept.slot))
        return self.files | {
            "log/final.txt": self.log.checkpoint().encode(),
            "log/consistency.json": encode(proofs),
            "log/entries.jsonl": b"".join(encode(self.log.proof(one)) + b"\n" for one in public),
            "journal.jsonl": b"".join(encode(row) + b"\n" for row in self.rows),
        }
