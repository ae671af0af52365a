"""Whoever asks for fragments (恶意观众): tokens, numbers, names and frames, by hypothesis.

The listener as shipped over a real socket, and a room with pictures. Shown each time: who has no
token of this room gets nothing but a code; who has one gets this room's own segments and no more;
whatever a viewer says ends his socket and leaves no viewer behind.
"""

import asyncio
import logging
import socket
import struct
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from media.fragments.room import RoomStream
from server.http.fragments import STATUS
from server.http.live_listener import listen_fragments
from server.live.tokens import TOKEN_MS, Admitted, Gate, make_token, new_secret, read_token
from tests.live.hostile_lab import OF_HTTP, Knocker, Troubles
from tests.media.fragments.site import Site, looped, play
from tests.media.recording.traces import H264, OPUS

pytestmark = pytest.mark.asyncio(loop_scope="module")

ROOM, OTHER = "opening:x", "opening:y"
ORIGIN = "http://hall.example"
PATIENCE_S = 60
NO_ADDRESS = {400, 404, 405}  # the library's own, of an address that is none
many = settings(
    max_examples=200, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)


def now_ms() -> int:
    return time.time_ns() // 1_000_000


@dataclass
class Lair:
    """A listener with one room that has begun to play."""

    port: int
    room: RoomStream
    secret: bytes
    troubles: Troubles

    def token(self, room: str = ROOM, at_ms: int = 0) -> str:
        return make_token(self.secret, room, "viewer", at_ms or now_ms())

    def knocker(self) -> Knocker:
        return Knocker(f"http://127.0.0.1:{self.port}")

    async def nobody_is_left(self) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while self.room.hub.viewers:  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.02)
        assert self.troubles.found == []


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def lair() -> AsyncIterator[Lair]:
    loop = asyncio.get_running_loop()
    room = RoomStream(lambda track: None, loop.call_soon_threadsafe)
    room.show("video", "cam", H264)
    room.show("audio", "mic", OPUS)
    await play(Site(room), looped(2, 3), past_s=3600)
    gate, sock = Gate(new_secret()), socket.create_server(("127.0.0.1", 0))

    def admitted(name: str, token: str, _of: str) -> Admitted | None:
        held = gate.admit(name, token, now_ms())
        return None if held is None else Admitted("", lambda: not gate.is_taken_back(held))

    end = await listen_fragments(
        sock,
        stream=lambda name, of: room if name == ROOM and not of else None,
        admitted=admitted,
        origin=ORIGIN,
        proxies=frozenset(),
    )
    found = Lair(sock.getsockname()[1], room, gate.secret, Troubles())
    logging.getLogger().addHandler(found.troubles)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("media.fragments.room.BEGIN_S_MAX", 0.01)  # nothing more will come
        yield found
    logging.getLogger().removeHandler(found.troubles)
    room.close()
    await end()


# ---- tokens and names

letters = st.text("ABCXYZabcxyz0189-_.=", max_size=80)
bends = st.lists(st.tuples(st.integers(0, 200), st.sampled_from("AB01-_.")), min_size=1, max_size=4)
printed = st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="?#")
numbers = st.one_of(st.integers(0, 12), st.integers(0, 1 << 40))
names = st.one_of(
    st.builds(
        "{}-{}{}.{}".format,
        st.sampled_from(["video", "aac", "audio", "VIDEO", "..", "video-init"]),
        st.sampled_from(["", "init-", "-"]),
        numbers,
        st.sampled_from(["m4s", "mp4", "m3u8", "m4s%00", "m4s/..", "mp4;x"]),
    ),
    st.sampled_from(["video.m3u8", "aac.m3u8", "index.m3u8/", "x.m3u8", "..m3u8", "%2e%2e", ".."]),
    st.text(printed, max_size=50),
)
headers = st.dictionaries(
    st.sampled_from(["Range", "If-None-Match", "Origin", "X-Forwarded-For", "Cookie", "Accept"]),
    st.sampled_from(["bytes=0-0", "bytes=9-1", "*", ORIGIN, "null", "1.1.1.1, ::1", "x" * 3000]),
    max_size=2,
)


def changed(token: str, bent: list[tuple[int, str]]) -> str:
    for at, letter in bent:
        at %= len(token)
        token = token[:at] + letter + token[at + 1 :]
    return token


