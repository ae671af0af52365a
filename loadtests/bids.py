"""Sealed bids by the thousand (成批密封): made ahead, in as many processes as there are cores.

Each is what a bidder's device would make: registration, envelope, SUBMIT. Only the halves and the
keys stay with the load test, as they would stay with the bidder.
"""

from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Any

from crypto.header import Header, parse_header
from crypto.keys import SigningKey
from crypto.manifest import parse_manifest
from crypto.messages import build_release, build_submit
from crypto.registration import bind_message, organisation_hash
from crypto.shares import open_share
from loadtests.machine import cpus
from server.demo.people import YEAR_MS, Bidder
from server.demo.world import MANAGERS, World

SLICE = 125


@dataclass(frozen=True, slots=True)
class Bid:
    """What a bidder keeps, and what it hands in."""

    number: int
    seed: bytes
    bid_id: bytes
    half: bytes
    handed_in: dict[str, Any]

    @property
    def person(self) -> str:
        return f"bidder-{self.number + 1}"

    @property
    def org(self) -> str:
        return f"91360800MB{self.number + 1:08d}"

    @property
    def header(self) -> Header:
        return parse_header(self.handed_in["header"])


def seal(seed: bytes, room: str, manifest: bytes, bidders: int, count: int = 0) -> list[Bid]:
    """One bid of every bidder (of the first ``count``) of the world with this seed."""
    count = count or bidders
    parts = [range(at, min(at + SLICE, count)) for at in range(0, count, SLICE)]
    jobs = [(seed, room, manifest, bidders, part) for part in parts]
    with ProcessPoolExecutor(cpus()) as pool:
        return [bid for part in pool.map(_seal_some, jobs) for bid in part]


def _seal_some(job: tuple[bytes, str, bytes, int, range]) -> list[Bid]:
    seed, room, raw, bidders, numbers = job
    world, rules = World(seed, bidders), parse_manifest(raw)
    return [_seal_one(world, rules, room, number) for number in numbers]


def _seal_one(world: World, rules: Any, room: str, number: int) -> Bid:
    bidder = Bidder("http://127.0.0.1", world.bidders[number], room)
    bidder.rules = rules
    sign, box = bidder.keys()
    expiry_ms = rules.deadline_ms + YEAR_MS
    org = organisation_hash(bidder.person.org)
    bind = bind_message(rules.tender_id, sign.public, box.public, expiry_ms, org)
    fields: dict[str, str | int] = {
        "price": f"{71_000_000 + 137 * number}.{number % 100:02d}",
        "days": 150 + number % 40,
        "manager": MANAGERS[number % len(MANAGERS)],
    }
    (sealed,) = bidder.seal(fields, b"")
    submit = build_submit(
        rules.suite_impl,
        tender_id=rules.tender_id,
        lot=1,
        seq=1,
        prev=bytes(32),
        items=[(1, sealed.header.bid_id)],
        key=sign,
    )
    handed_in = {
        "number": number,
        "registration": {
            "bidder_pk": sign.public,
            "bidder_xpk": box.public,
            "expiry_ms": expiry_ms,
            "sig": sign.sign(bind),
        },
        "header": sealed.header.raw,
        "payload": sealed.payload,
        "submit": submit.raw,
    }
    return Bid(number, sign.seed, sealed.header.bid_id, sealed.bidder_half, handed_in)


def release(seed: bytes, place: int, terms: dict[str, Any], bids: list[Bid]) -> bytes:
    """The RELEASE of the trustee at ``place`` (from 0) for exactly the bids that the rules name."""
    keys: Any = World(seed, 0).trustees[place]
    headers = {bid.bid_id: bid.header for bid in bids}
    first = bids[0].header
    return build_release(
        first.suite,
        tender_id=terms["tender_id"],
        root=terms["root"],
        size=terms["size"],
        opening_nonce=terms["nonce"],
        envelope=1,
        i=place + 1,
        mode=0,
        items=[(b, *open_share(headers[b], place + 1, keys.box)) for b in terms["bid_ids"]],
        key=SigningKey(keys.sign.seed),
    ).raw
