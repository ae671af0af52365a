"""A room's stream fed from a trace, and what a player would make of its messages."""

import io
import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import av

from media.fragments.room import RoomStream
from tests.media.recording.traces import H264, OPUS, Sent

MONO_NS = 7_000_000_000_000
UTC_MS = 1_795_000_000_000
TICK_NS = 250_000_000


def make_room(post: Callable[[Callable[[], None]], object] = lambda call: call()) -> RoomStream:
    room = RoomStream(lambda track: None, post)
    room.show("video", "cam", H264)
    room.show("audio", "mic", OPUS)
    return room


def feed(room: RoomStream, sent: Iterable[Sent], tick: bool = True) -> None:
    """Everything at once, with the ticks in between."""
    ticked = 0
    for one in sent:
        now = MONO_NS + one.at_ns
        if tick and one.at_ns - ticked >= TICK_NS:
            ticked = one.at_ns
            room.tick(now)
        if one.is_report:
            room.rtcp(one.track, one.raw)
        else:
            room.packets(one.track, [(now, one.raw)], UTC_MS + one.at_ns // 1_000_000)


@dataclass
class Player:
    """Takes messages apart as the page does."""

    layouts: list[bytes] = field(default_factory=list)
    mimes: dict[int, str] = field(default_factory=dict)
    streams: dict[int, bytes] = field(default_factory=dict)
    serials: list[int] = field(default_factory=list)
    starts: list[tuple[int, bool, int, int]] = field(default_factory=list)

    def take(self, messages: Iterable[bytes]) -> "Player":
        for message in messages:
            if message[0] == 0:
                self.layouts.append(message[1:])
                self.streams.clear()
            elif message[0] == 1:
                stream, size = struct.unpack_from(">BH", message, 1)
                self.mimes[stream] = message[4 : 4 + size].decode()
                self.streams[stream] = self.streams.get(stream, b"") + message[4 + size :]
            else:
                _, stream, is_key, _, serial, utc_ms, time_us = struct.unpack_from(
                    ">BBBBIQQ", message
                )
                assert stream in self.streams, "an init comes before its fragments"
                self.streams[stream] += message[24:]
                self.serials.append(serial)
                self.starts.append((stream, bool(is_key), utc_ms, time_us))
        return self

    def packets(self, stream: int) -> list[av.Packet]:
        with av.open(io.BytesIO(self.streams[stream]), format="mp4") as container:
            return [packet for packet in container.demux() if packet.size]

    def pictures(self, stream: int = 0) -> list[av.VideoFrame]:
        with av.open(io.BytesIO(self.streams[stream]), format="mp4") as container:
            return list(container.decode(video=0))
