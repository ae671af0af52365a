"""Whatever comes to the media process's two doors (恶意数据): its UDP port and its listener.

The process as shipped, thrown at by hypothesis: by strangers, by a member with keys, by who watches
fragments. Shown each time: it lives, it holds no more than before, what is not ours to answer is
not answered, and an honest call beside it loses no packet.
"""

import asyncio
import re
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loadtests.machine import rss_bytes
from loadtests.video_peer import AUDIO_PT, VIDEO_PT, ThinPeer
from loadtests.video_process import ORIGIN, SECRET, MediaProcess, open_sockets, udp_sockets
from media.rtcp import Nack, PictureLoss
from server.live.tokens import make_token
from server.live.worker import now_ms
from tests.media.test_hostile_datagrams import CLIENT_HELLO, signed

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

ROOM = "opening:x"
COOKIE = 0x2112A442
GROWTH_BYTES_MAX = 16 << 20
PATIENCE_S = 20
WORDS = 25
KEYFRAME = b"\x65" + bytes(200)
many = settings(
    max_examples=200, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)


# ---- what is thrown

attribute = st.tuples(
    st.sampled_from([0x0006, 0x0008, 0x0020, 0x0024, 0x0025, 0x802A, 0x8028, 0x8029, 0x7FFF]),
    st.integers(0, 700),
    st.binary(max_size=80),
)


@st.composite
def stun_like(draw: st.DrawFn) -> bytes:
    """A head that fits, or nearly; attributes whose lengths may lie."""
    body = b"".join(
        struct.pack("!HH", kind, draw(st.sampled_from([len(value), size]))) + value
        for kind, size, value in draw(st.lists(attribute, max_size=40))
    )
    size = draw(st.sampled_from([len(body), 0, 4, 0xFFFC, len(body) + 4]))
    kind = draw(st.sampled_from([1, 0x0101, 0x0111, 0x0011, 3, 0]))
    cookie = draw(st.sampled_from([COOKIE, COOKIE, 0]))
    return struct.pack("!HHI12s", kind, size & 0xFFFF, cookie, draw(st.binary(max_size=12))) + body


@st.composite
def dtls_like(draw: st.DrawFn) -> bytes:
    """Records of every kind, alone and several in one datagram."""
    records = b""
    for _ in range(draw(st.integers(1, 4))):
        body = draw(st.one_of(st.binary(max_size=200), st.just(CLIENT_HELLO[13:])))
        size = draw(st.sampled_from([len(body), 0, 0xFFFF]))
        kind, epoch = draw(st.integers(20, 63)), draw(st.integers(0, 0xFFFF))
        version = draw(st.sampled_from([0xFEFF, 0xFEFD, 0x0303]))
        records += struct.pack("!BHH6sH", kind, version, epoch, bytes(6), size) + body
    return records


rtp_like = st.tuples(st.integers(128, 191), st.binary(max_size=1500)).map(
    lambda found: bytes([found[0]]) + found[1]
)
anything = st.one_of(st.binary(max_size=2100), stun_like(), dtls_like(), rtp_like)


