"""What has arrived from publishers, told back to them: transport feedback, NACK, reports.

Invariant: pure and bounded. `TransportArrivals` is the whole basis of a browser's bandwidth
estimate: without it Chrome stays at a fraction of what the path carries.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from media.packets import seq_delta
from media.rtcp import ReportBlock, TransportFeedback

TICK_US: Final = 250
REFERENCE_US: Final = 64_000
TRANSPORT_PACKETS_MAX: Final = 1024  # one feedback; 100 ms of 80 Mbit/s
LOST_MAX: Final = 300
NACK_TRIES_MAX: Final = 6
NACK_INTERVAL_MS: Final = 60
NACK_AGE_MS_MAX: Final = 1_000


class TransportArrivals:
    """Arrival times by transport-wide sequence number, since the last feedback."""

    __slots__ = ("_arrived", "_highest", "_next", "_number")

    def __init__(self) -> None:
        self._arrived: dict[int, int] = {}
        self._highest = -1
        self._next = -1
        self._number = 0

    def note(self, seq: int, arrival_us: int) -> None:
        """Packet ``seq`` (16 bits) has arrived. A jump too large to be loss starts anew."""
        extended = self._highest + seq_delta(seq, self._highest & 0xFFFF)
        if self._highest < 0 or abs(extended - self._highest) > TRANSPORT_PACKETS_MAX:
            self._arrived.clear()
            # One turn up, so that what came late before the first one is not negative.
            extended = self._highest = self._next = seq + 0x10000
        if extended < self._next or len(self._arrived) >= TRANSPORT_PACKETS_MAX:
            return
        self._highest = max(self._highest, extended)
        self._arrived.setdefault(extended, arrival_us)

    def feedback(self, sender: int, media: int) -> list[TransportFeedback]:
        """What has arrived since the last call; empty where nothing has."""
        made: list[TransportFeedback] = []
        while self._arrived:
            made.append(self._one(sender, media))
        return made

    def _one(self, sender: int, media: int) -> TransportFeedback:
        first = max(self._next, min(self._arrived) - TRANSPORT_PACKETS_MAX)
        end = max(self._arrived) + 1
        reference = self._arrived[min(self._arrived)] // REFERENCE_US
        arrivals: list[int | None] = []
        last = 0
        for seq in range(first, min(end, first + TRANSPORT_PACKETS_MAX)):
            at_us = self._arrived.get(seq)
            if at_us is None:
                arrivals.append(None)
                continue
            ticks = (at_us - reference * REFERENCE_US) // TICK_US
            if not -0x8000 <= ticks - last <= 0x7FFF:
                break  # does not fit: the rest goes into another feedback
            arrivals.append(ticks)
            last = ticks
            del self._arrived[seq]
        assert arrivals
        self._next = first + len(arrivals)
        self._number = (self._number + 1) & 0xFF
        number = (self._number - 1) & 0xFF
        masked = reference & 0xFFFFFF
        return TransportFeedback(sender, media, first & 0xFFFF, masked, number, tuple(arrivals))


@dataclass(slots=True)
class _Missing:
    since_ms: int
    tries: int = 0
    asked_ms: int = 0


class LossFinder:
    """Numbers of one source that are missing, and when to ask for them."""

    __slots__ = ("_highest", "_missing", "gave_up")

    def __init__(self) -> None:
        self._highest = -1
        self._missing: dict[int, _Missing] = {}
        self.gave_up = False  # something will not come: the picture needs a keyframe

    def note(self, seq: int, now_ms: int) -> None:
        """Extended number ``seq`` has arrived."""
        if seq == self._highest + 1 or self._highest < 0:
            self._highest = seq
            return
        if seq <= self._highest:
            self._missing.pop(seq, None)
            return
        gap = seq - self._highest - 1
        if gap + len(self._missing) > LOST_MAX:
            self._missing.clear()
            self.gave_up = True
        elif gap:
            for lost in range(self._highest + 1, seq):
                self._missing[lost] = _Missing(now_ms)
        self._highest = seq

    def due(self, now_ms: int) -> list[int]:
        """Numbers to ask for now, rising."""
        asked: list[int] = []
        for seq, lost in list(self._missing.items()):
            if lost.tries >= NACK_TRIES_MAX or now_ms - lost.since_ms > NACK_AGE_MS_MAX:
                del self._missing[seq]
                self.gave_up = True
            elif not lost.tries or now_ms - lost.asked_ms >= NACK_INTERVAL_MS << lost.tries - 1:
                lost.tries += 1
                lost.asked_ms = now_ms
                asked.append(seq)
        return sorted(asked)


@dataclass(slots=True)
class Reception:
    """The figures of a receiver report on one source (RFC 3550 §6.4.1, A.3, A.8)."""

    clock_hz: int
    first: int = -1
    highest: int = -1
    received: int = 0
    _jitter: int = 0  # sixteenths, as in A.8
    _transit: int | None = None
    _expected_before: int = 0
    _received_before: int = 0
    _last_sr: int = 0
    sender_times: tuple[int, int] | None = None  # ntp and timestamp of the last sender report
    sender_times_us: int = 0  # when it came

    def note(self, seq: int, timestamp: int, arrival_us: int) -> None:
        self.received += 1
        if self.first < 0:
            self.first = seq
        # Not max and min: this runs for every packet.
        if seq > self.highest:
            self.highest = seq
        elif seq < self.first:
            self.first = seq
        transit = (arrival_us * self.clock_hz // 1_000_000 - timestamp) & 0xFFFFFFFF
        if self._transit is not None:
            moved = ((transit - self._transit + 0x80000000) & 0xFFFFFFFF) - 0x80000000
            self._jitter += abs(moved) - ((self._jitter + 8) >> 4)
        self._transit = transit

    def heard(self, ntp: int, timestamp: int, now_us: int) -> None:
        """A sender report of the source."""
        self._last_sr = ntp >> 16 & 0xFFFFFFFF
        self.sender_times = (ntp, timestamp)
        self.sender_times_us = now_us

    def block(self, ssrc: int, now_us: int) -> ReportBlock:
        """The figures since the last call."""
        expected = self.highest - self.first + 1 if self.first >= 0 else 0
        due = expected - self._expected_before
        lost = due - (self.received - self._received_before)
        self._expected_before, self._received_before = expected, self.received
        fraction = min(255, (lost << 8) // due) if due > 0 and lost > 0 else 0
        since = (now_us - self.sender_times_us) * 65536 // 1_000_000 if self._last_sr else 0
        return ReportBlock(
            ssrc,
            fraction,
            expected - self.received,
            self.highest & 0xFFFFFFFF if self.highest >= 0 else 0,
            min(self._jitter >> 4, 0xFFFFFFFF),
            self._last_sr,
            min(since, 0xFFFFFFFF),
        )
