"""Attacks on uploads and bids before the deadline: what is another's stays the other's, and only a
chain of one's own counts (sealing.md C6, C9, C10).
"""

from typing import Any

import pytest

from crypto.entries import act_message
from crypto.hashes import blake2b_512, label_bytes, sha256
from crypto.header import parse_header
from crypto.keys import BoxKey, SigningKey
from crypto.messages import build_card_unlock, build_submit
from crypto.objects.entry import EntryType
from crypto.registration import bind_message, organisation_hash
from server.demo.people import now_ms
from server.domain.bidding import REFUSED_MAX
from server.http.client import HallHttp, HallRefused
from tests.attacks.arena import Arena, stored_bid
from tests.faults.casts import OPENING, TENDER
from tests.faults.site_process import ROOM
from tests.faults.steady_people import SteadyBidder

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def registered(arena: Arena, k: int) -> SteadyBidder:
    """One of the cast's bidders, registered; the same again changes nothing."""
    bidder = arena.cast.bidders[k]
    await bidder.read_rules()
    await bidder.register()
    return bidder


def submit(bidder: SteadyBidder, items: list[tuple[int, bytes]], **more: Any) -> bytes:
    assert bidder.rules is not None
    members = {"lot": 1, "seq": 1, "prev": bytes(32), "key": bidder.keys()[0], **more}
    suite, tender_id = bidder.rules.suite_impl, bidder.rules.tender_id
    return build_submit(suite, tender_id=tender_id, items=items, **members).raw


def items_of(sealed: list[Any]) -> list[tuple[int, bytes]]:
    return [(one.header.envelope, one.header.bid_id) for one in sealed]


# ---- keys


async def test_keys_that_are_taken_or_not_ones_own(before_deadline: Arena):
    arena = before_deadline
    a, b = await registered(arena, 0), arena.cast.bidders[1]
    rules = await b.read_rules()
    sign, box = a.keys()
    own_sign, own_box = b.keys()
    trustee = rules.trustees[0]

    def claim(org: str, pk: bytes, xpk: bytes, key: SigningKey, **more: Any) -> dict[str, Any]:
        expiry_ms = rules.deadline_ms + 1000
        bind = bind_message(rules.tender_id, pk, xpk, expiry_ms, organisation_hash(org))
        known = {"bidder_pk": pk, "bidder_xpk": xpk, "expiry_ms": expiry_ms, "sig": key.sign(bind)}
        return {**known, **more}

    org = b.person.org
    for code, args in (
        ("registration.key_taken", claim(org, sign.public, own_box.public, sign)),
        ("registration.key_taken", claim(org, own_sign.public, box.public, own_sign)),
        ("registration.key_taken", claim(org, trustee.spk, own_box.public, own_sign)),
        ("registration.signature", claim(org, own_sign.public, own_box.public, sign)),
        ("registration.signature", claim(a.person.org, own_sign.public, own_box.public, own_sign)),
        ("registration.keys", claim(org, own_sign.public, bytes(32), own_sign)),
        ("registration.expiry", claim(org, own_sign.public, own_box.public, own_sign, expiry_ms=1)),
    ):
        await arena.refused(code, b.http.command(TENDER, "register", args))
    other = (SigningKey.generate(), BoxKey(bytes([7] * 32)))
    args = claim(a.person.org, other[0].public, other[1].public, other[0])
    await arena.refused("registration.exists", a.http.command(TENDER, "register", args))


# ---- uploads


async def test_an_upload_of_another_organisation(before_deadline: Arena):
    arena = before_deadline
    a, b = await registered(arena, 0), await registered(arena, 1)
    sealed = a.seal({"price": "1.00", "days": 1, "manager": "甲"}, b"x")[0]
    core, payload = sealed.header.core, sealed.payload
    location = await a.http.uploads.create(ROOM, core, len(payload))
    await a.http.uploads.send(location, payload)
    for asked in (
        b.http.uploads.offset(location),
        b.http.uploads.patch(location, payload, 0, 100),
        b.http.uploads.drop(location),
        b.http.uploads.put_header(location, sealed.header.raw),
    ):
        await arena.refused("upload.unknown", asked)
    # And announced under its own name: the core names A's keys.
    asked = b.http.uploads.create(ROOM, core, len(payload))
    assert (await code_of(asked)).startswith("header.")
    await a.http.uploads.drop(location)


