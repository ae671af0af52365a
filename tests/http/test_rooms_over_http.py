"""Commands and events where a proxy strips WebSocket: same checks, same answers, two encodings."""

import asyncio
from io import BytesIO

import msgspec
import pytest
from yarl import URL

from server.domain import commands as cmd
from server.http.settings import Limits, Rate
from tests.http.site import Site, refused
from tests.http.small_hall import START_MS, TENDER, Answer

OPENING = f"opening:{TENDER}"
UNLOCK = [b"\x00\xffKBIDUNL1", b"\x01" * 40]


async def posted(hall, room: str, **body):
    return await hall.request("POST", f"/rooms/{room}/commands", json=body)


async def test_a_command_in_msgpack_reaches_its_room_with_the_conservative_moment(site: Site):
    async with site.person("bidder-a") as hall:
        result = await hall.command(OPENING, "unlock", {"messages": UNLOCK}, cmd_id="press-01")
    assert result == {"seq": 7, "acks": [b"\x01\xff"]}
    ((command, actor, cmd_id, received_ms),) = site.hall.rooms[OPENING].asked
    assert command == cmd.UnlockBid(messages=UNLOCK)
    assert (actor.person, cmd_id, received_ms) == ("bidder-a", "press-01", START_MS - 5)


async def test_the_same_command_in_json_is_the_same_command(site: Site):
    async with site.person("bidder-a") as hall:
        args = {"messages": [each.hex() for each in UNLOCK]}
        answer = await posted(hall, OPENING, cmd_id="press-01", op="unlock", args=args)
    assert answer == {"result": {"seq": 7, "acks": ["01ff"]}}
    assert site.hall.rooms[OPENING].asked[0][0] == cmd.UnlockBid(messages=UNLOCK)


async def test_a_colon_in_an_address_may_be_escaped(site: Site):
    async with site.person("bidder-a") as hall:
        path = URL(f"/rooms/opening%3A{TENDER}/commands", encoded=True)
        async with hall.session.post(path, json={"cmd_id": "x" * 8, "op": "sign_in"}) as response:
            assert response.status == 200


async def test_the_rooms_refusal_is_the_answer(site: Site):
    site.hall.rooms[OPENING].answer = Answer(
        ok=False, code="unlock.before_window", retryable=True, detail={"acks": [b"\x01"]}
    )
    async with site.person("bidder-a") as hall:
        asked = hall.command(OPENING, "unlock", {"messages": UNLOCK})
        error = await refused("unlock.before_window", asked)
    assert (error.status, error.retryable, error.detail) == (409, True, {"acks": [b"\x01"]})


async def test_cards_are_limited_for_each_address_and_nothing_else_with_them(open_a_site):
    site: Site = await open_a_site(limits=Limits(card_rate=Rate(2, 60)))
    card = {"message": b"KBIDCRD1"}
    async with site.visitor() as hall:
        for _ in range(2):
            await hall.command(OPENING, "card_unlock", card)
        error = await refused("unlock.rate", hall.command(OPENING, "card_unlock", card))
        assert (error.status, error.retryable) == (429, True)
    async with site.person("bidder-a") as hall:
        await hall.command(OPENING, "unlock", {"messages": UNLOCK})
    assert len(site.hall.rooms[OPENING].asked) == 3


async def test_the_rooms_own_word_on_retrying_counts(site: Site):
    site.hall.rooms[OPENING].answer = Answer(ok=False, code="header.magic", retryable=True)
    async with site.person("bidder-a") as hall:
        error = await refused("header.magic", hall.command(OPENING, "sign_in", {}))
    assert (error.status, error.retryable) == (422, True)


async def test_the_public_has_no_command_ids(site: Site):
    """Else one visitor could be given another's stored answer."""
    async with site.visitor() as hall:
        await hall.command(OPENING, "card_unlock", {"message": b"card"}, cmd_id="the-same-id")
    assert site.hall.rooms[OPENING].asked[0][2] == ""


async def test_nobody_asks_in_the_rooms_own_name(site: Site):
    async with site.person("host") as hall:
        for room, op in (("registry", "register_person"), (OPENING, "tick"), (OPENING, "schedule")):
            error = await refused("command.unknown", hall.command(room, op, {"passed_ms": 1}))
            assert error.status == 400
    assert site.hall.rooms[OPENING].asked == []


