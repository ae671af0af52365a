"""VP8 (RFC 7741): the payload descriptor off, partitions joined, keyframes known by their bits."""

from media.recording.depacketise.frames import Counters, Frame, Gathering, Unit, VideoFormat

_START_CODE = b"\x9d\x01\x2a"  # RFC 6386 §9.1


def vp8_payload(payload: bytes) -> tuple[bool, bytes] | None:
    """(begins a frame, bytes of the frame) of one RTP payload; None if it is malformed (§4.2)."""
    if not payload:
        return None
    first, offset = payload[0], 1
    if first & 0x80:  # X: more of the descriptor
        if len(payload) < 2:
            return None
        more, offset = payload[1], 2
        if more & 0x80:  # I: picture id of 7 or 15 bits
            if len(payload) <= offset:
                return None
            offset += 2 if payload[offset] & 0x80 else 1
        offset += bool(more & 0x40)  # L: TL0PICIDX
        offset += bool(more & 0x30)  # T or K: TID, Y, KEYIDX
    if offset >= len(payload):
        return None
    begins = bool(first & 0x10) and not first & 0x07
    return begins, payload[offset:]


def vp8_keyframe(frame: bytes) -> VideoFormat | None:
    """The format that a keyframe begins with; None if the frame is none (RFC 6386 §9.1)."""
    if len(frame) < 10 or frame[0] & 1 or frame[3:6] != _START_CODE:
        return None
    width = int.from_bytes(frame[6:8], "little") & 0x3FFF
    height = int.from_bytes(frame[8:10], "little") & 0x3FFF
    return VideoFormat("vp8", width, height) if width and height else None


class Vp8Depacketiser:
    """Gathers a frame from its first packet to the one with the marker."""

    def __init__(self) -> None:
        self._gathering: Gathering | None = None
        self._needs_key = True

    def gap(self, counters: Counters) -> None:
        counters.frames_dropped += self._gathering is not None
        self._gathering = None
        self._needs_key = True

    def push(self, unit: Unit, counters: Counters) -> list[Frame]:
        payload = unit.view.payload
        if not payload:
            return []  # padding to measure the bandwidth
        found = vp8_payload(payload)
        if found is None:
            counters.malformed += 1
            self.gap(counters)
            return []
        begins, part = found
        if begins:
            if self._gathering is not None:  # its end never came
                self.gap(counters)
            self._gathering = Gathering(unit.timestamp)
        gathering = self._gathering
        if gathering is None:
            # The rest of a frame whose beginning is gone.
            counters.frames_dropped += unit.view.marker
            self._needs_key = True
            return []
        if gathering.timestamp != unit.timestamp or not gathering.add(part):
            self.gap(counters)
            return []
        return self._finish(gathering, unit, counters) if unit.view.marker else []

    def _finish(self, gathering: Gathering, unit: Unit, counters: Counters) -> list[Frame]:
        self._gathering = None
        data = b"".join(gathering.parts)
        form = vp8_keyframe(data)
        if form is None and self._needs_key:
            counters.frames_dropped += 1
            return []
        self._needs_key = False
        counters.frames += 1
        return [Frame(unit.timestamp, unit.arrival_ns, data, form is not None, form)]
