"""Whatever is asked of a room's video (恶意请求): its routes, thrown at by hypothesis.

By the public, by a bidder of elsewhere, by one who takes part and may not speak, and by the host,
who may nearly everything: what he writes goes through to the media process.
"""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import example, given
from hypothesis import strategies as st

from media.sdp import SDP_BYTES_MAX
from server.http.client import HallHttp
from tests.domain.cast import HOST, Bidder
from tests.live.hostile_lab import Attacked, Knocker, attacked_site, examples, undisturbed
from tests.live.live_lab import ROOM, STRANGER, key_of
from tests.live.test_hostile_whip import bent
from tests.media.descriptions import camera, microphone, offer, viewer_answer

pytestmark = pytest.mark.asyncio(loop_scope="module")

BIDDER = Bidder(1).actor
OFFER = offer(camera(), microphone())
LABELS = {"0": "camera", "1": "microphone"}
CANARY = "a recording that is nobody's business"
FILE = f"/media/{ROOM}/recording/host.mp4"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def attacked(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Attacked]:
    """With one recorded file, that the host alone of these people may see."""
    data = tmp_path_factory.mktemp("routes")
    folder = data / "playable" / ROOM.replace(":", "-")
    folder.mkdir(parents=True)
    (folder / "host.mp4").write_text(CANARY)
    (folder.parent / "host.mp4").write_text(CANARY)
    about = {"name": "host.mp4", "member": "host", "mime": "video/mp4", "sha256": "0" * 64}
    (folder / "index.json").write_text(json.dumps({"files": [about]}))
    async with attacked_site(data) as found:
        yield found


# ---- who asks


@dataclass
class Crowd:
    """Their cookies. A told stream is opened and left open; whoever goes may come again."""

    knocker: Knocker
    cookies: dict[str, str] = field(default_factory=dict)
    told: dict[str, socket.socket] = field(default_factory=dict)
    seen: set[tuple[str, str, int]] = field(default_factory=set)
    codes: set[str] = field(default_factory=set)

    def headers(self, who: str) -> dict[str, str]:
        mine = {"Cookie": self.cookies[who]} if who in self.cookies else {}
        return {"Origin": self.knocker.origin, "Content-Type": "application/json"} | mine

    def come_in(self, who: str, tab: str = "") -> None:
        """As a page does; what is told is left unread."""
        if who in self.told:
            self.told.pop(who).close()
        host, _, port = self.knocker.host.partition(":")
        sock = self.told[who] = socket.create_connection((host, int(port)), 30)
        lines = [f"GET /media/{ROOM}/told?tab={tab} HTTP/1.1", f"Host: {self.knocker.host}"]
        lines.append(f"Cookie: {self.cookies[who]}")
        sock.sendall("\r\n".join([*lines, "", ""]).encode())
        assert b" 200 " in sock.recv(65536).partition(b"\r\n")[0]

    def close(self) -> None:
        for sock in self.told.values():
            sock.close()
        self.knocker.close()


@asynccontextmanager
async def crowd_of(attacked: Attacked) -> AsyncIterator[Crowd]:
    found = Crowd(attacked.knocker())
    for name, actor in (("host", HOST), ("bidder", BIDDER), ("stranger", STRANGER.actor)):
        async with HallHttp(attacked.live.base) as http:
            await http.login(key_of(actor))
            jar = http.session.cookie_jar
            found.cookies[name] = "; ".join(f"{one.key}={one.value}" for one in jar)
    try:
        yield found
    finally:
        found.close()


# ---- what is asked

scalars = st.one_of(
    st.none(), st.booleans(), st.integers(-(1 << 70), 1 << 70), st.floats(), st.text(max_size=20)
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=8,
)
numbers = st.one_of(
    st.integers(-2, 9).map(str),
    st.sampled_from(["9" * 16, "9" * 15, "1" * 17, "٣", "1e3", "0x1", "", "1" * 4000]),
)
offers = st.one_of(
    bent(OFFER), bent(OFFER), st.text(max_size=50), st.just("v" * (SDP_BYTES_MAX + 1))
)
mids = st.one_of(st.sampled_from(["0", "1", "2", "", "x" * 64, "x" * 65, "\0", "🎥"]), st.text())
labels = st.one_of(
    st.just(LABELS),
    st.dictionaries(
        mids, st.sampled_from(["camera", "microphone", "screen", "screen_sound", "stage", ""])
    ),
)
reach = st.one_of(
    st.none(),
    st.fixed_dictionaries({"kind": st.sampled_from(["all", "venue", "seat", ""]), "id": st.text()}),
    values,
)
bodies: dict[str, st.SearchStrategy[Any]] = {
    "publish": st.fixed_dictionaries({"offer": offers, "labels": labels}, optional={"to": reach}),
    "watch": st.fixed_dictionaries(
        {"wanted": st.dictionaries(numbers, st.integers(-1, 9000))},
        optional={"anew": st.booleans(), "restart": st.booleans()},
    ),
    "answer": st.fixed_dictionaries({"answer": offers}),
    "own": st.fixed_dictionaries({"track": st.integers(-1, 1 << 60), "muted": st.booleans()}),
    "leave": st.just({}),
    "recording": st.fixed_dictionaries({"make": st.sampled_from(["", "none", "mp4", "../all"])}),
}
routes = st.sampled_from(["publish", "publish", "watch", "watch", "answer", "own", "leave",
                          "recording"])  # fmt: skip
