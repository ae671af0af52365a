"""Opus (RFC 7587): one packet is one frame; RFC 6716 §3.1 says how long it lasts."""

from typing import Final

from media.recording.depacketise.frames import Counters, Frame, Unit

RATE: Final = 48_000
DURATION_MAX: Final = 5760  # 120 ms (RFC 6716 §3.2.5, R5)
# 20 ms of silence, two channels: CELT, full band, nothing in it.
SILENCE: Final = b"\xfc\xff\xfe"
SILENCE_DURATION: Final = 960
_SILK: Final = (480, 960, 1920, 2880)
_CELT: Final = (120, 240, 480, 960)


def opus_duration(packet: bytes) -> int:
    """Samples at 48 kHz; 0 if the packet is none (RFC 6716 §3.1, §3.2)."""
    if not packet:
        return 0
    configuration, code = packet[0] >> 3, packet[0] & 3
    if configuration < 12:
        samples = _SILK[configuration & 3]
    elif configuration < 16:
        samples = _SILK[configuration & 1]
    else:
        samples = _CELT[configuration & 3]
    if code == 3:
        if len(packet) < 2:
            return 0
        frames = packet[1] & 0x3F
    else:
        frames = 1 if code == 0 else 2
    duration = samples * frames
    return duration if 0 < duration <= DURATION_MAX else 0


class OpusDepacketiser:
    """Every packet stands for itself, so a gap costs only what was in it."""

    def push(self, unit: Unit, counters: Counters) -> list[Frame]:
        data = unit.view.payload
        if not opus_duration(data):
            counters.malformed += bool(data)
            return []
        counters.frames += 1
        return [Frame(unit.timestamp, unit.arrival_ns, data, True)]

    def gap(self, counters: Counters) -> None:
        """Nothing to do: the decoder conceals what is missing."""