async def test_a_header_copied_under_ones_own_key(before_deadline: Arena):
    """The Helios attack: another's sealed envelope, signed anew. The AD names the key, so nothing
    of it fits any more; the server refuses what it can see, the trustee the rest.
    """
    arena = before_deadline
    a, b = await registered(arena, 0), await registered(arena, 1)
    theirs = a.seal({"price": "1.00", "days": 1, "manager": "甲"}, b"x")[0]
    sign, box = b.keys()
    suite = theirs.header.suite
    raw = bytearray(theirs.header.raw)
    raw[56:88], raw[88:120] = sign.public, box.public
    body = bytes(raw[: -suite.signature_size])
    copied = parse_header(resigned(body, sign), suite)
    location = await b.http.uploads.create(ROOM, copied.core, len(theirs.payload))
    await b.http.uploads.send(location, theirs.payload)
    bid_id = await b.http.uploads.put_header(location, copied.raw)
    # It may lie there: to open it needs A's halves, and they do not fit its AD.
    assert bid_id == copied.bid_id.hex() != theirs.header.bid_id.hex()
    # The same again, with another core, is not what was announced.
    location = await b.http.uploads.create(ROOM, copied.core, len(theirs.payload))
    await b.http.uploads.send(location, theirs.payload)
    await arena.refused("header.bidder", b.http.uploads.put_header(location, theirs.header.raw))
    await b.http.uploads.drop(location)


def resigned(body: bytes, key: SigningKey) -> bytes:
    return body + key.sign(label_bytes("KBID1 header") + blake2b_512(body))


async def code_of(asked: Any) -> str:
    try:
        await asked
        return ""
    except HallRefused as refused:
        return refused.code


async def test_payloads_that_are_not_what_was_announced(before_deadline: Arena):
    arena = before_deadline
    a = await registered(arena, 0)
    sealed = a.seal({"price": "1.00", "days": 1, "manager": "甲"}, b"x")
    one, other = sealed[-1], sealed[0]
    uploads = a.http.uploads
    location = await uploads.create(ROOM, one.header.core, len(one.payload))
    await arena.refused("upload.incomplete", uploads.put_header(location, one.header.raw))
    longer = one.payload + b"\0"
    await arena.refused("upload.length", uploads.patch(location, longer, 0, len(longer)))
    assert await uploads.offset(location) == 0
    await uploads.send(location, bytes(len(one.payload)))
    await arena.refused("bid.ct_root", uploads.put_header(location, one.header.raw))
    await arena.refused("upload.header", uploads.put_header(location, other.header.raw))
    await uploads.drop(location)
    for size in (0, len(one.payload) - 1, len(one.payload) + 1, 1 << 50):
        code = await code_of(uploads.create(ROOM, one.header.core, size))
        assert code in ("upload.length", "upload.length_missing", "upload.too_large"), size


# ---- SUBMIT


async def test_a_bid_of_somebody_else_is_not_submitted(before_deadline: Arena):
    arena = before_deadline
    a, b = await registered(arena, 0), await registered(arena, 1)
    theirs, own = items_of(await stored_bid(a)), items_of(await stored_bid(b))
    mixed = [own[0], theirs[1]]
    for items in (theirs, mixed):
        await arena.refused("bid.not_yours", b.http.submit(ROOM, submit(b, items)))
    # A's own SUBMIT, brought by B.
    await arena.refused("bid.not_registered", b.http.submit(ROOM, submit(a, theirs)))
    forged = submit(a, theirs, key=b.keys()[0])
    await arena.refused("bid.not_yours", b.http.submit(ROOM, forged))
    broken = bytearray(submit(b, own))
    broken[-1] ^= 1
    await arena.refused("submit.signature", b.http.submit(ROOM, bytes(broken)))


async def test_a_bidder_has_one_bid(before_deadline: Arena):
    """Two chains, gaps, envelopes listed twice, a bid without its form: one bid counts or none."""
    arena = before_deadline
    c = await registered(arena, 2)
    first, second = items_of(await stored_bid(c)), items_of(await stored_bid(c))
    raw = submit(c, first)
    told = await c.http.submit(ROOM, raw)
    again = await c.http.submit(ROOM, raw)
    assert [ack[:-80] for ack in told["acks"]] == [ack[:-80] for ack in again["acks"]]
    digest = sha256(raw)
    for code, message in (
        ("submit.seq", submit(c, second)),
        ("submit.seq", submit(c, second, seq=3, prev=digest)),
        ("submit.prev", submit(c, second, seq=2, prev=sha256(b"another"))),
        ("submit.mismatch", submit(c, second, seq=1, lot=2)),
        ("submit.listed_before", submit(c, first, seq=2, prev=digest)),
        ("submit.envelopes", submit(c, second[1:], seq=2, prev=digest)),
    ):
        await arena.refused(code, c.http.submit(ROOM, message))
    unknown = [(number, bytes([number] * 32)) for number, _ in second]
    await arena.refused(
        "bid.incomplete",
        c.http.submit(ROOM, submit(c, unknown, seq=2, prev=digest)),
        leaves=["submit_received"],
    )
    before = arena.rows()
    await c.http.submit(ROOM, submit(c, second, seq=2, prev=digest))
    assert arena.rows() - before == {"submit_received": 1}
    mine = await c.http.mine(ROOM)
    assert [s["seq"] for s in mine["submits"]] == [1, 2]


