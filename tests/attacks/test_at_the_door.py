"""Attacks on tickets, origins, roles, sizes and patience, against the full server."""

import time
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pytest

from server.domain import evaluation_room_commands, floor_commands
from server.domain.commands import COMMANDS
from signaling.codec import pack
from tests.attacks.arena import Arena, RawSocket, raw_answer, socket_of
from tests.faults.casts import OPENING, TENDER
from tests.faults.site_process import ROOM
from tests.faults.steady_people import Steady
from tests.faults.watching import Anonymous

# Importing them fills COMMANDS.
assert evaluation_room_commands
assert floor_commands

pytestmark = pytest.mark.asyncio(loop_scope="module")

# Who may ask what, written down a second time: a slip in the table of roles must show.
HOST_ALONE = {"pause", "resume", "extend", "end_replies", "open_all", "read_row", "close_opening"}
HOST_ALONE |= {"start_window", "declare_trustees_lost", "change_deadline"}
HOST_ALONE |= {"propose_trustees_lost", "propose_deadline"}
HOST_ALONE |= {"put_on_stage", "take_off_stage", "hold", "mute"}
OFFICERS = {"propose_ground", "countersign", "decline_act", "decline_deadline"}
SUPERVISOR_ALONE = {"countersign_deadline"}
BIDDER_ALONE = {"sign_in", "unlock", "report_attempt", "self_release", "register", "submit"}
RELEASE = {"release": {"trustee-agency", "purchaser", "supervisor"}}
EVERYBODY = {"card_unlock"}
HALF = {"pk": b"p" * 32, "sig": b"s" * 64}
ARGS: dict[str, dict[str, Any]] = {
    "register": {"bidder_pk": b"k" * 32, "bidder_xpk": b"x" * 32, "expiry_ms": 1, "sig": b"s" * 64},
    "submit": {"message": b"m"},
    "change_deadline": {"deadline_ms": 1, "reason": "r", "pks": [b"p"], "sigs": [b"s"]},
    "propose_deadline": {"deadline_ms": 1, "reason": "r", **HALF},
    "countersign_deadline": {"act": b"a" * 32, **HALF},
    "decline_deadline": {"act": b"a" * 32, "reason": "r"},
    "propose_trustees_lost": {"reason": "r", **HALF},
    "propose_ground": {"bid_id": b"b" * 32, "ground": "excused", "reason": "r", **HALF},
    "countersign": {"act": b"a" * 32, **HALF},
    "decline_act": {"act": b"a" * 32, "reason": "r"},
    "start_window": {"session": 1},
    "pause": {"reason": "r"},
    "extend": {"extra_ms": 1000, "reason": "r"},
    "unlock": {"messages": [b"m"]},
    "card_unlock": {"message": b"m"},
    "report_attempt": {"bid_id": b"b" * 32, "code": "unlock.key_mismatch"},
    "release": {"messages": [b"m"]},
    "self_release": {"messages": [b"m"]},
    "declare_trustees_lost": {"reason": "r", "pks": [b"p"], "sigs": [b"s"]},
    "read_row": {"no": 1},
    "put_on_stage": {"person": "nobody", "reason": "r"},
    "take_off_stage": {"person": "nobody"},
    "hold": {"person": "nobody", "held": True},
    "mute": {"person": "nobody", "label": "camera", "muted": True},
}
BOUNDS = {"command.arguments", "frame.integer", "registration.keys", "registration.expiry"}
MANY = 10_000
WHILE_FLOODED_S = 5.0


def commands() -> Iterator[tuple[str, str]]:
    """Of this site's rooms; who may what in a meeting: tests/domain/test_meeting.py."""
    rooms = {"opening": OPENING, "tender": TENDER}
    for kind, op in COMMANDS:
        if not COMMANDS[kind, op].SYSTEM and kind in rooms:
            yield rooms[kind], op


async def code_of(person: Steady, room: str, op: str, args: dict[str, Any]) -> str:
    """What a command over the socket is answered: a code, "" for yes."""
    assert person.client is not None
    try:
        await person.client.command(room, op, args)
        return ""
    except Exception as refused:
        return str(getattr(refused, "code", repr(refused)))


# ---- who


async def test_every_command_asks_for_its_role(before_deadline: Arena):
    cast = before_deadline.cast
    world, base = cast.site.world, cast.site.base
    others = [world.supervisor, world.purchaser, world.witness]
    people = [cast.host, cast.bidders[0], cast.trustees[0]]
    people += [Steady(base, person, ROOM) for person in others]
    nobody = Anonymous(base, world.witness, ROOM)
    await cast.admit(*people[3:], nobody)
    for person in (*people[3:], nobody):
        await person.enter()
    before = before_deadline.rows()
    for person in (*people, nobody):
        who = "nobody" if person is nobody else person.person.person
        may = {op for op in HOST_ALONE if who == "host"}
        may |= {op for op in BIDDER_ALONE if who.startswith("bidder")} | EVERYBODY
        may |= {op for op, roles in RELEASE.items() if who in roles}
        may |= {op for op in OFFICERS if who in ("host", "supervisor")}
        may |= {op for op in SUPERVISOR_ALONE if who == "supervisor"}
        for room, op in commands():
            code = await code_of(person, room, op, ARGS.get(op, {}))
            if op in may and op != "sign_in":
                assert code not in ("", "auth.role", "auth.required"), (who, op, code)
            elif op not in may:
                assert code == ("auth.required" if who == "nobody" else "auth.role"), (who, op)
    assert before_deadline.rows() - before == {"bidder_signed_in": 1}


