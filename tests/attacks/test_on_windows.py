"""Attacks in the countdown: a half is taken from its own bidder, for its own bid, in its own
window, once (sealing.md C7, C8, C11).
"""

from typing import Any

import pytest

from crypto.ack import ACK_CARD_UNLOCK, RESULT_ACCEPTED, parse_ack
from crypto.header import parse_header
from crypto.messages import build_card_unlock, build_self_release, build_unlock
from server.http.client import HallHttp
from tests.attacks.arena import Arena, RawSocket, raw_answer
from tests.faults.casts import OPENING, TENDER
from tests.faults.site_process import ROOM
from tests.faults.steady_people import SteadyBidder

pytestmark = pytest.mark.asyncio(loop_scope="module")


def unlock(bidder: SteadyBidder, window: dict[str, Any], **more: Any) -> bytes:
    """One UNLOCK for the form, with whatever the attack changes."""
    assert bidder.bid is not None
    assert bidder.rules is not None
    header = bidder.bid.headers[-1]
    nonces = {n["envelope"]: n["nonce"] for n in window["nonces"]}
    members: dict[str, Any] = {
        "tender_id": bidder.rules.tender_id,
        "opening_nonce": nonces[1],
        "envelope": 1,
        "w": window["w"],
        "items": [(header.bid_id, bidder.bid.halves[header.bid_id])],
        "key": bidder.keys()[0],
    }
    return build_unlock(bidder.rules.suite_impl, **{**members, **more}).raw


def own_item(bidder: SteadyBidder) -> tuple[bytes, bytes]:
    assert bidder.bid is not None
    bid_id = bidder.bid.headers[-1].bid_id
    return bid_id, bidder.bid.halves[bid_id]


def press(bidder: SteadyBidder, *messages: bytes) -> Any:
    assert bidder.client is not None
    return bidder.client.command(OPENING, "unlock", {"messages": list(messages)})


def now(arena: Arena) -> dict[str, Any]:
    return arena.cast.host.all("window_opened")[-1]


async def test_an_unlock_of_an_earlier_window_is_not_played_again(in_countdown: Arena):
    arena = in_countdown
    bidder = arena.cast.bidders[0]
    old = unlock(bidder, arena.cast.first)
    await arena.refused("unlock.nonce", press(bidder, old))
    for more in (
        {"w": arena.cast.first["w"]},
        {"opening_nonce": bytes(32)},
        {"w": now(arena)["w"] + 1},
    ):
        await arena.refused("unlock.nonce", press(bidder, unlock(bidder, now(arena), **more)))
    for code, more in (
        ("unlock.envelope", {"tender_id": bytes(32)}),
        ("unlock.envelope", {"envelope": 2}),
    ):
        await arena.refused(code, press(bidder, unlock(bidder, now(arena), **more)))


async def test_a_half_comes_from_its_own_bidder(in_countdown: Arena):
    arena = in_countdown
    a, b = arena.cast.bidders[:2]
    window = now(arena)
    theirs = unlock(a, window)
    # A's message brought by B; A's bid under B's key; both bids in one message of B's.
    await arena.refused("unlock.not_yours", press(b, theirs))
    stolen = unlock(b, window, items=[own_item(a)])
    await arena.refused("unlock.not_yours", press(b, stolen))
    both = unlock(b, window, items=sorted([own_item(a), own_item(b)]))
    await arena.refused("unlock.not_yours", press(b, both))
    unknown = unlock(b, window, items=[(bytes([9] * 32), bytes(32))])
    await arena.refused("unlock.bid_unknown", press(b, unknown))
    forged = bytearray(unlock(b, window))
    forged[-1] ^= 1
    await arena.refused("unlock.signature", press(b, bytes(forged)))
    mine = unlock(b, window)
    await arena.refused("unlock.set", press(b, mine, mine))


