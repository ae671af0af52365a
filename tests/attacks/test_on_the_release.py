"""Attacks after the window: shares come from their trustees, for exactly the bids that the rules
name, over the record that all have seen; nothing is opened before, nothing is taken back after
(sealing.md C1, C5, C8, C11). The tests stand in the order of the opening.
"""

from typing import Any

import pytest

from crypto.checkpoint import parse_checkpoint
from crypto.entries import act_message
from crypto.keys import SigningKey
from crypto.messages import build_release, build_self_release
from crypto.shares import open_share
from server.http.client import HallHttp
from tests.attacks.arena import Arena
from tests.attacks.test_on_windows import card_of, own_item, press, unlock
from tests.faults.casts import OPENING
from tests.faults.site_process import ROOM
from tests.faults.steady_people import Steady, SteadyTrustee
from tests.faults.watching import Anonymous

pytestmark = pytest.mark.asyncio(loop_scope="module")


def release(arena: Arena, trustee: SteadyTrustee, **more: Any) -> bytes:
    """What an honest trustee would send, with whatever the attack changes."""
    cast = arena.cast
    window = cast.host.all("window_opened")[-1]
    reached = [c for c in cast.host.all("checkpoint_reached") if c["of"] == "window_end"][-1]
    rules = cast.bidders[0].rules
    assert rules is not None
    checkpoint = parse_checkpoint(reached["checkpoint"], rules.log.origin, rules.log.pk)
    i = [keys.xpk for keys in rules.trustees_of(1)].index(trustee.box.public) + 1
    unlocked = [b.bid.headers[-1] for b in cast.bidders[:2] if b.bid]
    members: dict[str, Any] = {
        "tender_id": rules.tender_id,
        "root": checkpoint.root,
        "size": checkpoint.size,
        "opening_nonce": window["nonces"][0]["nonce"],
        "envelope": 1,
        "i": i,
        "mode": 0,
        "items": [(h.bid_id, *open_share(h, i, trustee.box)) for h in unlocked],
        "key": trustee.sign,
    }
    return build_release(rules.suite_impl, **{**members, **more}).raw


def send(person: Steady, *messages: bytes) -> Any:
    assert person.client is not None
    return person.client.command(OPENING, "release", {"messages": list(messages)})


def self_release(arena: Arena, k: int, half: bytes) -> dict[str, Any]:
    bidder = arena.cast.bidders[k]
    assert bidder.rules is not None
    nonce = arena.cast.host.all("window_opened")[-1]["nonces"][0]["nonce"]
    bid_id, _ = own_item(bidder)
    known = {"tender_id": bidder.rules.tender_id, "opening_nonce": nonce, "bid_id": bid_id}
    raw = build_self_release(bidder.rules.suite_impl, **known, host_half=half).raw
    return {"messages": [raw]}


async def test_an_unlock_after_the_end_is_late_and_evidence(in_release: Arena):
    bidder = in_release.cast.bidders[2]
    message = unlock(bidder, in_release.cast.host.all("window_opened")[-1])
    leaves = ["attempt_failed", "attempt_seen"]
    told = await in_release.refused("unlock.window_closed", press(bidder, message), leaves=leaves)
    assert len(told["acks"]) == 1, "a signed word that it was late"
    assert told["received_ms"] >= told["end_ms"]


async def test_a_card_after_the_end_is_late_and_a_wrong_one_is_nothing(in_release: Arena):
    arena = in_release
    bidder = arena.cast.bidders[2]  # the one that did not unlock
    window = arena.cast.host.all("window_opened")[-1]
    bid_id, half = own_item(bidder)
    async with HallHttp(arena.cast.site.base) as nobody:

        def played(half: bytes) -> Any:
            card = card_of(bidder, window, bid_id, half)
            return nobody.command(OPENING, "card_unlock", {"message": card})

        await arena.refused("unlock.key_mismatch", played(bytes(32)))
        leaves = ["attempt_failed", "attempt_seen"]
        detail = await arena.refused("unlock.window_closed", played(half), leaves=leaves)
        assert detail["end_ms"] <= detail["received_ms"]


async def test_the_halves_are_for_those_who_release(in_release: Arena):
    cast = in_release.cast
    nobody = Anonymous(cast.site.base, cast.site.world.witness, ROOM)
    witness = Steady(cast.site.base, cast.site.world.witness, ROOM)
    await cast.admit(nobody, witness)
    await in_release.refused("auth.required", nobody.http.halves(ROOM))
    for person in (cast.host, cast.bidders[0], witness):
        await in_release.refused("auth.role", person.http.halves(ROOM))
        asked = person.http.command(OPENING, "release", {"messages": [b"KBIDREL1"]})
        await in_release.refused("auth.role", asked)
    assert len(await cast.trustees[0].http.halves(ROOM)) == 2


async def test_a_release_that_is_not_the_rules_own(in_release: Arena):
    first, second = in_release.cast.trustees
    rules = in_release.cast.bidders[0].rules
    assert rules is not None
    honest = release(in_release, first)
    locked = in_release.cast.bidders[2].bid.headers[-1]
    items = [(locked.bid_id, *open_share(locked, 1, first.box))]
    for code, message in (
        ("release.set", release(in_release, first, items=[])),
        ("release.set", release(in_release, first, items=items)),
        ("release.checkpoint", release(in_release, first, root=bytes(32))),
        ("release.checkpoint", release(in_release, first, size=1)),
        ("release.mode", release(in_release, first, mode=1)),
        ("release.nonce", release(in_release, first, opening_nonce=bytes(32))),
        ("release.envelopes", release(in_release, first, tender_id=bytes(32))),
        ("release.signature", release(in_release, first, i=2)),
        ("release.signature", release(in_release, first, key=second.sign)),
        ("release.trustee", release(in_release, first, i=9)),
        ("release.trustee", release(in_release, second)),
    ):
        await in_release.refused(code, send(first, message))
    await in_release.refused("release.trustee", send(second, honest))
    await in_release.refused("release.envelopes", send(first, honest, honest))


