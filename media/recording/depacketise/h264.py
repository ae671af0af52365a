"""H.264 (RFC 6184): single NAL units, STAP-A and FU-A joined to access units.

Interleaved modes (STAP-B, MTAP, FU-B) are never negotiated and count as malformed. An access unit
comes out as NAL units with four bytes of length before each, parameter sets included: a picture may
change its size in the middle, and then the new ones stand with the new keyframe.
"""

from collections.abc import Iterator
from typing import Final

from media.recording.depacketise.frames import (
    FRAME_BYTES_MAX,
    Counters,
    Frame,
    Gathering,
    Unit,
    VideoFormat,
)
from media.recording.depacketise.sps import picture_size

NALS_MAX: Final = 512
NAL_BYTES_MAX: Final = FRAME_BYTES_MAX
SLICE, IDR, SPS, PPS, DELIMITER, STAP_A, FU_A = 1, 5, 7, 8, 9, 24, 28
_LENGTH: Final = 4


class H264Depacketiser:
    """Gathers the NAL units of one timestamp; the marker or the next timestamp ends them."""

    def __init__(self) -> None:
        self._gathering: Gathering | None = None
        self._fragment: bytearray | None = None
        self._parameters: dict[int, bytes] = {}  # the latest SPS and PPS
        self._needs_key = True
        self._follows_gap = False
        self._skipped: int | None = None  # timestamp of a picture whose beginning is gone

    def gap(self, counters: Counters) -> None:
        if self._gathering is not None or self._fragment is not None:
            counters.frames_dropped += 1
        self._gathering = self._fragment = None
        self._needs_key = self._follows_gap = True

    def push(self, unit: Unit, counters: Counters) -> list[Frame]:
        payload = unit.view.payload
        if not payload:
            return []
        done: list[Frame] = []
        if self._gathering is not None and self._gathering.timestamp != unit.timestamp:
            # Its marker never came, and still nothing is missing: some cameras set none.
            done = self._finish(self._gathering, unit, counters)
        if self._is_remains(unit, payload):
            counters.frames_dropped += self._skipped != unit.timestamp
            self._skipped = unit.timestamp
            self._needs_key = True
            return done
        if self._gathering is None:
            self._gathering = Gathering(unit.timestamp)
        if not self._take(self._gathering, payload):
            counters.malformed += 1
            self.gap(counters)
            self._skipped = unit.timestamp
            return done
        if unit.view.marker:
            done += self._finish(self._gathering, unit, counters)
        return done

    def _is_remains(self, unit: Unit, payload: bytes) -> bool:
        """Part of a picture that began before a gap."""
        if self._skipped == unit.timestamp:
            return True
        is_fragment = payload[0] & 0x1F == FU_A and len(payload) > 2
        begins = is_fragment and payload[1] & 0x80
        return self._gathering is None and is_fragment and not begins

    def _take(self, gathering: Gathering, payload: bytes) -> bool:
        kind = payload[0] & 0x1F
        if self._fragment is not None and kind != FU_A:
            return False  # a fragmented NAL unit that has no end
        if 1 <= kind <= 23:
            return self._add(gathering, payload)
        if kind == STAP_A:
            nals = list(stap_a(payload))
            return bool(nals) and all(self._add(gathering, nal) for nal in nals)
        if kind == FU_A:
            return self._take_fragment(gathering, payload)
        return False

    def _take_fragment(self, gathering: Gathering, payload: bytes) -> bool:
        """RFC 6184 §5.8."""
        if len(payload) < 3:
            return False
        begins, ends = payload[1] & 0x80, payload[1] & 0x40
        if begins:
            if self._fragment is not None or ends:
                return False
            self._fragment = bytearray([payload[0] & 0xE0 | payload[1] & 0x1F])
        if self._fragment is None:
            return False
        self._fragment += payload[2:]
        if len(self._fragment) > NAL_BYTES_MAX:
            return False
        if ends:
            nal, self._fragment = bytes(self._fragment), None
            return self._add(gathering, nal)
        return True

    def _add(self, gathering: Gathering, nal: bytes) -> bool:
        if not nal or nal[0] & 0x80 or len(gathering.parts) >= NALS_MAX:
            return False
        return gathering.add(nal)

    def _finish(self, gathering: Gathering, unit: Unit, counters: Counters) -> list[Frame]:
        self._gathering = None
        follows_gap, self._follows_gap = self._follows_gap, False
        if self._fragment is not None:
            self._fragment = None
            self._needs_key = True
            counters.frames_dropped += 1
            return []
        nals = [nal for nal in gathering.parts if nal[0] & 0x1F != DELIMITER]
        for nal in nals:
            if nal[0] & 0x1F in (SPS, PPS):
                self._parameters[nal[0] & 0x1F] = nal
        slices = [nal for nal in nals if 1 <= nal[0] & 0x1F <= 5]
        if not slices:
            return []  # parameter sets by themselves, waiting for their picture
        has_own = any(nal[0] & 0x1F == SPS for nal in nals)
        # Some cameras send parameter sets once. Right after a gap theirs may be what is missing.
        form = self._format() if _is_key(slices) and (has_own or not follows_gap) else None
        if self._needs_key and form is None:
            counters.frames_dropped += 1
            return []
        if form is not None and not has_own:
            nals = [self._parameters[SPS], self._parameters[PPS], *nals]
        self._needs_key = False
        counters.frames += 1
        data = b"".join(len(nal).to_bytes(_LENGTH, "big") + nal for nal in nals)
        return [Frame(gathering.timestamp, unit.arrival_ns, data, form is not None, form)]

    def _format(self) -> VideoFormat | None:
        sps, pps = self._parameters.get(SPS), self._parameters.get(PPS)
        size = picture_size(sps) if sps and pps else None
        if sps is None or pps is None or size is None:
            return None
        return VideoFormat("h264", *size, (sps, pps))


def stap_a(payload: bytes) -> Iterator[bytes]:
    """The NAL units of an aggregation packet (RFC 6184 §5.7.1); nothing if any is cut short."""
    found: list[bytes] = []
    offset = 1
    while offset < len(payload):
        size = int.from_bytes(payload[offset : offset + 2], "big")
        offset += 2
        if not size or offset + size > len(payload):
            return iter(())
        found.append(payload[offset : offset + size])
        offset += size
    return iter(found)


def _is_key(slices: list[bytes]) -> bool:
    """All slices are of an IDR picture, and the first begins it (first_mb_in_slice is 0)."""
    is_idr = all(nal[0] & 0x1F == IDR for nal in slices)
    return is_idr and len(slices[0]) > 1 and bool(slices[0][1] & 0x80)