@st.composite
def control_like(draw: st.DrawFn) -> bytes:
    """RTCP whose head fits: any kind, format and body, one or several."""
    compound = b""
    for _ in range(draw(st.integers(1, 5))):
        body = draw(st.binary(max_size=30)) * draw(st.sampled_from([1, 4, 40]))
        body += bytes(-len(body) % 4)
        first = 0x80 | draw(st.integers(0, 0x3F))
        words = draw(st.sampled_from([len(body) // 4, 0xFFFF, 0]))
        kind = draw(st.one_of(st.integers(200, 207), st.integers(192, 223)))
        compound += struct.pack("!BBH", first, kind, words) + body
    return compound[:1200].ljust(8, b"\0")


@st.composite
def media_like(draw: st.DrawFn) -> bytes:
    """RTP that SRTP takes, of known and of unknown streams, with extensions that may lie."""
    extension = draw(st.binary(max_size=60))
    extension += bytes(-len(extension) % 4)
    profile = draw(st.sampled_from([0xBEDE, 0x1000, 0x100F, 0]))
    head = struct.pack(
        "!BBHII",
        0x90 | draw(st.sampled_from([0, 0x20])),
        draw(st.sampled_from([VIDEO_PT, 0x80 | VIDEO_PT, AUDIO_PT, 96, 0])),
        draw(st.integers(0, 0xFFFF)),
        draw(st.integers(0, 0xFFFFFFFF)),
        draw(st.sampled_from([1234, 77, draw(st.integers(0, 0xFFFFFFFF))])),
    )
    block = struct.pack("!HH", profile, len(extension) // 4) + extension
    return head + block + draw(st.binary(max_size=1000))


# ---- the honest call beside it


class Call:
    """A publisher and a viewer who want nothing but to be left alone."""

    def __init__(self, process: MediaProcess) -> None:
        self.process = process
        self.publisher = ThinPeer("honest0")
        self.viewer = ThinPeer("honest1", is_careful=True)
        self._seq = 0

    async def begin(self) -> None:
        await self.process.publish(self.publisher)
        await self.process.watch(self.viewer)
        await self.goes_on()

    async def goes_on(self) -> None:
        """So many packets more reach the viewer, in order and without a gap."""
        for _ in range(WORDS):
            self._seq += 1
            self.publisher.send(AUDIO_PT, self._seq, self._seq * 960, bytes(80))
            self.publisher.send(VIDEO_PT, self._seq, self._seq * 3000, KEYFRAME, marker=True)
            await asyncio.sleep(0.002)
        async with asyncio.timeout(PATIENCE_S):
            while self.viewer.packets < 2 * self._seq:  # noqa: ASYNC110 - it only counts
                await asyncio.sleep(0.01)
        for seqs in self.viewer.seqs.values():
            assert seqs == list(range(seqs[0], seqs[0] + self._seq))

    async def close(self) -> None:
        await self.publisher.close()
        await self.viewer.close()


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def process(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[MediaProcess]:
    """One for all: what one attack leaves behind the next one meets."""
    async with MediaProcess(ROOM, tmp_path_factory.mktemp("recordings")) as made:
        yield made


@asynccontextmanager
async def undisturbed(process: MediaProcess) -> AsyncIterator[Call]:
    """What is thrown in here leaves the process as it was, and the call beside it whole."""
    call = Call(process)
    await call.begin()
    before, sockets = rss_bytes(process.pid), len(open_sockets(process.pid))
    yield call
    await call.goes_on()
    assert rss_bytes(process.pid) - before < GROWTH_BYTES_MAX
    assert udp_sockets(process.pid) == 1
    async with asyncio.timeout(PATIENCE_S):
        while len(open_sockets(process.pid)) > sockets:  # noqa: ASYNC110 - what is closing closes
            await asyncio.sleep(0.05)
    await call.close()


# ---- the UDP port


def stranger(port: int) -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.setblocking(False)
    made.connect(("127.0.0.1", port))
    return made


async def test_nothing_that_strangers_throw_at_the_port_is_answered(process: MediaProcess) -> None:
    async with undisturbed(process) as call:
        username = call.viewer._username
        with stranger(process.udp_port) as sock:

            @many
            @given(st.one_of(anything, st.just(signed(username, "a guess"))))
            def throw(datagram: bytes) -> None:
                sock.send(datagram)

            throw()
            await call.goes_on()  # what was thrown before has been read
            with pytest.raises(BlockingIOError):
                sock.recv(4096)


async def test_a_stolen_user_name_takes_no_connection_over(process: MediaProcess) -> None:
    """His ufrag and a request of his that was overheard: neither moves his packets elsewhere."""
    async with undisturbed(process) as call:
        overheard = signed(call.viewer._username, call.viewer._password.decode())
        call.viewer._wire.sendto(overheard)
        await call.goes_on()
        with stranger(process.udp_port) as sock:
            for datagram in (overheard, signed(call.viewer._username, "p" * 24), CLIENT_HELLO):
                sock.send(datagram)
            await call.goes_on()
            with pytest.raises(BlockingIOError):
                sock.recv(4096)


async def test_whatever_a_member_throws_costs_nobody_else_anything(process: MediaProcess) -> None:
    """With keys of his own: media and control that SRTP takes, and noise from his address."""
    async with undisturbed(process) as call:
        hostile = ThinPeer("hostile")
        await process.publish(hostile)
        wire, sealing = hostile._wire, hostile._dtls._tx_srtp

        @many
        @given(st.one_of(media_like(), control_like(), anything))
        def throw(raw: bytes) -> None:
            wire.sendto(raw)
            if raw[:1] and 128 <= raw[0] <= 191 and 12 <= len(raw) <= 1400:
                is_control = 192 <= raw[1] <= 223
                try:
                    sealed = (sealing.protect_rtcp if is_control else sealing.protect)(raw)
                except Exception:
                    return  # the library at this end does not take it
                wire.sendto(sealed)

        throw()
        await call.goes_on()
        await hostile.close()


async def test_asking_again_does_not_amplify(process: MediaProcess) -> None:
    """A viewer who asks for everything again and again gets a bounded share of what he was sent."""
    async with undisturbed(process) as call:
        greedy = ThinPeer("greedy")
        await process.watch(greedy)
        await call.goes_on()
        got = greedy.packets
        sealing = greedy._dtls._tx_srtp
        for ssrc in [int.from_bytes(one, "big") for one in greedy.got]:
            asked = bytes(Nack(1, ssrc, tuple(range(1, 65))))
            for _ in range(200):
                greedy._wire.sendto(sealing.protect_rtcp(asked))
                greedy._wire.sendto(sealing.protect_rtcp(bytes(PictureLoss(1, ssrc))))
        await call.goes_on()
        resent = greedy.packets - got - 2 * WORDS
        assert resent <= 2 * 128 + 2 * WORDS
        await greedy.close()


# ---- the fragments' listener

TOKEN = "TOKEN"
head_line = st.text(st.characters(min_codepoint=1, max_codepoint=255), max_size=60)
path = st.one_of(
    st.sampled_from(
        [
            f"/media/{ROOM}/live?token={TOKEN}",
            f"/media/{ROOM}/live?token=",
            f"/media/{ROOM}/hls/{TOKEN}/index.m3u8",
            f"/media/{ROOM}/hls/{TOKEN}/../../../etc/passwd",
            f"/media/{ROOM}/hls/{TOKEN}/%2e%2e%2f%00.m4s",
            "/media/evaluation:x/live",
            "/" + "a" * 9000,
        ]
    ),
    head_line.map(lambda found: "/" + found),
    head_line.map(lambda found: f"/media/{ROOM}/hls/{TOKEN}/{found}"),
)
method = st.sampled_from(["GET", "GET", "GET", "POST", "PUT", "CONNECT", "\x00", "PRI"])
header = st.one_of(
    st.sampled_from(
        [
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Version: 99",
            "Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=99",
            "Transfer-Encoding: chunked",
            "Content-Length: 99999999999",
            "Content-Length: -1",
            f"Origin: {ORIGIN}",
            "Origin: http://elsewhere.example",
            "Range: bytes=0-0,1-1,2-2",
            "X-Forwarded-For: " + "1.1.1.1, " * 50,
            "X: " + "y" * 9000,
        ]
    ),
    head_line,
)


@st.composite
def requests(draw: st.DrawFn) -> tuple[str, bytes]:
    """A request, and what is sent behind it: frames of a client who has nothing to say."""
    lines = [
        f"{draw(method)} {draw(path)} HTTP/1.1",
        "Host: x",
        *draw(st.lists(header, max_size=9)),
    ]
    behind = draw(
        st.one_of(
            st.just(b""),
            st.binary(max_size=300),
            st.sampled_from(
                [b"\x82\xff" + b"\xff" * 12, b"\x89\xfe\xff\xff", b"\x01\x80" * 50, b"\x88\x80aaaa"]
            ),
        )
    )
    return "\r\n".join(lines) + "\r\n\r\n", behind


def asked(port: int, request: str, behind: bytes) -> int:
    """The status of the answer; 0: none came, or the connection was closed."""
    raw = request.replace(TOKEN, make_token(SECRET, ROOM, "viewer-1", now_ms()))
    with socket.create_connection(("127.0.0.1", port), timeout=0.2) as sock:
        try:
            sock.sendall(raw.encode("latin-1") + behind)
            found = re.match(rb"HTTP/1\.1 (\d+)", sock.recv(4096))
        except (OSError, TimeoutError):
            return 0
    return int(found[1]) if found else 0


GOOD = (
    f"GET /media/{ROOM}/live?token={TOKEN} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
    "Connection: Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
    "Sec-WebSocket-Version: 13\r\n\r\n"
)


async def test_whatever_is_asked_of_the_listener_is_refused_by_a_status(
    process: MediaProcess,
) -> None:
    async with undisturbed(process):
        statuses: set[int] = set()

        @many
        @given(requests())
        def throw(request: tuple[str, bytes]) -> None:
            statuses.add(asked(process.http_port, *request))

        await asyncio.to_thread(throw)
        assert statuses <= {0, 101, 200, *range(400, 500)}
        assert {400, 404} <= statuses
        for request, status in (
            (GOOD, 101),
            (GOOD.replace("Host: x", f"Host: x\r\nOrigin: {ORIGIN}"), 101),
            (GOOD.replace("Host: x", "Host: x\r\nOrigin: http://elsewhere.example"), 403),
            (GOOD.replace(ROOM, "opening:y"), 403),  # somebody's token of another room
            (GOOD.replace(TOKEN, ""), 403),
        ):
            assert await asyncio.to_thread(asked, process.http_port, request, b"") == status
