"""The door: hosts, origins, methods, bodies. Each hostile request has its stable code."""

import asyncio
import json
import logging

import aiohttp
import pytest

from crypto.keys import SigningKey
from server.http.client import HallHttp
from server.http.settings import Limits
from tests.http.site import Site, lines, raw_answer, refused
from tests.http.small_hall import PEOPLE, TENDER

COMMANDS = f"/rooms/opening:{TENDER}/commands"
SIGN_IN = {"cmd_id": "c" * 8, "op": "sign_in"}
PROMISED = {
    "content-security-policy",
    "x-content-type-options",
    "x-frame-options",
    "referrer-policy",
    "permissions-policy",
    "cross-origin-opener-policy",
    "cross-origin-resource-policy",
    "cache-control",
}


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "127.0.0.1:1", ""])
async def test_a_host_that_is_not_ours_is_refused(site: Site, host: str):
    request = f"GET /tenders HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode()
    status, _, body = await raw_answer(site.port, request)
    assert (status, json.loads(body)["code"]) == (421, "host.unknown")


async def test_a_further_host_is_ours_when_it_is_configured(open_a_site):
    site: Site = await open_a_site(hosts=frozenset({"inner.example"}))
    request = b"GET /tenders HTTP/1.1\r\nHost: Inner.Example\r\nConnection: close\r\n\r\n"
    assert (await raw_answer(site.port, request))[0] == 200


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "null", "", "http://127.0.0.1", "http://127.0.0.1:1", "HTTP://X"],
)
async def test_a_foreign_page_changes_nothing(site: Site, origin: str):
    async with site.person("bidder-a") as hall:
        hall.session.headers["Origin"] = origin
        error = await refused("origin.foreign", hall.ticket())
        assert error.status == 403
        await refused("origin.foreign", hall.request("POST", COMMANDS, json=SIGN_IN))
        await refused("origin.foreign", hall.uploads.create(TENDER, b"\0" * 160, 1))
    assert site.hall.rooms[f"opening:{TENDER}"].asked == []


async def test_a_session_without_an_origin_changes_nothing(site: Site):
    async with site.person("bidder-a") as hall:
        del hall.session.headers["Origin"]
        await refused("origin.missing", hall.ticket())
        assert (await hall.me())["person"] == "bidder-a"


async def test_a_program_without_session_and_origin_may_ask(site: Site):
    async with aiohttp.ClientSession() as client:
        asked = {"public": SigningKey(b"\1" * 32).public.hex()}
        async with client.post(f"{site.url}/auth/challenge", json=asked) as response:
            assert response.status == 200


async def test_a_browser_that_says_cross_site_is_believed(site: Site):
    async with site.person("bidder-a") as hall:
        for said in ("cross-site", "same-site"):
            headers = {"Sec-Fetch-Site": said}
            asked = hall.request("POST", "/auth/ticket", headers=headers)
            await refused("origin.foreign", asked)


async def test_no_answer_invites_another_origin_to_read_it(site: Site):
    async with site.visitor() as hall:
        headers = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
        for method, path in (("OPTIONS", COMMANDS), ("OPTIONS", "/uploads"), ("GET", "/tenders")):
            async with hall.session.request(method, path, headers=headers) as response:
                assert not [n for n in response.headers if n.lower().startswith("access-control")]


UNKNOWN = [
    ("GET", "/nothing", 404, "route.unknown"),
    ("GET", "/hall/UPPER", 404, "route.unknown"),
    ("GET", "/tenders/UPPER/mine", 404, "route.unknown"),
    ("GET", "/tenders/" + "a" * 65 + "/manifest.json", 404, "route.unknown"),
    ("GET", "/rooms/nowhere:x/events", 404, "route.unknown"),
    ("GET", "/uploads/" + "g" * 32, 404, "route.unknown"),
    ("GET", "/metrics", 404, "route.unknown"),
    ("GET", "/readyz", 404, "route.unknown"),
    ("GET", "/demo/people.json", 404, "route.unknown"),
    ("DELETE", "/tenders", 405, "route.method"),
    ("PUT", "/auth/login", 405, "route.method"),
    ("GET", "/auth/login", 404, "route.unknown"),
    ("OPTIONS", "/tenders", 405, "route.method"),
    ("TRACE", "/tenders", 405, "route.method"),
    ("HEAD", f"/rooms/opening:{TENDER}/events", 404, "route.unknown"),
]


@pytest.mark.parametrize(("method", "path", "status", "code"), UNKNOWN)
async def test_what_is_not_in_the_table_is_refused(
    site: Site, method: str, path: str, status: int, code: str
):
    async with site.visitor() as hall, hall.session.request(method, path) as response:
        assert response.status == status
        assert response.headers["X-Refusal"] == code
        assert status != 405 or response.headers["Allow"]
        if method != "HEAD":
            assert await response.json() == {"code": code, "retryable": False, "detail": {}}


async def test_head_is_get_without_a_body(site: Site):
    path = f"/tenders/{TENDER}/manifest.json"
    async with site.visitor() as hall, hall.session.head(path) as response:
        assert response.status == 200
        assert response.headers["Content-Length"] == "7"
        assert await response.read() == b""