async def test_a_room_that_is_not_there(site: Site):
    async with site.person("bidder-a") as hall:
        await refused("room.unknown", hall.command("opening:other", "sign_in", {}))
        await refused("room.unknown", hall.events("opening:other", "hall"))


COMMANDS = {
    "an unknown member": ({"cmd_id": "c" * 8, "op": "sign_in", "extra": 1}, "body.malformed"),
    "no cmd_id": ({"op": "sign_in"}, "body.malformed"),
    "a short cmd_id": ({"cmd_id": "c", "op": "sign_in"}, "body.malformed"),
    "a long cmd_id": ({"cmd_id": "c" * 65, "op": "sign_in"}, "body.malformed"),
    "a long op": ({"cmd_id": "c" * 8, "op": "o" * 99}, "body.malformed"),
    "args that are no map": ({"cmd_id": "c" * 8, "op": "sign_in", "args": []}, "body.malformed"),
    "an unknown op": ({"cmd_id": "c" * 8, "op": "nothing"}, "command.unknown"),
    "an unknown argument": (
        {"cmd_id": "c" * 8, "op": "sign_in", "args": {"a": 1}},
        "command.arguments",
    ),
    "a number for a text": (
        {"cmd_id": "c" * 8, "op": "pause", "args": {"reason": 5}},
        "command.arguments",
    ),
    "a float": ({"cmd_id": "c" * 8, "op": "read_row", "args": {"no": 1.5}}, "body.malformed"),
    "a float that looks whole": (
        {"cmd_id": "c" * 8, "op": "read_row", "args": {"no": 1.0}},
        "body.malformed",
    ),
    "a number beyond 2^53": (
        {"cmd_id": "c" * 8, "op": "read_row", "args": {"no": 1 << 60}},
        "body.malformed",
    ),
    "too many messages": (
        {"cmd_id": "c" * 8, "op": "unlock", "args": {"messages": ["00"] * 17}},
        "command.arguments",
    ),
    "an array in an array in an array": (
        {"cmd_id": "c" * 8, "op": "sign_in", "args": {"a": [[[[[[[[[1]]]]]]]]]}},
        "body.too_deep",
    ),
}


@pytest.mark.parametrize("case", COMMANDS, ids=str)
@pytest.mark.parametrize("form", ["json", "msgpack"])
async def test_a_malformed_command_is_refused(site: Site, case: str, form: str):
    body, code = COMMANDS[case]
    raw = msgspec.json.encode(body) if form == "json" else msgspec.msgpack.encode(body)
    async with site.person("host") as hall:
        headers = {"Content-Type": f"application/{form}"}
        path = f"/rooms/{OPENING}/commands"
        error = await refused(code, hall.request("POST", path, headers=headers, data=raw))
        assert error.status == 400
    assert site.hall.rooms[OPENING].asked == []


@pytest.mark.parametrize("text", ["0", "0G", "AA", "a a ", "aa\n", "AAA=", 5, None])
async def test_in_json_bytes_are_lower_case_hex_and_nothing_else(site: Site, text):
    async with site.person("bidder-a") as hall:
        asked = posted(hall, OPENING, cmd_id="c" * 8, op="card_unlock", args={"message": text})
        await refused("body.malformed", asked)


@pytest.mark.parametrize("raw", [b"", b"\xc1", b"\xdc\xff\xff", b"\x91" * 3000, b"\x80\x80"])
async def test_bytes_that_are_no_msgpack_are_refused(site: Site, raw: bytes):
    async with site.person("bidder-a") as hall:
        headers = {"Content-Type": "application/msgpack"}
        asked = hall.request("POST", f"/rooms/{OPENING}/commands", headers=headers, data=raw)
        with pytest.raises(Exception, match=r"body\.(malformed|too_deep)"):
            await asked


async def test_an_oversized_command_is_refused(site: Site):
    async with site.person("bidder-a") as hall:
        headers = {"Content-Type": "application/json"}
        data = BytesIO(b'{"cmd_id":"' + b"0" * (1 << 20))
        asked = hall.request("POST", f"/rooms/{OPENING}/commands", headers=headers, data=data)
        assert (await refused("body.too_large", asked)).status == 413