async def test_a_withdrawn_bid_is_not_unlocked(in_countdown: Arena):
    gone = in_countdown.withdrawn
    assert gone is not None
    message = unlock(gone, now(in_countdown))
    await in_countdown.refused("unlock.bid_unknown", press(gone, message))
    card = card_of(gone, now(in_countdown), *own_item(gone))
    asked = gone.client.command(OPENING, "card_unlock", {"message": card})
    await in_countdown.refused("unlock.bid_unknown", asked)
    bid_id, _ = own_item(gone)
    report = {"bid_id": bid_id, "code": "unlock.key_mismatch"}
    asked = gone.client.command(OPENING, "report_attempt", report)
    await in_countdown.refused("unlock.bid_unknown", asked)
    announced = in_countdown.cast.host.all("bidders_announced")[0]
    assert announced["count"] == 5


async def test_a_half_that_does_not_fit_is_evidence_and_opens_nothing(in_countdown: Arena):
    arena = in_countdown
    bidder = arena.cast.bidders[2]
    bid_id, _ = own_item(bidder)
    wrong = unlock(bidder, now(arena), items=[(bid_id, bytes(32))])
    leaves = ["attempt_failed", "attempt_seen"]
    await arena.refused("unlock.key_mismatch", press(bidder, wrong), leaves=leaves)


async def test_the_same_half_twice_and_another_way(in_countdown: Arena):
    """A repeat is answered from the first; a card for what is unlocked already changes nothing."""
    arena = in_countdown
    bidder = arena.cast.bidders[3]
    window = now(arena)
    message = unlock(bidder, window)
    before = arena.rows()
    first, again = await press(bidder, message), await press(bidder, message)
    assert [ack[:-80] for ack in first["acks"]] == [ack[:-80] for ack in again["acks"]]
    assert (arena.rows() - before)["unlock_received"] == 1
    bid_id, half = own_item(bidder)
    card = card_of(bidder, window, bid_id, half)
    asked = bidder.client.command(OPENING, "card_unlock", {"message": card})
    await arena.refused("unlock.already", asked)


def card_of(
    bidder: SteadyBidder, window: dict[str, Any], bid_id: bytes, half: bytes, **more: bytes
) -> bytes:
    assert bidder.rules is not None
    members = {
        "tender_id": bidder.rules.tender_id,
        "opening_nonce": window["nonces"][0]["nonce"],
        "bid_id": bid_id,
        "bidder_half": half,
    }
    return build_card_unlock(bidder.rules.suite_impl, **(members | more)).raw


async def test_a_card_alone_is_enough_and_fits_one_bid_only(in_countdown: Arena):
    """By POST and without a login, as the card's page asks where WebSocket is stripped (C8)."""
    arena = in_countdown
    bidder, other = arena.cast.bidders[4], arena.cast.bidders[3]
    window = now(arena)
    bid_id, half = own_item(bidder)
    async with HallHttp(arena.cast.site.base) as nobody:
        shown = await nobody.sealed_bid(ROOM, bid_id[:8])
        suite = bidder.rules.suite_impl
        assert parse_header(bytes.fromhex(shown["header"]), suite).bid_id == bid_id

        def played(*item: bytes, **more: Any) -> Any:
            message = card_of(bidder, window, *item, **more)
            return nobody.command(OPENING, "card_unlock", {"message": message})

        for code, item, more in (
            ("unlock.key_mismatch", (bid_id, own_item(other)[1]), {}),
            ("unlock.bid_unknown", (bytes([9] * 32), half), {}),
            ("unlock.nonce", (bid_id, half), {"tender_id": bytes(32)}),
            ("unlock.nonce", (bid_id, half), {"opening_nonce": bytes(32)}),
        ):
            await arena.refused(code, played(*item, **more))
        first, again = await played(bid_id, half), await played(bid_id, half)
        ack = parse_ack(first["acks"][0])
        assert (ack.kind, ack.result) == (ACK_CARD_UNLOCK, RESULT_ACCEPTED)
        assert ack.signed_by(bidder.rules.host_receipt_pk)
        assert parse_ack(again["acks"][0]).server_ms == ack.server_ms
        own = await bidder.until_kind("own_bid_unlocked")
        assert own["by"] == "card"


