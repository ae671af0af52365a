"""Whoever comes as an encoder (恶意编码器): WHIP thrown at by hypothesis, through the whole site.

Orders, repeats, tokens, types, preconditions and texts of every kind. A model beside it knows whose
token may do what; the site grants no more, whatever was asked before.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import example, given
from hypothesis import strategies as st

from media.sdp import SDP_BYTES_MAX
from server.config import ComingCamera
from server.http import live_gate
from server.http.client import HallRefused
from server.http.settings import Rate
from server.live.whip import FRAGMENT, FRAGMENT_BYTES_MAX, SDP
from tests.live.hostile_lab import (
    Answer,
    Attacked,
    Knocker,
    attacked_site,
    examples,
    undisturbed,
)
from tests.live.live_lab import ROOM, live_site
from tests.media.whip_offers import H265_ONLY, OBS, OFFERS

pytestmark = pytest.mark.asyncio(loop_scope="module")

TOKENS = {"obs": "an encoder's token, long enough", "box": "another encoder's, long enough"}
PATTERNS = {"obs": "opening:*", "box": ROOM}
WHIP = [ComingCamera(room=PATTERNS[name], name=name, token=one) for name, one in TOKENS.items()]
RESTART = f"a=ice-ufrag:secondOne\r\na=ice-pwd:{'p' * 24}\r\na=end-of-candidates\r\n"
CANDIDATES = "m=video 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\na=end-of-candidates\r\n"
DONE = {200, 201, 204}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def attacked(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Attacked]:
    async with attacked_site(tmp_path_factory.mktemp("whip"), whip=WHIP) as found:
        yield found


# ---- what is thrown

line_ends = st.sampled_from(["\r\n", "\n", "\r", "\r\n\r\n"])
anything = st.text(st.characters(codec="utf-8"), max_size=200)


@st.composite
def bent(draw: st.DrawFn, text: str) -> str:
    """A good text with lines that are left out, said twice, moved, or overwritten."""
    lines = text.splitlines()
    for act in draw(st.lists(st.sampled_from("xdmwpn"), max_size=4)):
        at, to = draw(st.integers(0, len(lines))), draw(st.integers(0, len(lines)))
        one = lines[at : at + 1]
        if act == "x":
            del lines[at : at + draw(st.integers(1, 9))]
        elif act == "d":
            lines[to:to] = one * draw(st.sampled_from([1, 40, 400]))
        elif act == "m":
            lines[to:to], lines[at : at + 1] = one, []
        elif act == "w" and one:
            lines[at] = one[0].partition(":")[0] + ":" + draw(anything)
        elif act == "p" and one:
            cut = draw(st.integers(0, len(one[0])))
            lines[at] = one[0][:cut] + draw(anything) + one[0][cut + 1 :]
        elif act == "n" and one:
            number = draw(st.sampled_from(["0", "-1", "65536", "9" * 30, "0x1", "٣"]))
            lines[at] = "".join(number if c.isdigit() else c for c in one[0])
    return draw(line_ends).join(lines) + "\r\n"


offers = st.sampled_from(sorted(OFFERS)).flatmap(lambda name: bent(OFFERS[name]))
fragments = st.one_of(bent(RESTART + CANDIDATES), bent(CANDIDATES))
bodies = st.one_of(
    offers.map(str.encode),
    offers.map(str.encode),
    fragments.map(str.encode),
    fragments.map(str.encode),
    st.binary(max_size=300),
    st.sampled_from([b"", OBS.encode(), RESTART.encode(), OBS.encode("utf-16")]),
    st.sampled_from([b"m=" + b"x" * SDP_BYTES_MAX, b"a=\n" * 400, b"a=x" * FRAGMENT_BYTES_MAX]),
)
plain = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=60)
authorizations = st.one_of(
    st.sampled_from([f"Bearer {one}" for one in TOKENS.values()] * 4),
    st.sampled_from(
        [
            "", "Bearer", "Bearer ", "Bearer x", f"Basic {TOKENS['obs']}", TOKENS["obs"],
            f"bearer  {TOKENS['obs']} ", f"Bearer {TOKENS['obs']}x", f"Bearer {TOKENS['obs'][:-1]}",
            f"Bearer {TOKENS['obs']}, Bearer {TOKENS['box']}", "Bearer " + "x" * 5000,
        ]
    ),
    plain,
)  # fmt: skip
types = st.one_of(
    st.sampled_from([SDP, SDP, FRAGMENT, FRAGMENT]),
    st.sampled_from(
        [
            "",
            "text/plain",
            f"{SDP}; charset=utf-16",
            f"{SDP};charset=x-nothing",
            f"{SDP}x",
            "/",
            ";",
        ]
    ),
)
rooms = st.sampled_from(
    [
        *[ROOM] * 8, "opening:none", "evaluation:none", "registry", f"{ROOM}%00", f"{ROOM}/..",
        ROOM.upper(), ROOM.replace(":", "%3A"), f"{ROOM}%2fwhip", "opening:" + "a" * 65, "..", "",
    ]
)  # fmt: skip
# The tags and sessions that have been given are written in when they are known.
tags = st.one_of(
    st.sampled_from(["", "*", "NEW", "OLD", "NEW", 'W/NEW, "x"', "OLD,NEW", '"*"', "NEW" * 40]),
    plain,
)
sessions = st.sampled_from(["new", "new", "new", "old", "f" * 32, "F" * 32, "..", "", "a" * 31])


@dataclass(frozen=True)
class Step:
    """One request; ``session``: empty where there is none to be named."""

    method: str
    authorization: str = f"Bearer {TOKENS['obs']}"
    kind: str = SDP
    body: bytes = OBS.encode()
    session: str = ""
    tag: str = ""
    room: str = ROOM
    more: dict[str, str] = field(default_factory=dict)
    chunked: bool = False


more = st.dictionaries(
    st.sampled_from(["Origin", "Content-Encoding", "Expect", "Cookie", "Range", "X-HTTP-Method"]),
    st.sampled_from(["https://evil.example", "null", "gzip", "identity", "100-continue", "sid=x"]),
    max_size=1,
)
publishing = st.builds(
    Step, st.just("POST"), authorizations, types, bodies, room=rooms, more=more,
    chunked=st.booleans(),
)  # fmt: skip
later = st.builds(
    Step, st.sampled_from(["PATCH", "PATCH", "DELETE", "OPTIONS", "GET", "PUT", "HEAD", "POST"]),
    authorizations, types, bodies, sessions, tags, rooms, more, st.booleans(),
)  # fmt: skip
GOOD = Step("POST")
CHANGE = Step("PATCH", kind=FRAGMENT, body=RESTART.encode(), session="new", tag="*")
OTHERS = f"Bearer {TOKENS['box']}"
GONE = Step("DELETE", session="new")


class Model:
    """Which sessions there are, and what has been seen."""

    def __init__(self, knocker: Knocker) -> None:
        self.knocker = knocker
        self.sessions: dict[str, tuple[str, str]] = {}  # of a camera: address, tag
        self.given: list[tuple[str, str]] = []  # all that ever were, the newest last
        self.seen: set[tuple[str, int]] = set()
        self.codes: set[str] = set()

    def throw(self, step: Step) -> None:
        path, tag = self._path(step), self._tag(step)
        headers = {"Authorization": step.authorization, "Content-Type": step.kind} | step.more
        if tag:
            headers["If-Match"] = tag
        answer = self.knocker.ask(step.method, path, headers, step.body, chunked=step.chunked)
        answer.check()
        self.seen.add((step.method, answer.status))
        self.codes.add(answer.code)
        if answer.status in DONE and step.method in ("POST", "PATCH", "DELETE"):
            self._granted(step, path, tag, answer)

    def _path(self, step: Step) -> str:
        path = f"/media/{step.room}/whip"
        named = {"new": -1, "old": 0}
        if step.session in named and self.given:
            address = self.given[named[step.session]][0]
            return f"{path}/{address.rsplit('/', 1)[-1]}"
        return f"{path}/{step.session}" if step.session else path

    def _tag(self, step: Step) -> str:
        new, old = (self.given[-1][1], self.given[0][1]) if self.given else ('"none"', '"none"')
        return step.tag.replace("NEW", new).replace("OLD", old)[:4000]

    def _granted(self, step: Step, path: str, tag: str, answer: Answer) -> None:
        """Only to the camera whose token was shown, and what is its own."""
        scheme, _, token = step.authorization.partition(" ")
        (camera,) = [name for name, one in TOKENS.items() if one == token.strip()]
        assert scheme.lower() == "bearer"
        if step.method == "POST":
            assert step.kind.startswith(SDP)
            address = answer.headers["location"]
            assert address.startswith(f"/media/{ROOM}/whip/")
            self.sessions[camera] = (address, answer.headers["etag"])
            self.given.append(self.sessions[camera])
            return
        address, present = self.sessions[camera]
        assert path == address
        if step.method == "DELETE":
            del self.sessions[camera]
        elif answer.status == 200:
            assert tag.strip() == "*"
            assert answer.headers["etag"] != present
            self.sessions[camera] = (address, answer.headers["etag"])
            self.given.append(self.sessions[camera])
        else:
            assert present in tag


async def test_whatever_an_encoder_does_it_gets_no_more_than_its_own(attacked: Attacked) -> None:
    async with undisturbed(attacked):
        model = Model(attacked.knocker())

        @examples(150)
        @given(st.lists(st.one_of(publishing, later), min_size=1, max_size=6))
        @example([GOOD, CHANGE, Step("PATCH", kind=FRAGMENT, body=CANDIDATES.encode(),
                                     session="new", tag="NEW")])  # fmt: skip
        @example([GOOD, GOOD, Step("DELETE", session="old"), GONE, GONE])
        @example([GOOD, Step("DELETE", OTHERS, session="new"),
                  Step("PATCH", OTHERS, FRAGMENT, RESTART.encode(), "new", "*")])  # fmt: skip
        @example([Step("POST", "Bearer x"), Step("DELETE", "", session="new")])
        @example([Step("POST", kind="text/plain"), Step("POST", body=b"m=" + b"x" * SDP_BYTES_MAX)])
        @example([Step("POST", body=H265_ONLY.encode()), Step("POST", body=b"hello")])
        @example([GOOD, Step("PATCH", kind=FRAGMENT, body=b"a=x", session="new"),
                  Step("PATCH", kind=FRAGMENT, body=b"a=x", session="new", tag='"x"'),
                  Step("PATCH", kind=FRAGMENT, body=b"a=x", session="new", tag="*")])  # fmt: skip
        @example([Step("OPTIONS", ""), Step("OPTIONS", "", session="f" * 32)])
        def throw(steps: list[Step]) -> None:
            for step in steps:
                model.throw(step)

        await asyncio.to_thread(throw)
        assert model.seen >= {
            ("POST", 201), ("POST", 401), ("POST", 413), ("POST", 415), ("POST", 422),
            ("PATCH", 200), ("PATCH", 204), ("PATCH", 404), ("PATCH", 412), ("PATCH", 422),
            ("PATCH", 428), ("DELETE", 200), ("DELETE", 401), ("DELETE", 404), ("OPTIONS", 204),
        }  # fmt: skip
        assert "server.trouble" not in model.codes
        for _ in range(100):  # the same again and again: one camera, one connection
            await asyncio.to_thread(model.throw, GOOD)
        for camera, (address, _) in list(model.sessions.items()):
            headers = {"Authorization": f"Bearer {TOKENS[camera]}"}
            answer = await asyncio.to_thread(model.knocker.ask, "DELETE", address, headers)
            assert answer.status == 200
        model.knocker.close()


async def test_encoders_that_hang_up_in_the_middle_leave_nothing(attacked: Attacked) -> None:
    async with undisturbed(attacked):
        knocker = attacked.knocker()
        right = {"Authorization": f"Bearer {TOKENS['obs']}", "Content-Type": SDP}

        @examples(60)
        @given(st.sampled_from(["POST", "PATCH", "DELETE"]), bodies, st.booleans())
        def throw(method: str, body: bytes, knows_the_token: bool) -> None:
            headers = right if knows_the_token else {"Content-Type": SDP}
            knocker.hang_up(method, f"/media/{ROOM}/whip", headers, body)

        await asyncio.to_thread(throw)


async def test_guesses_are_bounded_and_cost_nobody_behind_the_same_address_anything(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not a bidder's unlock card, and not the encoder that knows its token."""
    monkeypatch.setattr(live_gate, "GUESS_RATE", Rate(5, 1))
    async with live_site(tmp_path, whip=WHIP) as live:
        await live.is_up()
        knocker = Knocker(live.base)

        def guess() -> list[str]:
            wrong = {"Authorization": "Bearer a guess of somebody", "Content-Type": SDP}
            return [knocker.ask("POST", f"/media/{ROOM}/whip", wrong).check().code for _ in "x" * 9]

        codes = await asyncio.to_thread(guess)
        assert codes == ["whip.token"] * 5 + ["media.too_often"] * 4
        right = {"Authorization": f"Bearer {TOKENS['obs']}", "Content-Type": SDP}
        path = f"/media/{ROOM}/whip"
        answer = await asyncio.to_thread(knocker.ask, "POST", path, right, OBS.encode())
        assert answer.status == 201
        guest = await live.guest(None)
        with pytest.raises(HallRefused) as refused:
            await guest.http.command(ROOM, "unlock_card", {})
        assert refused.value.code != "unlock.rate"
        knocker.close()
