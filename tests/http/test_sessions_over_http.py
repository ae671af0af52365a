"""Who is who, over real sockets: challenges, logins, cookies, tickets, and everything forged."""

from contextlib import AsyncExitStack

import aiohttp
import pytest
from yarl import URL

from crypto.keys import SigningKey
from server.http.client import HallHttp
from server.http.login_message import login_message
from server.http.settings import Limits, Rate
from tests.http.site import Site, refused
from tests.http.small_hall import PEOPLE

A_KEY = PEOPLE["bidder-a"][0]


def cookie_of(hall: HallHttp) -> str:
    return hall.session.cookie_jar.filter_cookies(URL(hall.base))["sid"].value


async def challenge_of(hall: HallHttp, key: SigningKey) -> dict:
    return await hall.post("/auth/challenge", {"public": key.public.hex()})


def answer_to(given: dict, key: SigningKey, origin: str) -> dict:
    message = login_message(
        origin, bytes.fromhex(given["challenge"]), given["expiry_ms"], key.public
    )
    return {**given, "public": key.public.hex(), "signature": key.sign(message).hex()}


async def test_a_person_logs_in_and_is_known_until_logout(site: Site):
    async with site.visitor() as hall:
        assert await hall.me() == {}
        me = await hall.login(A_KEY)
        assert me == await hall.me()
        assert (me["person"], me["role"], me["org"]) == ("bidder-a", "bidder", "ORG-A")
        assert me["org_name"] == "ORG-A Ltd"
        await hall.logout()
        assert await hall.me() == {}


async def test_a_challenge_is_answered_once(site: Site):
    async with site.visitor() as hall:
        answer = answer_to(await challenge_of(hall, A_KEY), A_KEY, site.url)
        await hall.post("/auth/login", answer)
        error = await refused("auth.challenge_unknown", hall.post("/auth/login", answer))
        assert error.status == 401


async def test_a_challenge_is_spent_by_a_wrong_answer_too(site: Site):
    async with site.visitor() as hall:
        answer = answer_to(await challenge_of(hall, A_KEY), A_KEY, site.url)
        wrong = {**answer, "signature": "00" * 64}
        await refused("auth.signature", hall.post("/auth/login", wrong))
        await refused("auth.challenge_unknown", hall.post("/auth/login", answer))


async def test_a_challenge_lasts_a_minute(site: Site):
    async with site.visitor() as hall:
        answer = answer_to(await challenge_of(hall, A_KEY), A_KEY, site.url)
        site.hall.ms += 60_000
        await refused("auth.challenge_unknown", hall.post("/auth/login", answer))


async def test_a_signature_for_another_origin_logs_nobody_in(site: Site):
    async with site.visitor() as hall:
        answer = answer_to(await challenge_of(hall, A_KEY), A_KEY, "https://elsewhere.example")
        await refused("auth.signature", hall.post("/auth/login", answer))


async def test_a_challenge_of_one_key_is_not_answered_with_another(site: Site):
    other = PEOPLE["bidder-b"][0]
    async with site.visitor() as hall:
        answer = answer_to(await challenge_of(hall, A_KEY), other, site.url)
        await refused("auth.challenge_unknown", hall.post("/auth/login", answer))


async def test_an_unknown_key_gets_a_challenge_but_no_session(site: Site):
    stranger = SigningKey(b"\x77" * 32)
    async with site.visitor() as hall:
        await refused("auth.key_unknown", hall.login(stranger))
        assert await hall.me() == {}


async def test_a_forged_cookie_is_nobody(site: Site):
    forged = ["", "x", "A" * 43, "A" * 44, "../../etc", '"' + "A" * 43 + '"']
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as client:
        for value in forged:
            headers = {"Cookie": f"sid={value}"}
            async with client.get(f"{site.url}/auth/me", headers=headers) as response:
                assert (response.status, await response.json()) == (200, {})


async def test_the_session_id_is_not_kept_only_its_hash_is(site: Site):
    async with site.person("bidder-a") as hall:
        token = cookie_of(hall)
        kept = repr(list(site.front.sessions._sessions))
        assert len(token) == 43
        assert token not in kept
        assert token.encode() not in site.front.sessions._sessions


async def test_login_gives_a_new_session_id_and_ends_the_old_one(site: Site):
    ended: list[bytes] = []
    site.front.sessions.on_end.append(ended.append)
    async with site.person("bidder-a") as hall:
        before = cookie_of(hall)
        await hall.login(A_KEY)
        after = cookie_of(hall)
        assert before != after
        assert len(ended) == 1
        assert site.front.sessions.person(before) is None
        assert site.front.sessions.person(after) is not None


async def test_the_cookie_is_for_this_site_and_no_script(open_a_site):
    site = await open_a_site()
    async with site.visitor() as hall:
        given = await challenge_of(hall, A_KEY)
        answer = answer_to(given, A_KEY, site.url)
        async with hall.session.post("/auth/login", json=answer) as response:
            line = response.headers["Set-Cookie"]
        assert line.startswith("sid=")
        for word in ("HttpOnly", "SameSite=Strict", "Path=/"):
            assert word in line
        assert "Secure" not in line


