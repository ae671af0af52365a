"""A participant without codecs (瘦客户端): real ICE, real DTLS, real SRTP, packets only counted.

Cheap enough for a hundred in one process. ICE is a signed request now and then, DTLS is aiortc's as
client, with AES-128-GCM and nothing else, so that every unit under test works with the same cipher.
It speaks to our unit and to any other that takes SDP.
"""

import asyncio
import socket
from collections import Counter
from functools import cache
from typing import Any

from aioice import stun
from aiortc import RTCCertificate, RTCDtlsParameters
from aiortc.rtcdtlstransport import (
    SRTP_AEAD_AES_128_GCM,
    RTCDtlsFingerprint,
    RTCDtlsTransport,
)

from media.packets import build_rtp, is_rtcp, parse_rtp
from media.rtcp import SenderReport

VIDEO_PT, AUDIO_PT = 102, 111
VIDEO_SSRC, AUDIO_SSRC = 1234, 77
TRANSPORT_ID, MID_ID = 3, 4
ASK_S, ASK_EAGER_S = 2.5, 0.2
PASSWORD = "p" * 24
BUFFER_BYTES = 1 << 20
NTP_EPOCH_S = 2_208_988_800
_MIDS = {VIDEO_PT: b"0", AUDIO_PT: b"1"}
_COMMON = (
    "a=rtcp-mux",
    f"a=extmap:{TRANSPORT_ID} "
    "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
    f"a=extmap:{MID_ID} urn:ietf:params:rtp-hdrext:sdes:mid",
)
_VIDEO = (
    f"a=rtpmap:{VIDEO_PT} H264/90000",
    f"a=fmtp:{VIDEO_PT} level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f",
    f"a=rtcp-fb:{VIDEO_PT} nack",
    f"a=rtcp-fb:{VIDEO_PT} nack pli",
    f"a=rtcp-fb:{VIDEO_PT} transport-cc",
)
_AUDIO = (
    f"a=rtpmap:{AUDIO_PT} opus/48000/2",
    f"a=fmtp:{AUDIO_PT} minptime=10;useinbandfec=1",
    f"a=rtcp-fb:{AUDIO_PT} transport-cc",
)


@cache
def _certificate() -> RTCCertificate:
    """One for everybody: making them is not what is measured."""
    return RTCCertificate.generateCertificate()


def _description(ufrag: str, mids: list[str], sections: list[str]) -> str:
    (found,) = [f for f in _certificate().getFingerprints() if f.algorithm == "sha-256"]
    head = [
        "v=0",
        "o=- 1 2 IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        f"a=group:BUNDLE {' '.join(mids)}",
        f"a=ice-ufrag:{ufrag}",
        f"a=ice-pwd:{PASSWORD}",
        f"a=fingerprint:sha-256 {found.value}",
        "a=setup:active",
    ]
    return "\r\n".join([*head, *sections]) + "\r\n"


