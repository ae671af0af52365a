"""The open UDP port against people without a password: no answer, no state, no crash.

Real sockets on loopback; what is not answered is shown by a question that is answered after it.
"""

import asyncio
import random
import socket
from collections.abc import AsyncIterator

import pytest
from aioice import stun

from media.rooms import PeerConnected
from media.sdp import read
from tests.media.descriptions import camera, microphone, offer
from tests.media.sfu_lab import HOST, PATIENCE_S, ROOM, Hall, on_loopback, publish, running
from tests.media.test_sfu_refusals import BOTH

pytestmark = pytest.mark.usefixtures(on_loopback.__name__)
__all__ = ["on_loopback"]

CLIENT_HELLO = bytes.fromhex("16feff0000000000000000") + b"\x00\xc8" + b"\x01" + bytes(199)


class Stranger:
    """A socket that sends what it likes and counts what comes back."""

    def __init__(self, hall: Hall) -> None:
        self.to = ("127.0.0.1", hall.sfu.candidates[0][1])
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setblocking(False)
        self.socket.bind(("127.0.0.1", 0))
        self.sent = 0

    def send(self, data: bytes) -> None:
        self.sent += len(data)
        self.socket.sendto(data, self.to)

    async def answers(self, hall: Hall) -> list[bytes]:
        """Everything that came, once all that was sent has been handled."""
        dropped = hall.sfu._port.dropped
        self.socket.sendto(b"\xff", self.to)
        async with asyncio.timeout(PATIENCE_S):
            while hall.sfu._port.dropped <= dropped:  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.01)
        found: list[bytes] = []
        while True:
            try:
                found.append(self.socket.recv(4096))
            except BlockingIOError:
                return found


@pytest.fixture
async def hall() -> AsyncIterator[Hall]:
    async with running() as made:
        made.sfu.admit(ROOM, "host", HOST)
        yield made


@pytest.fixture
async def stranger(hall: Hall) -> AsyncIterator[Stranger]:
    made = Stranger(hall)
    yield made
    made.socket.close()


def signed(username: str, password: str) -> bytes:
    attributes = {
        "USERNAME": username,
        "PRIORITY": 1,
        "ICE-CONTROLLING": 7,
        "USE-CANDIDATE": None,
    }
    request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST, attributes=attributes)
    request.add_message_integrity(password.encode())
    return bytes(request)


async def waiting(hall: Hall) -> tuple[str, str]:
    """A publisher that has its answer and has sent nothing yet: its user name and password."""
    answer = await hall.sfu.publish(ROOM, "host", offer(camera(), microphone()), BOTH)
    lines = dict(line[2:].split(":", 1) for line in answer.splitlines() if ":" in line)
    return f"{read(answer).ufrag}:abcd", lines["ice-pwd"]


async def test_a_stranger_gets_no_answer_whatever_he_sends(hall: Hall, stranger: Stranger) -> None:
    username, password = await waiting(hall)
    stolen = signed(username, "a guess of the password")
    for datagram in (b"", b"\x00", stolen, CLIENT_HELLO, b"\x80\x60" + bytes(60)):
        stranger.send(datagram)
    plain = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
    plain.add_fingerprint()
    stranger.send(bytes(plain))
    stranger.send(signed("nobody:abcd", password))
    stranger.send(signed(username.replace("abcd", "efgh"), password))
    assert await stranger.answers(hall) == []
    assert hall.sfu.counters().received == 0


async def test_noise_of_every_kind_leaves_nothing(hall: Hall, stranger: Stranger) -> None:
    await waiting(hall)
    noise = random.Random(7)
    table = hall.sfu._table
    before = (len(table._by_address), len(table._by_ufrag), len(hall.sfu._peers))
    for _ in range(2000):
        size = noise.choice((0, 1, 12, 20, 64, 548, 1400))
        head = noise.choice((0, 1, 20, 22, 63, 64, 128, 144, 191, 192, 255))
        stranger.send((bytes([head]) + noise.randbytes(size))[: size or 1])
        if _ % 50 == 0:
            await asyncio.sleep(0)
    assert await stranger.answers(hall) == []
    assert (len(table._by_address), len(table._by_ufrag), len(hall.sfu._peers)) == before


async def test_who_can_sign_is_answered_with_no_more_than_he_sent(
    hall: Hall, stranger: Stranger
) -> None:
    request = signed(*await waiting(hall))
    stranger.send(request)
    (answer,) = await stranger.answers(hall)
    assert len(answer) <= len(request)
    for _ in range(200):
        stranger.send(b"\x16\xfe\xff" + bytes(10) + b"\xff")
    stranger.send(b"\x80\x60" + bytes(100))
    received = sum(map(len, await stranger.answers(hall)))
    assert received <= stranger.sent


async def test_a_connection_outlives_noise_from_elsewhere(hall: Hall, stranger: Stranger) -> None:
    host = await publish(hall, video=False)
    await hall.until(PeerConnected)
    (peer,) = (found[0] for found in hall.sfu._peers.values())
    address = peer._address
    stranger.send(signed(f"{peer.ufrag}:wrong", peer.password))
    stranger.send(CLIENT_HELLO)
    stranger.send(b"\x15\xfe\xfd" + bytes(8) + b"\x00\x02\x02\x28")
    assert await stranger.answers(hall) == []
    assert peer._address == address
    await hall.received(hall.sfu.counters().received + 20)
    await host.close()