async def test_behind_tls_the_cookie_is_bound_to_the_host(open_a_site):
    origin = "https://hall.example"
    site = await open_a_site(origin=origin)
    async with HallHttp(site.url, origin=origin) as hall:
        hall.session.headers["Host"] = "hall.example"
        given = await challenge_of(hall, A_KEY)
        answer = answer_to(given, A_KEY, origin)
        async with hall.session.post("/auth/login", json=answer) as response:
            line = response.headers["Set-Cookie"]
            assert response.headers["Strict-Transport-Security"]
        assert line.startswith("__Host-sid=")
        for word in ("Secure", "HttpOnly", "SameSite=Strict", "Path=/"):
            assert word in line
        assert "Domain" not in line


async def test_a_session_ends_when_idle(site: Site):
    async with site.person("bidder-a") as hall:
        site.hall.ms += site.front.settings.limits.session_idle_ms - 1
        assert (await hall.me())["person"] == "bidder-a"
        site.hall.ms += site.front.settings.limits.session_idle_ms
        assert await hall.me() == {}


async def test_a_session_ends_after_a_day_however_busy(site: Site):
    limits = site.front.settings.limits
    async with site.person("bidder-a") as hall:
        for _ in range(limits.session_absolute_ms // (limits.session_idle_ms // 2)):
            assert (await hall.me())["person"] == "bidder-a"
            site.hall.ms += limits.session_idle_ms // 2
        assert await hall.me() == {}


async def test_a_removed_person_is_out_at_once(site: Site):
    async with site.person("bidder-a") as hall:
        del site.hall.people[A_KEY.public]
        assert await hall.me() == {}
        await refused("auth.required", hall.ticket())


async def test_a_ticket_admits_once(site: Site):
    async with site.person("bidder-a") as hall:
        ticket = await hall.ticket()
        actor = site.front.sessions.redeem(ticket)
        assert actor is not None
        assert actor.person == "bidder-a"
        assert site.front.sessions.redeem(ticket) is None


async def test_a_stale_ticket_admits_nobody(site: Site):
    async with site.person("bidder-a") as hall:
        ticket = await hall.ticket()
        site.hall.ms += 30_000
        assert site.front.sessions.redeem(ticket) is None


async def test_a_ticket_dies_with_its_session(site: Site):
    async with site.person("bidder-a") as hall:
        ticket = await hall.ticket()
        await hall.logout()
        assert site.front.sessions.redeem(ticket) is None


async def test_an_admission_names_the_session_that_ends(site: Site):
    ended: list[bytes] = []
    site.front.sessions.on_end.append(ended.append)
    async with site.person("bidder-a") as hall:
        admission = site.front.sessions.admit(await hall.ticket())
        assert admission is not None
        assert site.front.sessions.touch(admission.session)
        await hall.logout()
        assert ended == [admission.session]
        assert not site.front.sessions.touch(admission.session)


async def test_nobody_without_a_session_gets_a_ticket(site: Site):
    async with site.visitor() as hall:
        error = await refused("auth.required", hall.ticket())
        assert error.status == 401


async def test_too_many_tickets_push_out_the_oldest(site: Site):
    async with site.person("bidder-a") as hall:
        tickets = [await hall.ticket() for _ in range(9)]
        assert site.front.sessions.redeem(tickets[0]) is None
        assert all(site.front.sessions.redeem(ticket) for ticket in tickets[1:])


async def test_too_many_sessions_of_one_person_push_out_the_oldest(open_a_site):
    site = await open_a_site(limits=Limits(sessions_per_person_max=2))
    async with AsyncExitStack() as stack:
        devices = [await stack.enter_async_context(site.person("bidder-a")) for _ in range(3)]
        assert [bool(await device.me()) for device in devices] == [False, True, True]


async def test_challenges_are_bounded_for_one_address(open_a_site):
    site = await open_a_site(limits=Limits(challenges_per_address_max=3))
    async with site.visitor() as hall:
        for _ in range(3):
            await challenge_of(hall, A_KEY)
        error = await refused("auth.too_many", challenge_of(hall, A_KEY))
        assert (error.status, error.retryable) == (429, True)
        site.hall.ms += 60_000
        await challenge_of(hall, A_KEY)


async def test_logins_are_limited_by_address_and_recover(open_a_site):
    site = await open_a_site(limits=Limits(login_rate=Rate(2, 60)))
    async with site.visitor() as hall:
        for _ in range(2):
            await hall.login(A_KEY)
        await refused("auth.too_many", hall.login(A_KEY))
        site.hall.ms += 1000
        await hall.login(A_KEY)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"public": 5},
        {"public": "zz" * 32},
        {"public": "AA" * 32},
        {"public": "aa" * 31},
        {"public": "aa" * 31 + "\n\n"},
        {"public": "aa" * 32, "more": 1},
        [],
        "text",
    ],
)
async def test_a_malformed_challenge_request_is_refused(site: Site, body):
    async with site.visitor() as hall:
        error = await refused("body.malformed", hall.request("POST", "/auth/challenge", json=body))
        assert error.status == 400