async def test_commands_are_limited_for_each_person(open_a_site):
    site: Site = await open_a_site(limits=Limits(command_rate=Rate(2, 60)))
    async with site.person("bidder-a") as one, site.person("bidder-b") as other:
        for _ in range(2):
            await one.command(OPENING, "sign_in", {})
        error = await refused("command.too_many", one.command(OPENING, "sign_in", {}))
        assert (error.status, error.retryable) == (429, True)
        await other.command(OPENING, "sign_in", {})
        site.hall.ms += 1000
        await one.command(OPENING, "sign_in", {})


# ---- events


async def test_events_come_as_they_are_stored(site: Site):
    body = {"deadline_ms": 5, "bids": [], "root": b"\xab", "fen": {1: "9.00"}}
    site.hall.publish(OPENING, "hall", "bidders_announced", body)
    async with site.visitor() as hall:
        page = await hall.events(OPENING, "hall")
        event = [1, START_MS, "bidders_announced", body, bytes(32)]
        assert page == {"epoch": 3, "server_ms": START_MS, "events": [event]}
        in_json = await hall.get(f"/rooms/{OPENING}/events?audience=hall&after=0&wait_ms=0")
        told = {"deadline_ms": 5, "bids": [], "root": "ab", "fen": {"1": "9.00"}}
        assert in_json["events"] == [[1, START_MS, "bidders_announced", told, "00" * 32]]


async def test_a_poll_ends_with_the_first_event(site: Site):
    async with site.visitor() as hall:
        asked = asyncio.ensure_future(hall.events(OPENING, "hall", wait_ms=25_000))
        while not site.front.polls._all:  # noqa: ASYNC110 (it has no event of its own)
            await asyncio.sleep(0.005)
        site.hall.publish(OPENING, "hall", "sign_in_opened", {})
        async with asyncio.timeout(10):
            page = await asked
    assert [event[:3] for event in page["events"]] == [[1, START_MS, "sign_in_opened"]]
    assert site.front.polls._all == 0


async def test_a_poll_without_events_ends_empty(site: Site):
    async with site.visitor() as hall:
        page = await hall.events(OPENING, "hall", epoch=3, after=0, wait_ms=50)
    assert page["events"] == []


async def test_only_what_is_new_comes_and_a_strange_epoch_begins_anew(site: Site):
    for n in range(4):
        site.hall.publish(OPENING, "hall", "row_read", {"no": n})
    async with site.visitor() as hall:
        after = await hall.events(OPENING, "hall", epoch=3, after=2)
        assert [event[0] for event in after["events"]] == [3, 4]
        anew = await hall.events(OPENING, "hall", epoch=2, after=2)
        assert [event[0] for event in anew["events"]] == [1, 2, 3, 4]


async def test_nobody_hears_a_channel_that_is_not_theirs(site: Site):
    for audience in ("staff", "party:ORG-A", "party:ORG-B", "sealed", "x"):
        async with site.visitor() as nobody:
            error = await refused("auth.required", nobody.events(OPENING, audience))
            assert error.status == 401
    async with site.person("bidder-a") as bidder, site.person("host") as host:
        await bidder.events(OPENING, "party:ORG-A")
        await refused("channel.not_yours", bidder.events(OPENING, "party:ORG-B"))
        await refused("channel.not_yours", bidder.events(OPENING, "staff"))
        await host.events(OPENING, "staff")


@pytest.mark.parametrize(
    "query",
    ["", "audience=", "audience=" + "a" * 200, "audience=hall&after=-1", "audience=hall&after=x",
     "audience=hall&after=01", "audience=hall&epoch=" + "9" * 30, "audience=hall&wait_ms=1.5"],
)  # fmt: skip
async def test_a_malformed_poll_is_refused(site: Site, query: str):
    async with site.visitor() as hall:
        error = await refused("query.malformed", hall.get(f"/rooms/{OPENING}/events?{query}"))
        assert error.status == 400


async def test_polls_are_bounded_for_each_address(open_a_site):
    site: Site = await open_a_site(limits=Limits(polls_per_address_max=1))
    async with site.visitor() as hall, site.visitor() as other:
        asked = asyncio.ensure_future(hall.events(OPENING, "hall", wait_ms=25_000))
        while not site.front.polls._all:  # noqa: ASYNC110 (it has no event of its own)
            await asyncio.sleep(0.005)
        await refused("request.too_many", other.events(OPENING, "hall", wait_ms=1))
        site.hall.publish(OPENING, "hall", "sign_in_opened", {})
        await asked
        await other.events(OPENING, "hall", wait_ms=1)