async def test_nothing_is_opened_by_anybody_alone(in_release: Arena):
    cast = in_release.cast
    host, bidder = cast.host, cast.bidders[0]
    early = self_release(in_release, 0, bytes(31) + b"\1")
    asked = bidder.client.command(OPENING, "self_release", early)
    await in_release.refused("self_release.not_open", asked)
    for op in ("open_all", "end_replies", "close_opening"):
        await in_release.refused("command.stage", host.client.command(OPENING, op, {}))
    lost = {"reason": "r", "pks": [host.officers[0].public], "sigs": [bytes(64)]}
    asked = host.client.command(OPENING, "declare_trustees_lost", lost)
    await in_release.refused("release.signature", asked)
    await in_release.refused("bundle.not_ready", host.http.read(f"/openings/{ROOM}/opening.zip"))


async def test_one_officer_is_not_two(in_release: Arena):
    """The host signs, and then tries to be the supervisor too, with either key."""
    cast = in_release.cast
    host, rules = cast.host, cast.bidders[0].rules
    assert rules is not None
    own, other = host.officers
    nonce = host.all("window_opened")[-1]["nonces"][0]["nonce"]
    message = act_message(15, rules.tender_id, {"nonce": nonce.hex(), "reason": "失联"})

    def half(key: SigningKey) -> dict[str, bytes]:
        return {"pk": key.public, "sig": key.sign(message)}

    def ask(op: str, **args: Any) -> Any:
        return host.client.command(OPENING, op, args)

    await in_release.refused(
        "act.officer", ask("propose_trustees_lost", reason="失联", **half(other))
    )
    forged = {"pk": own.public, "sig": bytes(64)}
    await in_release.refused("act.signature", ask("propose_trustees_lost", reason="失联", **forged))
    await ask("propose_trustees_lost", reason="失联", **half(own))
    proposal = await host.until_kind("trustees_lost_proposed")
    for key in (own, other):
        again = ask("countersign", act=proposal["act"], **half(key))
        await in_release.refused("act.same_officer", again)
    bidder = cast.bidders[0].client.command(
        OPENING, "countersign", {"act": proposal["act"], **half(other)}
    )
    await in_release.refused("auth.role", bidder)
    await ask("decline_act", act=proposal["act"], reason="只是试探")
    gone = ask("countersign", act=proposal["act"], **half(other))
    await in_release.refused("act.unknown", gone)


async def test_nobody_replaces_a_stored_payload_that_is_sound(in_release: Arena):
    cast = in_release.cast
    header = cast.bidders[0].bid.headers[-1]
    path = f"/openings/{ROOM}/payloads/{header.bid_id.hex()}"
    body = bytes(header.payload_size)
    for code, person, target in (
        ("auth.role", cast.bidders[0], path),
        ("auth.role", cast.trustees[0], path),
        ("repair.not_damaged", cast.host, path),
        ("bid.unknown", cast.host, f"/openings/{ROOM}/payloads/{bytes(32).hex()}"),
    ):
        await in_release.refused(code, person.http.request("PUT", target, data=body))


async def test_after_the_first_release_the_window_is_final(in_release: Arena):
    cast = in_release.cast
    first, host = cast.trustees[0], cast.host
    honest = release(in_release, first)
    before = in_release.rows()
    told = await send(first, honest)
    again = await send(first, honest)
    assert [ack[:-80] for ack in told["acks"]] == [ack[:-80] for ack in again["acks"]]
    assert in_release.rows() - before == {"release_received": 1, "trustee_released": 1}
    restart = {"session": 1, "reason": "重来"}
    asked = host.client.command(OPENING, "start_window", restart)
    await in_release.refused("window.final", asked)
    refusing = [(b.bid.headers[-1].bid_id, 3, bytes(32)) for b in cast.bidders[:2] if b.bid]
    second = release(in_release, first, items=refusing)
    await in_release.refused("release.second", send(first, second), leaves=["trustee_fault_found"])
    await in_release.refused("release.second", send(first, second))


async def test_a_self_release_shows_its_own_true_half(in_release: Arena):
    cast = in_release.cast
    bidder = cast.bidders[0]
    made_up = self_release(in_release, 0, bytes(31) + b"\1")
    asked = bidder.client.command(OPENING, "self_release", made_up)
    await in_release.refused("self_release.half", asked)
    zero = {"messages": [made_up["messages"][0][:-32] + bytes(32)]}
    asked = bidder.client.command(OPENING, "self_release", zero)
    await in_release.refused("self_release.scalar", asked)
    other = self_release(in_release, 1, bytes(31) + b"\1")
    asked = bidder.client.command(OPENING, "self_release", other)
    await in_release.refused("self_release.half", asked)


async def test_the_read_out_is_said_once(in_release: Arena):
    cast = in_release.cast
    host = cast.host
    await send(cast.trustees[1], release(in_release, cast.trustees[1]))
    await host.until_kind("replies_ended")
    await in_release.refused("command.stage", host.client.command(OPENING, "end_replies", {}))
    await host.do("open_all")
    await host.until_kind("prices_read_out")
    for code, op, args in (
        ("command.stage", "open_all", {}),
        ("row.unknown", "read_row", {"no": 0}),
        ("row.unknown", "read_row", {"no": 4}),
        ("window.session_done", "start_window", {"session": 1, "reason": "r"}),
    ):
        await in_release.refused(code, host.client.command(OPENING, op, args))
    frozen = host.all("set_frozen")
    assert len(frozen) == len(host.all("prices_read_out")) == 1