async def test_what_only_the_server_may_ask_has_no_way_in(before_deadline: Arena):
    host = before_deadline.cast.host
    rooms = {"opening": OPENING, "tender": TENDER, "registry": "registry"}
    hidden = [key for key, command in COMMANDS.items() if command.SYSTEM and key[0] in rooms]
    assert len(hidden) > 10
    for kind, op in hidden:
        asked = host.client.command(rooms[kind], op, {})
        await before_deadline.refused("command.unknown", asked)
        await before_deadline.refused("command.unknown", host.http.command(rooms[kind], op, {}))


async def test_a_ticket_opens_one_door_once(before_deadline: Arena):
    cast = before_deadline.cast
    site, person = cast.site, cast.bidders[0]
    used = await person.ticket()
    first = await RawSocket(site.base, site.ready["ws_port"]).open(used)
    await first.until("welcome")
    left = Steady(site.base, cast.site.world.witness, ROOM)
    await left.__aenter__()
    of_a_session_that_is_over = await left.http.ticket()
    await left.http.logout()
    await left.__aexit__(None, None, None)
    for ticket in (used, of_a_session_that_is_over, "A" * 43, "x" * 200):
        raw = await RawSocket(site.base, site.ready["ws_port"]).open(ticket)
        loss = await raw.lost()
        assert (loss.code, loss.reason) == (4401, "auth.ticket_stale"), ticket
    assert (await first.until("welcome"))[0][5]["person"] == person.person.person
    first.close()


async def test_a_foreign_page_gets_no_socket_and_no_answer(before_deadline: Arena):
    cast = before_deadline.cast
    site, person = cast.site, cast.bidders[0]
    for origin in ("https://evil.example", "null", site.base + ".evil.example"):
        raw = RawSocket(site.base, site.ready["ws_port"])
        await raw.open(await person.ticket(), origin=origin)
        assert (await raw.lost()).reason == "http.403"
        for headers in ({"Origin": origin}, {"Sec-Fetch-Site": "cross-site"}):
            async with person.http.session.post(
                f"/rooms/{OPENING}/commands",
                json={"cmd_id": "evil-evil", "op": "sign_in", "args": {}},
                headers=headers,
            ) as response:
                assert (response.status, (await response.json())["code"]) == (403, "origin.foreign")
    async with person.http.session.get("/tenders", headers={"Host": "evil.example"}) as response:
        assert (await response.json())["code"] == "host.unknown"


async def test_a_room_that_is_not_there(before_deadline: Arena):
    host = before_deadline.cast.host
    for room in ("opening:no-such", "evaluation:x", "opening:", "x", "registry:x"):
        code = await code_of(host, room, "start_window", {"session": 1})
        assert code in ("room.unknown", "command.unknown"), room
    await before_deadline.refused(
        "room.unknown", host.http.command("opening:no-such", "start_window", {"session": 1})
    )


async def test_the_channel_of_another_organisation(before_deadline: Arena):
    cast = before_deadline.cast
    a, b = cast.bidders[:2]
    for room in (OPENING, TENDER):
        feed = b.client.subscribe(room, f"party:{a.person.org}")
        async for event in feed:
            raise AssertionError(event)
        assert feed.refused == "channel.not_yours"
        asked = b.http.events(room, f"party:{a.person.org}")
        await before_deadline.refused("channel.not_yours", asked)


# ---- what


@pytest.mark.parametrize(
    ("op", "args"),
    [
        ("extend", {}),
        ("extend", {"extra_ms": "1000", "reason": "r"}),
        ("extend", {"extra_ms": 1000, "reason": "r", "more": 1}),
        ("extend", {"extra_ms": 1000, "reason": "r" * 501}),
        ("start_window", {"session": True}),
        ("start_window", {"session": -(1 << 62)}),
        ("unlock", {"messages": []}),
        ("unlock", {"messages": [b"m"] * 17}),
        ("unlock", {"messages": ["m"]}),
        ("unlock", {"messages": {b"m": b"m"}}),
        ("read_row", {"no": 1 << 62}),
        ("report_attempt", {"bid_id": b"", "code": "unlock.key_mismatch\n"}),
        ("report_attempt", {"bid_id": b"", "code": "x" * 70}),
        ("declare_trustees_lost", {"reason": "r", "pks": [b"p"] * 10, "sigs": [b"s"]}),
    ],
)
async def test_arguments_of_the_wrong_shape(before_deadline: Arena, op: str, args: dict[str, Any]):
    cast = before_deadline.cast
    person = cast.bidders[0] if op in BIDDER_ALONE else cast.host
    before = before_deadline.rows()
    code = await raw_answer(before_deadline, person, OPENING, op, args)
    if code == "command.stage":  # well formed, and out of place
        assert (op, args) in (("start_window", {"session": True}), ("read_row", {"no": 1 << 50}))
    else:
        assert code in ("command.arguments", "frame.integer", "frame.key")
    assert before_deadline.rows() == before