async def test_no_token_but_one_of_this_room_opens_anything(lair: Lair) -> None:
    knocker, codes = lair.knocker(), set[str]()

    def refused(path: str) -> None:
        answer = knocker.ask("GET", path)
        assert answer.status in (403, *NO_ADDRESS), (path, answer)
        assert answer.status != 403 or answer.code == "stream.not_yours"
        assert answer.size < 1024 + len(path)
        codes.add(answer.code)

    @many
    @given(st.one_of(letters, bends), st.sampled_from(["index.m3u8", "video.m3u8", "video-1.m4s"]))
    @example("", "index.m3u8")
    def throw(given: str | list[tuple[int, str]], name: str) -> None:
        good = lair.token()
        token = given if isinstance(given, str) else changed(good, given)
        if read_token(lair.secret, ROOM, token) != read_token(lair.secret, ROOM, good):
            refused(f"/media/{ROOM}/hls/{token}/{name}")
            refused(f"/media/{ROOM}/live?token={token}")

    await asyncio.to_thread(throw)
    for token in (lair.token(OTHER), lair.token(at_ms=now_ms() - TOKEN_MS)):
        await asyncio.to_thread(refused, f"/media/{ROOM}/hls/{token}/video-1.m4s")
    await asyncio.to_thread(refused, f"/media/{OTHER}/live?token={lair.token()}")
    assert "stream.not_yours" in codes
    knocker.close()
    await lair.nobody_is_left()


async def test_a_viewer_gets_segments_of_this_room_by_number_and_nothing_else(lair: Lair) -> None:
    knocker, token = lair.knocker(), lair.token()
    seen: set[tuple[int, str]] = set()

    @many
    @given(names, headers)
    @example("video.m3u8", {})
    @example("video-99999999.m4s", {})
    @example("video-99999999999.m4s", {})
    def throw(name: str, more: dict[str, str]) -> None:
        answer = knocker.ask("GET", f"/media/{ROOM}/hls/{token}/{name}", more)
        seen.add((answer.status, answer.code))
        if answer.status == 200:
            kind = answer.headers["content-type"].partition(";")[0]
            assert kind in ("video/mp4", "application/vnd.apple.mpegurl")
            assert kind != "video/mp4" or answer.body[4:8] in (b"ftyp", b"moof", b"styp")
        elif answer.code:
            assert STATUS[answer.code] == answer.status
        else:
            assert answer.status in NO_ADDRESS | OF_HTTP

    await asyncio.to_thread(throw)
    knocker.close()
    assert {(200, ""), (404, "fragment.unknown"), (404, "fragment.name")} <= seen
    await lair.nobody_is_left()


# ---- what a viewer says

OPENING = (
    "GET /media/{room}/live?token={token} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
    "Connection: Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
    "Sec-WebSocket-Version: 13\r\n{more}\r\n"
)
extensions = st.sampled_from(
    [
        "", "", "Sec-WebSocket-Extensions: permessage-deflate\r\n",
        "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=99\r\n",
        "Sec-WebSocket-Protocol: kaibiao.v1+msgpack, x\r\n", f"Origin: {ORIGIN}\r\n",
    ]
)  # fmt: skip


@st.composite
def frame(draw: st.DrawFn) -> bytes:
    """Any kind of frame; its length and its mask may lie."""
    body = draw(st.one_of(st.binary(max_size=130), st.just(bytes(5000))))
    first = draw(st.integers(0, 255))
    size = draw(st.sampled_from([len(body)] * 4 + [0, 125, 1 << 16, (1 << 63) - 1, 1 << 63]))
    masked = draw(st.sampled_from([0x80, 0x80, 0x80, 0]))
    if size < 126:
        head = bytes([first, masked | size])
    elif size < 1 << 16:
        head = bytes([first, masked | 126]) + struct.pack("!H", size)
    else:
        head = bytes([first, masked | 127]) + struct.pack("!Q", size)
    return head + (b"\0" * 4 if masked else b"") + body


async def test_whatever_a_viewer_says_ends_his_socket_and_leaves_no_viewer(lair: Lair) -> None:
    statuses: set[bytes] = set()

    @many
    @given(extensions, st.lists(frame(), max_size=5), st.booleans())
    @example("", [b"\x81\x81\0\0\0\0x"], False)
    @example("", [], True)
    def throw(more: str, frames: list[bytes], goes: bool) -> None:
        asked = OPENING.format(room=ROOM, token=lair.token(), more=more).encode()
        with socket.create_connection(("127.0.0.1", lair.port), PATIENCE_S) as sock:
            sock.sendall(asked)
            statuses.add(sock.recv(12))
            if goes:
                return
            try:
                sock.sendall(b"".join([*frames, b"\x81\x81\0\0\0\0x"]))
                sock.shutdown(socket.SHUT_WR)
                while sock.recv(1 << 16):
                    pass
            except ConnectionError:
                pass  # closed with what it did not read

    before = len(asyncio.all_tasks())
    await asyncio.to_thread(throw)
    assert statuses == {b"HTTP/1.1 101"}
    await lair.nobody_is_left()
    async with asyncio.timeout(PATIENCE_S):
        while len(asyncio.all_tasks()) > before:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.02)