async def test_a_flood_of_incomplete_bids_fills_no_journal(before_deadline: Arena):
    arena = before_deadline
    b = await registered(arena, 1)
    before = arena.rows()
    codes = [
        await code_of(b.http.submit(ROOM, submit(b, [(1, bytes([k] * 32)), (2, bytes([k] * 32))])))
        for k in range(1, 251)
    ]
    assert set(codes) <= {"bid.incomplete", "submit.too_many"}
    assert (arena.rows() - before)["submit_received"] == REFUSED_MAX


# ---- the deadline


async def test_the_deadline_moves_only_with_both_signatures(before_deadline: Arena):
    arena = before_deadline
    host = arena.cast.host
    rules = await host.read_rules()
    old_ms, later_ms = rules.deadline_ms, rules.deadline_ms + 60_000
    keys = host.officers
    members = {"old_ms": old_ms, "deadline_ms": later_ms, "reason": "r"}
    message = act_message(EntryType.DEADLINE_CHANGE, rules.tender_id, members)
    good = [key.sign(message) for key in keys]
    pks = [key.public for key in keys]
    stranger = SigningKey.generate()

    def change(pks: list[bytes], sigs: list[bytes], **more: Any) -> Any:
        args = {"deadline_ms": later_ms, "reason": "r", "pks": pks, "sigs": sigs, **more}
        return host.http.command(TENDER, "change_deadline", args)

    for asked in (
        change(pks[:1], good[:1]),
        change(pks, [good[0], good[0]]),
        change([pks[0], pks[0]], [good[0], good[0]]),
        change([pks[0], stranger.public], [good[0], stranger.sign(message)]),
        change(pks, good, reason="another reason"),
        change(pks, good, deadline_ms=later_ms + 1),
        change(pks, good[:1]),
    ):
        await arena.refused("deadline.signatures", asked)
    await arena.refused("deadline.not_later", change(pks, good, deadline_ms=now_ms()))
    await arena.refused("deadline.not_later", change(pks, good, deadline_ms=old_ms))


async def test_before_the_deadline_a_card_does_not_even_tell_whether_its_bid_exists(
    before_deadline: Arena,
):
    arena = before_deadline
    bidder = await registered(arena, 0)
    (*_, form) = await stored_bid(bidder)
    real, half = form.header.bid_id, form.bidder_half
    async with HallHttp(arena.cast.site.base) as nobody:
        details: list[dict[str, Any]] = []
        for bid_id in (real, bytes([9] * 32)):
            asked = nobody.sealed_bid(ROOM, bid_id[:8])
            details.append(await arena.refused("opening.not_ready", asked))
            card = build_card_unlock(
                form.header.suite,
                tender_id=bidder.rules.tender_id,
                opening_nonce=bytes(32),
                bid_id=bid_id,
                bidder_half=half,
            )
            asked = nobody.command(OPENING, "card_unlock", {"message": card.raw})
            details.append(await arena.refused("unlock.bid_unknown", asked))
    assert details[:2] == details[2:]


async def test_nothing_of_the_opening_is_to_be_had_before_the_deadline(before_deadline: Arena):
    arena = before_deadline
    host, trustee, bidder = arena.cast.host, arena.cast.trustees[0], arena.cast.bidders[0]
    for asked in (
        host.http.closed_list(ROOM),
        host.http.closed_path(ROOM, bytes(32)),
        trustee.http.envelopes(ROOM),
        trustee.http.halves(ROOM),
    ):
        await arena.refused("opening.not_ready", asked)
    await arena.refused("bundle.not_ready", host.http.read(f"/openings/{ROOM}/opening.zip"))
    for op, args in (
        ("start_window", {"session": 1}),
        ("open_all", {}),
        ("end_replies", {}),
        ("read_row", {"no": 1}),
        ("close_opening", {}),
    ):
        await arena.refused("command.stage", host.client.command(OPENING, op, args))
    half = {"messages": [b"KBIDUNL1" + bytes(300)]}
    await arena.refused("unlock.count", bidder.client.command(OPENING, "unlock", half))