async def test_moments_and_keys_beyond_all_bounds(before_deadline: Arena):
    bidder = before_deadline.cast.bidders[0]
    for args in (
        {"expiry_ms": 1 << 62},
        {"expiry_ms": -1},
        {"bidder_pk": b""},
        {"bidder_pk": b"k" * 5000},
        {"sig": b"s" * 900_000},
    ):
        args = {**ARGS["register"], **args}
        code = await raw_answer(before_deadline, bidder, TENDER, "register", args)
        assert code in BOUNDS, args


async def test_a_frame_that_is_too_large_or_too_deep(before_deadline: Arena):
    cast = before_deadline.cast
    deep: Any = 1
    for _ in range(40):
        deep = [deep]
    for payload, code in (
        (pack(["cmd", 1, "large-large", OPENING, "x", {"a": b"x" * (1 << 20)}]), "frame.too_large"),
        (pack(["cmd", 1, "deep-deep-", OPENING, "x", {"a": deep}]), "frame.depth"),
        (pack(["cmd", 1, "many-many-", OPENING, "x", {"a": [0] * 30_000}]), "frame.too_many"),
        (b"\xdd\xff\xff\xff\xff", "frame.msgpack"),
    ):
        raw = await socket_of(before_deadline, cast.bidders[0])
        raw.send_raw(payload)
        loss = await raw.lost()
        assert (loss.code, loss.reason) in ((4400, code), (0, "cut")), code
        assert raw.frames[-1][:3] == ["bye", 4400, code]


async def test_a_body_that_is_too_large_or_too_deep(before_deadline: Arena):
    http = before_deadline.cast.bidders[0].http
    where = f"/rooms/{OPENING}/commands"
    deep = b'{"cmd_id":"deep-deep-","op":"sign_in","args":{"a":' + b"[" * 5000 + b"]" * 5000 + b"}}"
    for data, status, code in (
        (b"x" * ((1 << 20) + 1), 413, "body.too_large"),
        (deep, 400, "body.too_deep"),
        (b'{"cmd_id":"short","op":"sign_in","args":{}}', 400, "body.malformed"),
        (b"\xff\xfe", 400, "body.malformed"),
    ):
        async with http.session.post(
            where, data=BytesIO(data), headers={"Content-Type": "application/json"}
        ) as response:
            assert (response.status, (await response.json())["code"]) == (status, code)


# ---- how often


async def test_ten_thousand_commands_at_once(before_deadline: Arena):
    """The flooder is told to slow down and then sent away; others are served all the while."""
    cast = before_deadline.cast
    raw = await socket_of(before_deadline, cast.bidders[0])
    before = before_deadline.rows()
    for number in range(MANY):
        raw.send(["cmd", number + 1, f"flood-{number:06}", OPENING, "pause", {"reason": "r"}])
    began = time.monotonic()
    code = await code_of(cast.bidders[1], OPENING, "open_all", {})
    assert (code, time.monotonic() - began < WHILE_FLOODED_S) == ("auth.role", True)
    loss = await raw.lost()
    assert loss.code in (4429, 0)
    assert raw.frames[-1][:3] == ["bye", 4429, "frame.rate"]
    codes = {frame[3] for frame in raw.frames if frame[0] == "err"}
    assert codes == {"auth.role", "command.too_many"}
    assert sum(frame[0] == "err" for frame in raw.frames) < MANY // 10
    assert before_deadline.rows() == before


async def test_a_second_answer_to_one_number_is_not_to_be_had(before_deadline: Arena):
    """One number twice, one cmd_id under two numbers, ids of the wrong length."""
    cast = before_deadline.cast
    raw = await socket_of(before_deadline, cast.bidders[2])
    before = before_deadline.rows()
    for n in (1, 2, 1):
        raw.send(["cmd", n, "twice-twice", OPENING, "sign_in", {}])
    first, second = (await raw.until("ok", 2))[:2]
    assert first[2:] == second[2:]
    assert before_deadline.rows() - before == {"bidder_signed_in": 1}
    for cmd_id in ("short", "l" * 65, ""):
        bad = await socket_of(before_deadline, cast.bidders[2])
        bad.send(["cmd", 1, cmd_id, OPENING, "sign_in", {}])
        loss = await bad.lost()
        assert (loss.code, loss.reason) == (4400, "frame.name")
    raw.send(["cmd", 9, "still-here", OPENING, "open_all", {}])
    while raw.frames[-1][2] != "still-here":
        await raw.stirred()
    assert raw.frames[-1][3] == "auth.role"
    raw.close()
