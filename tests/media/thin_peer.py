"""A participant without codecs: real STUN, real DTLS, real SRTP, and packets that are only counted.

Cheap enough for dozens in one process. ICE is a signed request every second; the rest is aiortc's
DTLS transport as client.
"""

import asyncio
import random
from collections import Counter
from typing import Any

from aioice import stun
from aiortc import RTCCertificate, RTCDtlsParameters
from aiortc.rtcdtlstransport import RTCDtlsFingerprint, RTCDtlsTransport

from media.packets import build_rtp, is_rtcp, parse_rtp
from tests.media.descriptions import camera, microphone, offer, viewer_answer

OPUS_PT, H264_PT = 111, 109
MID_ID = 4


class ThinPeer(asyncio.DatagramProtocol):
    """``got`` counts packets by SSRC; ``seqs`` keeps their numbers where ``is_careful``."""

    role = "controlling"

    def __init__(self, name: str, *, is_careful: bool = False) -> None:
        self.name, self.is_careful = name, is_careful
        self.got: Counter[int] = Counter()
        self.seqs: dict[int, list[int]] = {}
        self.unreadable = 0
        self._certificate = RTCCertificate.generateCertificate()
        transport: Any = self
        self._dtls = RTCDtlsTransport(transport, [self._certificate])
        self._dtls._set_role("client")
        self._records: asyncio.Queue[bytes] = asyncio.Queue()
        self._answered = asyncio.Event()
        self._asking: asyncio.Task[None] | None = None

    @property
    def _fingerprint(self) -> str:
        (found,) = [f for f in self._certificate.getFingerprints() if f.algorithm == "sha-256"]
        return f"sha-256 {found.value}"

    def offer(self) -> str:
        """Of a camera (mid 0) and a microphone (mid 1)."""
        return offer(camera(), microphone(), ufrag=self.name, fingerprint=self._fingerprint)

    def answer(self, offered: str) -> str:
        return viewer_answer(offered, ufrag=self.name, fingerprint=self._fingerprint)

    async def connect(self, theirs: str) -> None:
        """With what the unit said of itself, in its offer or answer."""
        lines = [line.strip() for line in theirs.splitlines()]
        said = dict(
            line[2:].split(":", 1) for line in lines if line.startswith("a=") and ":" in line
        )
        _, _, _, _, address, port, *_ = said["candidate"].split()
        self._username = f"{said['ice-ufrag']}:{self.name}"
        self._password = said["ice-pwd"].encode()
        loop = asyncio.get_running_loop()
        self._wire, _ = await loop.create_datagram_endpoint(
            lambda: self, remote_addr=(address, int(port))
        )
        self._asking = asyncio.ensure_future(self._ask())
        # Before that our DTLS would be a stranger's.
        await self._answered.wait()
        algorithm, value = said["fingerprint"].split()
        fingerprint = RTCDtlsFingerprint(algorithm, value)
        await self._dtls.start(RTCDtlsParameters([fingerprint], "server"))
        assert self._dtls.state == "connected"

    async def _ask(self) -> None:
        while True:
            attributes = {
                "USERNAME": self._username,
                "PRIORITY": 1,
                "ICE-CONTROLLING": 1,
                "USE-CANDIDATE": None,
            }
            request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST, attributes=attributes)
            request.add_message_integrity(self._password)
            self._wire.sendto(bytes(request))
            await asyncio.sleep(1)

    def datagram_received(self, data: bytes, addr: Any) -> None:
        if data[0] <= 3:
            self._answered.set()
        elif 20 <= data[0] <= 63:
            self._records.put_nowait(data)
        elif data[0] >= 128 and not is_rtcp(data):
            self._count(data)

    def _count(self, data: bytes) -> None:
        ssrc = int.from_bytes(data[8:12], "big")
        self.got[ssrc] += 1
        if self.is_careful:
            view = parse_rtp(self._dtls._rx_srtp.unprotect(data))
            if view is None:
                self.unreadable += 1
            else:
                self.seqs.setdefault(ssrc, []).append(view.seq)

    async def _recv(self) -> bytes:
        data = await self._records.get()
        if not data:
            raise ConnectionError
        return data

    async def _send(self, data: bytes) -> None:
        self._wire.sendto(data)

    def send(self, pt: int, ssrc: int, seq: int, timestamp: int, payload: bytes) -> None:
        mid = b"0" if pt == H264_PT else b"1"
        plain = build_rtp(
            pt, seq & 0xFFFF, timestamp & 0xFFFFFFFF, ssrc, payload, extensions=[(MID_ID, mid)]
        )
        self._wire.sendto(self._dtls._tx_srtp.protect(plain))

    async def close(self) -> None:
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.gather(self._asking, return_exceptions=True)
        task = self._dtls._task
        await self._dtls.stop()
        if task is not None:
            await asyncio.gather(task, return_exceptions=True)
        self._wire.close()


class Venue:
    """What a thin publisher sends: 25 pictures of four packets and 50 sounds a second."""

    def __init__(self, peer: ThinPeer, seed: int) -> None:
        self.peer, self.noise = peer, random.Random(seed)
        self.video = self.audio = 0

    def turn(self, number: int) -> int:
        """What is due in one turn of 20 ms; how many packets that were."""
        self.peer.send(OPUS_PT, 77, self.audio, number * 960, self.noise.randbytes(80))
        self.audio += 1
        if number % 2:
            return 1
        for part in range(4):
            head = bytes([0x65]) if number % 50 == 0 else b"\x41"
            body = head + self.noise.randbytes(900 + part)
            self.peer.send(H264_PT, 1234, self.video, number * 1800, body)
            self.video += 1
        return 5