rooms = st.sampled_from([*[ROOM] * 9, "opening:none", "evaluation:none", "registry", "opening:..",
                         f"{ROOM}%00", ROOM.upper(), "..%2f..", ""])  # fmt: skip
people = st.sampled_from(["host", "host", "bidder", "stranger", "public"])


@dataclass(frozen=True)
class Asked:
    """``None`` for ``value``: ``raw`` as it is."""

    who: str
    route: str
    value: Any
    raw: bytes = b""
    room: str = ROOM
    more: dict[str, str] = field(default_factory=dict)
    tab: Any = None

    def body(self) -> bytes:
        if self.value is None:
            return self.raw
        tab = {"tab": self.tab} if self.tab is not None else {}
        value = self.value | tab if isinstance(self.value, dict) else self.value
        return json.dumps(value).encode("utf-8", "surrogatepass")


@st.composite
def asked(draw: st.DrawFn) -> Asked:
    route = draw(routes)
    value = draw(st.one_of(bodies[route], bodies[route], bodies[route], values, st.none()))
    raw = draw(st.one_of(st.binary(max_size=60), st.sampled_from([b"[" * 5000, b"{" * 200_000])))
    more = draw(
        st.dictionaries(
            st.sampled_from(["Origin", "Content-Type", "Cookie", "Sec-Fetch-Site", "Accept"]),
            st.sampled_from(["null", "https://evil.example", "text/plain", "sid=x", "cross-site",
                             "application/msgpack"]),
            max_size=1,
        )
    )  # fmt: skip
    tab = draw(st.sampled_from([None, None, None, "", "other", "x" * 65, 7]))
    return Asked(draw(people), route, value, raw, draw(rooms), more, tab)


def throw_at(crowd: Crowd, one: Asked) -> None:
    headers = crowd.headers(one.who) | one.more
    path = f"/media/{one.room}/{one.route}"
    answer = crowd.knocker.ask("POST", path, headers, one.body()).check()
    crowd.seen.add((one.who, one.route, answer.status))
    crowd.codes.add(answer.code)
    if answer.status >= 400:
        return
    assert one.room == ROOM
    assert one.who in ("host", "bidder")
    assert one.who == "host" or one.route in ("watch", "leave", "answer")
    if one.route == "leave":
        crowd.come_in(one.who)


async def test_whatever_people_ask_they_get_no_more_than_they_may(attacked: Attacked) -> None:
    async with undisturbed(attacked) as live, crowd_of(attacked) as crowd:

        @examples(250)
        @given(asked())
        @example(Asked("host", "publish", {"offer": OFFER, "labels": LABELS}))
        @example(Asked("host", "publish", {"offer": OFFER, "labels": LABELS}, tab="other"))
        @example(Asked("host", "watch", {"wanted": {}}))
        @example(Asked("host", "watch", {"wanted": {"9" * 16: 720}}))
        @example(Asked("host", "own", {"track": 1 << 52, "muted": True}))
        @example(Asked("host", "answer", {"answer": viewer_answer(OFFER, ufrag="abcd")}))
        @example(Asked("host", "leave", {}))
        @example(Asked("bidder", "publish", {"offer": OFFER, "labels": LABELS}))
        @example(Asked("bidder", "leave", {}))
        @example(Asked("stranger", "publish", {"offer": OFFER, "labels": LABELS}))
        @example(Asked("public", "publish", {"offer": OFFER, "labels": LABELS}))
        @example(Asked("bidder", "recording", {"make": "all"}))
        def throw(one: Asked) -> None:
            throw_at(crowd, one)

        def all_of_it() -> None:
            crowd.come_in("host")
            crowd.come_in("bidder")
            throw()

        await asyncio.to_thread(all_of_it)
        assert crowd.seen >= {
            ("host", "publish", 200), ("host", "publish", 409), ("host", "watch", 200),
            ("host", "watch", 404), ("host", "own", 403), ("host", "leave", 200),
            ("bidder", "publish", 403), ("bidder", "leave", 200), ("stranger", "publish", 409),
            ("public", "publish", 401), ("bidder", "recording", 403),
        }  # fmt: skip
        live.leave_nobody()


# ---- what is read

