"""A camera as tests need one: H.264 that libx264 has encoded, told and sent by RTSP over TCP.

It shares no code with the client under test. What it does wrong is asked for by `Habits`.
"""

import asyncio
import base64
import hashlib
import re
import struct
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from typing import Any

import av
import numpy

USER, PASSWORD = "admin", "p@ss:word"
START = re.compile(b"\x00\x00\x00?\x01")
FRAMES, KEYFRAME_EACH, FPS = 40, 10, 25


@cache
def encoded(*, in_band: bool, profile: str = "main", slices: int = 1) -> tuple[list[bytes], ...]:
    """Pictures of 320x240, each as its NAL units; parameter sets are in them or left out."""
    context: Any = av.CodecContext.create("libx264", "w")
    context.width, context.height, context.pix_fmt = 320, 240, "yuv420p"
    context.framerate, context.time_base = FPS, Fraction(1, FPS)
    context.gop_size = KEYFRAME_EACH
    context.options = {
        "preset": "ultrafast", "tune": "zerolatency", "profile": profile, "bf": "0",
        "x264-params": f"keyint={KEYFRAME_EACH}:scenecut=0:slices={slices}:sliced-threads=0",
        "qp": "18",
    }  # fmt: skip
    noise = numpy.random.default_rng(7)
    raw: list[bytes] = []
    for number in range(FRAMES):
        picture = noise.integers(0, 255, (240, 320, 3), numpy.uint8) // 4 + number
        frame = av.VideoFrame.from_ndarray(picture.astype(numpy.uint8), format="rgb24")
        frame.pts = number
        raw += [bytes(packet) for packet in context.encode(frame)]
    raw += [bytes(packet) for packet in context.encode(None)]
    pictures: list[list[bytes]] = []
    for one in raw:
        units = [unit for unit in START.split(one) if unit]
        pictures.append([u for u in units if u[0] & 0x1F not in (6, 9)])
    assert len(pictures) == FRAMES
    if not in_band:
        pictures = [[u for u in units if u[0] & 0x1F not in (7, 8)] for units in pictures]
    return tuple(pictures)


@cache
def parameter_sets(profile: str = "main") -> list[bytes]:
    return [u for u in encoded(in_band=True, profile=profile)[0] if u[0] & 0x1F in (7, 8)]


def payloads(units: list[bytes], size: int) -> list[bytes]:
    """A picture's RTP payloads: small units as they are, large ones in fragments."""
    made: list[bytes] = []
    for unit in units:
        if len(unit) <= size:
            made.append(unit)
            continue
        body, head = unit[1:], unit[0]
        parts = [body[at : at + size - 2] for at in range(0, len(body), size - 2)]
        for at, part in enumerate(parts):
            mark = (0x80 if at == 0 else 0) | (0x40 if at == len(parts) - 1 else 0) | head & 0x1F
            made.append(bytes([head & 0xE0 | 28, mark]) + part)
    return made


def pictures_of(packets: list[tuple[int, bool, bytes]]) -> list[list[bytes]]:
    """Back again: (timestamp, marker, payload) in order, as pictures of NAL units."""
    pictures: list[list[bytes]] = []
    latest = None
    for timestamp, _, payload in packets:
        if timestamp != latest:
            pictures.append([])
            latest = timestamp
        kind = payload[0] & 0x1F
        if kind == 24:
            at = 1
            while at < len(payload):
                size = int.from_bytes(payload[at : at + 2], "big")
                pictures[-1].append(payload[at + 2 : at + 2 + size])
                at += 2 + size
        elif kind == 28:
            if payload[1] & 0x80:
                pictures[-1].append(bytes([payload[0] & 0xE0 | payload[1] & 0x1F]))
            pictures[-1][-1] += payload[2:]
        else:
            pictures[-1].append(payload)
    return pictures


@dataclass
class Habits:
    """``login``: "", "basic", "md5", "sha256" or "md5-qop". ``answers`` by method: sent instead."""

    login: str = ""
    in_band: bool = True
    profile: str = "main"
    payload_size: int = 1380
    sound: str = ""  # the rtpmap of an audio section
    keepalive_s: int = 60
    get_parameter: bool = True
    hang_up_after: int = 0  # packets
    reordered: bool = False
    answers: dict[str, bytes] = field(default_factory=dict[str, bytes])
    sdp: str = ""