async def test_a_card_that_is_guessed(in_countdown: Arena):
    """Nobody needs a session for a card (C8), so it is guessed: at most so often a minute."""
    arena = in_countdown
    bidder = arena.cast.bidders[4]
    bid_id, _ = own_item(bidder)
    site = arena.cast.site
    before = arena.rows()
    codes: list[str] = []
    for caller in range(3):
        raw = await RawSocket(site.base, site.ready["ws_port"]).open(None)
        await raw.until("welcome")
        for n in range(1, 31):
            guess = (100 * caller + n).to_bytes(32, "big")
            card = {"message": card_of(bidder, now(arena), bid_id, guess)}
            raw.send(["cmd", n, f"guess-{n:06}", OPENING, "card_unlock", card])
        codes += [frame[3] for frame in await raw.until("err", 30)]
        raw.close()
    assert set(codes) == {"unlock.key_mismatch", "unlock.rate"}
    assert codes.count("unlock.key_mismatch") <= 60
    assert arena.rows() == before, "a guess is no evidence against anybody"


async def test_nothing_is_released_before_the_end(in_countdown: Arena):
    arena = in_countdown
    host, trustee = arena.cast.host, arena.cast.trustees[0]
    bidder = arena.cast.bidders[0]
    assert bidder.rules is not None
    await arena.refused("opening.not_ready", trustee.http.halves(ROOM))
    await arena.refused("auth.role", host.http.halves(ROOM))
    await arena.refused("auth.role", bidder.http.halves(ROOM))
    await arena.refused("bundle.not_ready", host.http.read(f"/openings/{ROOM}/opening.zip"))
    early = build_self_release(
        bidder.rules.suite_impl,
        tender_id=bidder.rules.tender_id,
        opening_nonce=now(arena)["nonces"][0]["nonce"],
        bid_id=own_item(bidder)[0],
        host_half=bytes(31) + b"\1",
    ).raw
    asked = bidder.client.command(OPENING, "self_release", {"messages": [early]})
    await arena.refused("self_release.not_open", asked)
    asked = trustee.client.command(OPENING, "release", {"messages": [b"KBIDREL1" + bytes(252)]})
    await arena.refused("release.window", asked)


async def test_the_host_has_one_countdown_and_no_way_to_shorten_it(in_countdown: Arena):
    arena = in_countdown
    host = arena.cast.host
    for code, op, args in (
        ("window.running", "start_window", {"session": 1, "reason": "r"}),
        ("window.session_unknown", "start_window", {"session": 9, "reason": "r"}),
        ("window.not_paused", "resume", {}),
        ("window.extension", "extend", {"extra_ms": -1, "reason": "r"}),
        ("window.extension", "extend", {"extra_ms": 0, "reason": "r"}),
        ("window.extension", "extend", {"extra_ms": 1 << 50, "reason": "r"}),
        ("reason.missing", "pause", {"reason": " \t "}),
        ("reason.missing", "extend", {"extra_ms": 1000, "reason": ""}),
        ("text.code_point", "pause", {"reason": "r\u200b"}),
        ("command.stage", "end_replies", {}),
        ("command.stage", "open_all", {}),
        ("command.stage", "declare_trustees_lost", {"reason": "r", "pks": [b"p"], "sigs": [b"s"]}),
    ):
        await arena.refused(code, host.client.command(OPENING, op, args))


async def test_a_bid_comes_too_late(in_countdown: Arena):
    arena = in_countdown
    bidder = arena.cast.bidders[0]
    sealed = bidder.seal({"price": "1.00", "days": 1, "manager": "甲"}, b"")[0]
    size = len(sealed.payload)
    await arena.refused("bid.late", bidder.http.uploads.create(ROOM, sealed.header.core, size))
    message = bidder.submit_bytes([sealed], seq=2, prev=bytes([1] * 32))
    asked = bidder.http.submit(ROOM, message)
    await arena.refused("bid.late", asked, leaves=["submit_received"])
    code = await raw_answer(arena, bidder, TENDER, "submit", {"message": message})
    assert code == "bid.late"