doors = st.sampled_from(["door", "told", "recording.json", "recording/host.mp4", "live",
                         "hls/x/index.m3u8"])  # fmt: skip
printed = st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="?#")
tricks = st.one_of(
    st.sampled_from(
        [
            "recording/..", "recording/%2e%2e%2fhost.mp4", "recording/..%2f..%2fetc%2fpasswd",
            "recording/../../host.mp4", "recording/host.mp4%00", "recording/HOST.MP4",
            "recording//host.mp4", "recording/index.json", "recording/.index.json", "door/..",
            "told/", "../../../etc/passwd", "recording/host.mp4;x", "recording/" + "a" * 3000,
            "recording/host.mp4%0d%0aX:y", "%2e%2e/%2e%2e/recordings", "door%3f", "recording/con",
        ]
    ),
    st.text(printed),
)  # fmt: skip
queries = st.one_of(
    st.just(""),
    st.text(printed, max_size=60),
    st.sampled_from(["token=", "token=1.0", "tab=..", "tab=" + "x" * 65, "tab=%00", "token=" + "9"
                     * 15 + "." + "0" * 32, "token=" + "٣" * 13, "tab=a&tab=b"]),
)  # fmt: skip
ranges = st.one_of(
    st.sampled_from(["bytes=0-", "bytes=5-2", "bytes=-1", "bytes=0-0,2-3", "bytes=99999-", "x",
                     "bytes=" + "0-1," * 500, "bytes=-" + "9" * 40, "bytes=٣-٤"]),
    st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=30),
)  # fmt: skip
conditions = st.dictionaries(st.sampled_from(["Range", "If-Range", "If-None-Match"]), ranges)
FORGED = "token=" + "9" * 15 + "." + "0" * 32
methods = st.sampled_from(["GET", "GET", "GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH"])


async def test_nothing_is_read_by_whom_it_is_not_for_by_whatever_path(attacked: Attacked) -> None:
    async with undisturbed(attacked), crowd_of(attacked) as crowd:
        knocker = crowd.knocker

        def ask(who: str, method: str, path: str, query: str, more: dict[str, str]) -> None:
            told = path.partition("?")[0].endswith("/told")
            if told and who in ("host", "bidder") and method == "GET":
                return  # lasts: see the test of told streams
            question = f"?{query}" if query else ""
            headers = crowd.headers(who) | more
            answer = knocker.ask(method, path + question, headers).check()
            crowd.seen.add((who, path.rsplit("/", 1)[-1], answer.status))
            if who != "host":
                assert CANARY.encode() not in answer.body
                assert answer.status in (204, 400, *range(401, 500)) or path.endswith("/door")
            if CANARY.encode() in answer.body:
                assert path == FILE
            assert b"root:" not in answer.body

        @examples(200)
        @given(people, methods, rooms, st.one_of(doors, tricks), queries, conditions)
        @example("host", "GET", ROOM, "recording/host.mp4", "", {})
        @example("host", "GET", ROOM, "recording/host.mp4", "", {"Range": "bytes=99999-"})
        @example("host", "GET", ROOM, "recording/host.mp4", "", {"Range": "bytes=1-4"})
        @example(
            "public", "GET", ROOM, "recording/host.mp4", "token=" + "9" * 15 + "." + "0" * 32, {}
        )
        @example("public", "GET", ROOM, "told", "", {})
        @example("public", "GET", ROOM, "door", "", {})
        @example("bidder", "GET", ROOM, "recording.json", "", {})
        def throw(
            who: str, method: str, room: str, end: str, query: str, more: dict[str, str]
        ) -> None:
            ask(who, method, f"/media/{room}/{end}", query, more)

        await asyncio.to_thread(throw)
        assert crowd.seen >= {
            ("host", "host.mp4", 200), ("host", "host.mp4", 206), ("host", "host.mp4", 416),
            ("public", "host.mp4", 403), ("public", "told", 401), ("public", "door", 200),
            ("bidder", "recording.json", 403),
        }  # fmt: skip


async def test_told_streams_that_come_and_go_leave_nobody(attacked: Attacked) -> None:
    """Page after page, with and without a goodbye; in the end one stream of each person at most."""
    async with undisturbed(attacked) as live, crowd_of(attacked) as crowd:

        @examples(100)
        @given(st.sampled_from(["host", "bidder"]), st.text("ab_-", max_size=3), st.booleans())
        def throw(who: str, tab: str, leaves: bool) -> None:
            crowd.come_in(who, tab)
            if leaves:
                headers = crowd.headers(who)
                answer = crowd.knocker.ask("POST", f"/media/{ROOM}/leave", headers, b"{}")
                assert answer.check().status == 200
                crowd.told.pop(who).close()

        await asyncio.to_thread(throw)
        assert live.video.desk.counted()[0] <= 2
        live.leave_nobody()