class RtspServer:
    """``asked`` are the methods in order; ``heard`` the last request of each."""

    def __init__(self, habits: Habits | None = None) -> None:
        self.habits = habits or Habits()
        self.asked: list[str] = []
        self.heard: dict[str, dict[str, str]] = {}
        self.connections = 0
        self.sent = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> "RtspServer":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def port(self) -> int:
        return self._server.sockets[0].getsockname()[1]

    @property
    def url(self) -> str:
        return f"rtsp://admin:p%40ss%3Aword@127.0.0.1:{self.port}/Streaming/Channels/101?a=b"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        sending: asyncio.Task[None] | None = None
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                lines = head.decode().split("\r\n")
                method, url, _ = lines[0].split(" ")
                headers = {k.lower(): v for k, v in (x.split(": ", 1) for x in lines[1:] if x)}
                self.asked.append(method)
                self.heard[method] = {**headers, "url": url}
                if method in self.habits.answers:
                    canned = self.habits.answers[method]
                    writer.write(canned.replace(b"CSEQ", headers["cseq"].encode()))
                    continue
                answer = self._refuse(method, url, headers) or self._answer(method, headers)
                writer.write(answer)
                if method == "PLAY":
                    sending = asyncio.ensure_future(self._send(writer))
                    self._tasks.add(sending)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            return
        finally:
            if sending is not None:
                sending.cancel()
            writer.close()

    def _refuse(self, method: str, url: str, headers: dict[str, str]) -> bytes:
        """Where a login is wanted and is not there, or wrong."""
        login, given = self.habits.login, headers.get("authorization", "")
        if not login:
            return b""
        if login == "basic":
            pair = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
            if given == f"Basic {pair}":
                return b""
            challenge = 'WWW-Authenticate: Basic realm="cam"\r\n'
        else:
            name, _, qop = login.partition("-")
            algorithm = {"md5": "MD5", "sha256": "SHA-256"}[name]
            if given.startswith("Digest ") and self._is_right(method, given, name, qop):
                assert f'uri="{url}"' in given
                return b""
            more = f', algorithm={algorithm}, qop="auth"' if qop or name == "sha256" else ""
            challenge = (
                f'WWW-Authenticate: Digest realm="cam, 1", nonce="n0nce"{more}\r\n'
                'WWW-Authenticate: Basic realm="cam"\r\n'
            )
        return f"RTSP/1.0 401 No\r\nCSeq: {headers['cseq']}\r\n{challenge}\r\n".encode()

    @staticmethod
    def _is_right(method: str, given: str, name: str, qop: str) -> bool:
        told = dict(re.findall(r'(\w+)="?([^",]+(?:, 1)?)"?', given.removeprefix("Digest ")))

        def made(*parts: str) -> str:
            return hashlib.new(name, ":".join(parts).encode()).hexdigest()

        who = made(USER, "cam, 1", PASSWORD)
        what = made(method, told["uri"])
        if qop or name == "sha256":
            wanted = made(who, "n0nce", told["nc"], told["cnonce"], "auth", what)
        else:
            wanted = made(who, "n0nce", what)
        return told["response"] == wanted

    def _answer(self, method: str, headers: dict[str, str]) -> bytes:
        habits = self.habits
        more, body = "", ""
        if method == "OPTIONS":
            more = "Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN"
            more += ", GET_PARAMETER\r\n" if habits.get_parameter else "\r\n"
        elif method == "DESCRIBE":
            body = habits.sdp or self._sdp()
            more = f"Content-Type: application/sdp\r\nContent-Length: {len(body)}\r\n"
            more += f"Content-Base: rtsp://127.0.0.1:{self.port}/Streaming/Channels/101/\r\n"
        elif method == "SETUP":
            more = f"Session: 12ab;timeout={habits.keepalive_s}\r\n"
            more += f"Transport: {headers['transport']};ssrc=11223344\r\n"
        elif method == "PLAY":
            more = "Session: 12ab\r\nRange: npt=0.000-\r\n"
        return f"RTSP/1.0 200 OK\r\nCSeq: {headers['cseq']}\r\n{more}\r\n{body}".encode()

    def _sdp(self) -> str:
        habits = self.habits
        sets = parameter_sets(habits.profile)
        sprop = ",".join(base64.b64encode(unit).decode() for unit in sets)
        lines = [
            "v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=Media Presentation", "t=0 0", "a=control:*",
            "m=video 0 RTP/AVP 96", "c=IN IP4 0.0.0.0", "a=control:trackID=1",
            "a=rtpmap:96 H264/90000",
            f"a=fmtp:96 profile-level-id={sets[0][1:4].hex()}; packetization-mode=1; "
            f"sprop-parameter-sets={sprop}",
        ]  # fmt: skip
        if habits.sound:
            pt = 8 if habits.sound.startswith("PCMA") else 97
            lines += [f"m=audio 0 RTP/AVP {pt}", f"a=rtpmap:{pt} {habits.sound}"]
            lines += ["a=control:trackID=2"]
        return "\r\n".join([*lines, ""])

    async def _send(self, writer: asyncio.StreamWriter) -> None:
        """A picture every 40 ms, again and again; a sender report with each."""
        pictures = encoded(in_band=self.habits.in_band, profile=self.habits.profile)
        seq, timestamp, played = 65530, 4_000_000_000, 0
        while True:
            units = pictures[played % len(pictures)]
            parts = payloads(units, self.habits.payload_size)
            for at, payload in enumerate(parts):
                second = 96 | (0x80 if at == len(parts) - 1 else 0)
                packet = struct.pack("!BBHII", 0x80, second, seq & 0xFFFF, timestamp, 0x11223344)
                self._interleave(writer, 0, packet + payload)
                seq += 1
                self.sent += 1
                if self.habits.hang_up_after and self.sent >= self.habits.hang_up_after:
                    self.sent = 0
                    writer.close()
                    return
            report = struct.pack(
                "!BBHIQIII", 0x80, 200, 6, 0x11223344, played << 32, timestamp, 1, 1
            )
            self._interleave(writer, 1, report)
            if self.habits.sound.startswith("opus"):
                sound = struct.pack("!BBHII", 0x80, 97, played & 0xFFFF, played * 960, 0x55667788)
                self._interleave(writer, 2, sound + b"\xfc\xff\xfe" + bytes([played & 0xFF]))
            await writer.drain()
            played += 1
            step = -3600 if self.habits.reordered and played % 3 == 2 else 3600
            timestamp = (timestamp + step) & 0xFFFFFFFF
            await asyncio.sleep(1 / FPS)

    @staticmethod
    def _interleave(writer: asyncio.StreamWriter, channel: int, packet: bytes) -> None:
        writer.write(b"$" + bytes([channel]) + len(packet).to_bytes(2, "big") + packet)