CLIMBS = [
    "/../../../../etc/passwd",
    "/assets/../../secret.txt",
    "/%2e%2e/secret.txt",
    "/..%2fsecret.txt",
    "/assets/..%5c..%5csecret.txt",
    "//etc/passwd",
    "/secret.txt%00.js",
    "/./secret.txt",
    "/.hidden",
    "/link.txt",
]


@pytest.mark.parametrize("path", CLIMBS)
async def test_no_path_climbs_out_of_the_pages(open_a_site, tmp_path, path: str):
    pages = tmp_path / "dist"
    (pages / "assets").mkdir(parents=True)
    (pages / "index.html").write_text("<!doctype html>")
    (pages / ".hidden").write_text("hidden")
    (tmp_path / "secret.txt").write_text("secret")
    (pages / "link.txt").symlink_to(tmp_path / "secret.txt")
    site: Site = await open_a_site(pages=pages)
    status, _, body = await raw_answer(site.port, lines(site, f"GET {path} HTTP/1.1"))
    assert (status, json.loads(body)["code"]) == (404, "route.unknown")


async def test_a_line_that_never_finishes_its_headers_is_closed(open_a_site):
    site: Site = await open_a_site(limits=Limits(keepalive_s=0.2))
    reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
    writer.write(b"GET /tenders HTTP/1.1\r\nHost: x\r\nA: ")
    async with asyncio.timeout(10):
        assert await reader.read() == b""
    writer.close()


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"b" * 20_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 500 + b"\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
    ids=["long line", "long header", "many headers", "two lengths", "TLS"],
)
async def test_what_is_no_request_is_answered_and_closed(site: Site, request_bytes: bytes):
    status, _, _ = await raw_answer(site.port, request_bytes)
    assert status == 400


async def test_every_answer_carries_the_security_headers(open_a_site, tmp_path):
    pages = tmp_path / "dist"
    pages.mkdir()
    (pages / "index.html").write_text("<!doctype html>")
    (tmp_path / "opening.zip").write_bytes(b"PK")
    site: Site = await open_a_site(pages=pages, ws_port=8081)
    asks = [
        ("GET", "/", 200),
        ("GET", "/tenders", 200),
        ("GET", f"/openings/{TENDER}/opening.zip", 200),
        ("GET", "/nothing", 404),
        ("DELETE", "/tenders", 405),
        ("POST", "/auth/ticket", 401),
        ("POST", "/auth/logout", 204),
        ("HEAD", "/uploads/" + "0" * 32, 401),
    ]
    async with site.visitor() as hall:
        for method, path, status in asks:
            async with hall.session.request(method, path) as response:
                assert response.status == status
                assert {n.lower() for n in response.headers} >= PROMISED, (method, path)
                policy = response.headers["Content-Security-Policy"]
                assert "connect-src 'self' ws://127.0.0.1:8081;" in policy
                assert "script-src 'self' 'wasm-unsafe-eval';" in policy
                assert "frame-ancestors 'none'" in policy
                assert "aiohttp" not in response.headers["Server"].lower()


async def test_our_mistake_is_told_without_a_trace(site: Site, caplog):
    site.hall.broken = True
    with caplog.at_level(logging.ERROR, "kaibiao.http"):
        async with site.visitor() as hall:
            error = await refused("server.trouble", hall.tenders())
    assert (error.status, error.retryable, error.detail) == (500, True, {})
    assert [r.getMessage() for r in caplog.records] == ["http.trouble route=/tenders"]


async def test_who_may_come_in_is_asked_at_the_door(site: Site):
    asks = [
        ("bidder-a", f"/openings/{TENDER}/envelopes", "auth.role"),
        ("bidder-a", f"/openings/{TENDER}/halves", "auth.role"),
        ("host", f"/tenders/{TENDER}/mine", "auth.role"),
    ]
    for name, path, code in asks:
        async with site.person(name) as hall, site.visitor() as nobody:
            await refused(code, hall.get(path))
            await refused("auth.required", nobody.get(path))


async def test_addresses_behind_our_proxy_are_counted_one_by_one(open_a_site):
    limits = Limits(challenges_per_address_max=1)
    site: Site = await open_a_site(limits=limits, proxies=frozenset({"127.0.0.1"}))
    asked = {"public": PEOPLE["host"][0].public.hex()}
    async with site.visitor() as hall:

        async def ask(forwarded: str) -> None:
            headers = {"X-Forwarded-For": forwarded}
            await hall.request("POST", "/auth/challenge", json=asked, headers=headers)

        await ask("198.51.100.1")
        await ask("203.0.113.7, 198.51.100.2")
        await refused("auth.too_many", ask("192.0.2.99, 198.51.100.1"))


async def test_an_address_that_is_claimed_without_a_proxy_is_not_believed(open_a_site):
    site: Site = await open_a_site(limits=Limits(challenges_per_address_max=1))
    async with site.visitor() as hall:
        await login_from(hall, "198.51.100.1")
        await refused("auth.too_many", login_from(hall, "198.51.100.2"))


async def login_from(hall: HallHttp, forwarded: str) -> None:
    asked = {"public": PEOPLE["host"][0].public.hex()}
    headers = {"X-Forwarded-For": forwarded}
    await hall.request("POST", "/auth/challenge", json=asked, headers=headers)