class ThinPeer(asyncio.DatagramProtocol):
    """``got`` counts packets by SSRC; ``seqs`` keeps their numbers where ``is_careful``."""

    role = "controlling"

    def __init__(self, name: str, address: str = "127.0.0.1", *, is_careful: bool = False) -> None:
        self.name, self.is_careful = name, is_careful
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
        self._socket.bind((address, 0))
        self.got: Counter[bytes] = Counter()
        self.seqs: dict[bytes, list[int]] = {}
        self.sent = 0
        self.unreadable = 0
        transport: Any = self
        self._dtls = RTCDtlsTransport(transport, [_certificate()])
        self._dtls._set_role("client")
        self._dtls._srtp_profiles = [SRTP_AEAD_AES_128_GCM]
        self._records: asyncio.Queue[bytes] = asyncio.Queue()
        self._answered = asyncio.Event()
        self._asking: asyncio.Task[None] | None = None
        self._transport_seq = 0
        self._octets = Counter[int]()
        self._packets = Counter[int]()

    @property
    def packets(self) -> int:
        return self.got.total()

    # ---- SDP

    def offer(self) -> str:
        """Of a camera (mid 0) and a microphone (mid 1)."""
        sections: list[str] = []
        for mid, kind, pt, ssrc, more in (
            ("0", "video", VIDEO_PT, VIDEO_SSRC, _VIDEO),
            ("1", "audio", AUDIO_PT, AUDIO_SSRC, _AUDIO),
        ):
            sections += [f"m={kind} 9 UDP/TLS/RTP/SAVPF {pt}", "c=IN IP4 0.0.0.0", f"a=mid:{mid}"]
            sections += ["a=sendonly", *_COMMON, *more, f"a=ssrc:{ssrc} cname:{self.name}"]
            sections += self._candidate()
        return _description(self.name, ["0", "1"], sections)

    def answer(self, offered: str) -> str:
        """To a unit's offer: everything is received, with its payload types."""
        sections: list[str] = []
        mids: list[str] = []
        for part in offered.split("m=")[1:]:
            lines = part.splitlines()
            kind, _, _, pt = lines[0].split()[:4]
            mids += [line[6:] for line in lines if line.startswith("a=mid:")]
            wanted = (f"a=mid:{mids[-1]}", f"a=rtpmap:{pt} ", f"a=fmtp:{pt} ")
            sections += [f"m={kind} 9 UDP/TLS/RTP/SAVPF {pt}", "c=IN IP4 0.0.0.0"]
            sections += [line for line in lines if line.startswith(wanted)]
            sections += ["a=recvonly", "a=rtcp-mux", *self._candidate()]
        return _description(self.name, mids, sections)

    def _candidate(self) -> list[str]:
        address, port = self._socket.getsockname()
        return [f"a=candidate:1 1 udp 2130706431 {address} {port} typ host", "a=end-of-candidates"]

    # ---- connection

    async def connect(self, theirs: str) -> None:
        """With what the unit said of itself, in its offer or answer."""
        lines = [line.strip() for line in theirs.splitlines()]
        said = dict(
            line[2:].split(":", 1)
            for line in reversed(lines)  # the first one counts
            if line.startswith("a=") and ":" in line
        )
        _, _, _, _, address, port, *_ = said["candidate"].split()
        self._username = f"{said['ice-ufrag']}:{self.name}"
        self._password = said["ice-pwd"].encode()
        self._socket.connect((address, int(port)))
        loop = asyncio.get_running_loop()
        await loop.create_datagram_endpoint(lambda: self, sock=self._socket)
        self._asking = asyncio.ensure_future(self._ask())
        # Before that our DTLS would be a stranger's.
        await self._answered.wait()
        algorithm, value = said["fingerprint"].split()
        fingerprint = RTCDtlsFingerprint(algorithm, value)
        await self._dtls.start(RTCDtlsParameters([fingerprint], "server"))
        assert self._dtls.state == "connected"

    def connection_made(self, transport: Any) -> None:
        self._wire: asyncio.DatagramTransport = transport

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
            request.add_fingerprint()
            self._wire.sendto(bytes(request))
            await asyncio.sleep(ASK_S if self._answered.is_set() else ASK_EAGER_S)

    def datagram_received(self, data: bytes, addr: Any) -> None:  # noqa: ARG002
        if data[0] >= 128:
            if not is_rtcp(data):
                self._count(data)
        elif data[0] <= 3:
            if data[:2] == b"\x01\x01":  # success
                self._answered.set()
            elif data[:2] == b"\x00\x01":
                self._answer(stun.parse_message(data))
        elif 20 <= data[0] <= 63:
            self._records.put_nowait(data)

    def _answer(self, request: stun.Message) -> None:
        """Units that are not ICE-lite want to know us as well."""
        attributes = {"XOR-MAPPED-ADDRESS": self._socket.getpeername()}
        answer = stun.Message(
            stun.Method.BINDING, stun.Class.RESPONSE, request.transaction_id, attributes
        )
        answer.add_message_integrity(PASSWORD.encode())
        answer.add_fingerprint()
        self._wire.sendto(bytes(answer))

    def error_received(self, exc: OSError) -> None:
        """The unit has closed first: nothing that is counted."""

    def _count(self, data: bytes) -> None:
        ssrc = data[8:12]
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

    # ---- media

    def send(self, pt: int, seq: int, ticks: int, payload: bytes, *, marker: bool = False) -> None:
        number = self._transport_seq.to_bytes(2, "big")
        self._transport_seq = self._transport_seq + 1 & 0xFFFF
        ssrc = VIDEO_SSRC if pt == VIDEO_PT else AUDIO_SSRC
        plain = build_rtp(
            pt,
            seq & 0xFFFF,
            ticks & 0xFFFFFFFF,
            ssrc,
            payload,
            marker=marker,
            extensions=[(TRANSPORT_ID, number), (MID_ID, _MIDS[pt])],
        )
        self._wire.sendto(self._dtls._tx_srtp.protect(plain))
        self.sent += 1
        self._packets[ssrc] += 1
        self._octets[ssrc] += len(payload)

    def report(self, pt: int, utc_s: float, ticks: int) -> None:
        """A sender report: ``ticks`` of this kind were at ``utc_s``."""
        ssrc = VIDEO_SSRC if pt == VIDEO_PT else AUDIO_SSRC
        ntp = int((utc_s + NTP_EPOCH_S) * (1 << 32))
        said = SenderReport(
            ssrc, ntp, ticks & 0xFFFFFFFF, self._packets[ssrc], self._octets[ssrc] & 0xFFFFFFFF
        )
        self._wire.sendto(self._dtls._tx_srtp.protect_rtcp(bytes(said)))

    async def close(self) -> None:
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.gather(self._asking, return_exceptions=True)
        task = self._dtls._task
        await self._dtls.stop()
        if task is not None:
            await asyncio.gather(task, return_exceptions=True)
        self._wire.close()
