"""In a demo one browser is several people, one a tab; elsewhere it is one."""

from server.http.client import HallHttp
from server.http.front import SESSION_HEADER
from server.http.login_message import login_message
from tests.http.site import Site
from tests.http.small_hall import PEOPLE


async def tab_of(hall: HallHttp, name: str) -> dict[str, str]:
    """Logs a tab of this browser in: the header lines that it sends from then on."""
    key = PEOPLE[name][0]
    given = await hall.post("/auth/challenge", {"public": key.public.hex()})
    message = login_message(
        hall.origin, bytes.fromhex(given["challenge"]), given["expiry_ms"], key.public
    )
    answer = {**given, "public": key.public.hex(), "signature": key.sign(message).hex()}
    told = await hall.post("/auth/login", answer)
    assert told["me"]["person"] == name
    return {SESSION_HEADER: told["session"]} if "session" in told else {}


async def whoami(hall: HallHttp, tab: dict[str, str]) -> str:
    me = await hall.request("GET", "/auth/me", headers=tab)
    return me.get("person", "")


async def test_the_tabs_of_a_demo_are_different_people(open_a_site):
    site: Site = await open_a_site(demo=True)
    async with site.visitor() as browser:
        names = ["bidder-a", "host", "trustee"]
        tabs = [await tab_of(browser, name) for name in names]
        assert [await whoami(browser, tab) for tab in tabs] == names
        await browser.request("POST", "/auth/logout", headers=tabs[1])
        assert [await whoami(browser, tab) for tab in (tabs[0], tabs[2])] == ["bidder-a", "trustee"]


async def test_a_tab_that_logs_in_again_has_one_session(open_a_site):
    site: Site = await open_a_site(demo=True)
    ended: list[bytes] = []
    site.front.sessions.on_end.append(ended.append)
    async with site.visitor() as browser:
        tab = await tab_of(browser, "host")
        browser.session.headers.update(tab)
        again = await tab_of(browser, "host")
        assert len(ended) == 1
        assert await whoami(browser, again) == "host"


async def test_outside_a_demo_a_session_is_never_told_and_never_taken_from_a_header(site: Site):
    async with site.visitor() as browser, site.visitor() as other:
        assert await tab_of(browser, "host") == {}
        cookie = next(iter(browser.session.cookie_jar)).value
        assert await whoami(browser, {}) == "host"
        assert await whoami(other, {SESSION_HEADER: cookie}) == ""
