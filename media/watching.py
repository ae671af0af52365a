"""The viewer's side of the Python engine: one stream of one track, and which source feeds it.

Invariant: ``attached`` is the source whose packets leave under the stream's SSRC, ``target`` the
one that should; where they differ the stream waits at the target for a keyframe.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from media.forwarding import Rewriter
from media.publishing import Source, Track
from media.ring import Packet

RESENDS_BURST: Final = 128
RESENDS_SHARE: Final = 4  # one resend for so many packets sent, in the long run
RESENDS_LEFT_MAX: Final = RESENDS_BURST * RESENDS_SHARE
SKEW_US_MAX: Final = 2_000_000


@dataclass(slots=True, eq=False)
class Stream:
    """A subscription inside of the engine."""

    number: int
    peer: int
    track: Track
    rewriter: Rewriter
    aim: int
    paused: bool = False
    attached: Source | None = None
    target: Source | None = None
    last_us: int = 0
    packets: int = 0
    octets: int = 0
    resent: int = 0
    resends_left: int = RESENDS_LEFT_MAX

    def choose(self) -> None:
        """Look for the right source anew: after a change of aim, of pause, or of the sources."""
        wanted = None if self.paused or self.track.paused else self.track.source_for(self.aim)
        if wanted is None:
            self.detach()
        if wanted is self.target:
            return
        if self.target is not None and self in self.target.waiting:
            self.target.waiting.remove(self)
        self.target = wanted
        if wanted is not None and wanted is not self.attached:
            wanted.waiting.append(self)
            if self.track.is_video:
                wanted.keyframes.need()

    def detach(self) -> None:
        """No more packets until a target is joined."""
        if self.attached is not None:
            self.attached.watchers.remove(self)
            self.attached = None

    def join(self, source: Source, packet: Packet) -> None:
        """``packet`` starts a keyframe of the target (or is sound): let it be the next one."""
        assert source is self.target
        elapsed = self._elapsed_ticks(source, packet)
        self.detach()
        self.attached = source
        source.watchers.append(self)
        self.rewriter.switch(source.number, packet, elapsed)

    def _elapsed_ticks(self, source: Source, packet: Packet) -> int:
        """By how much later ``packet`` was captured than the latest packet that left.

        By the publisher's own clock where both sources have told it (sender reports), else by
        ours; a publisher's clock that contradicts ours is not believed.
        """
        clock = source.reception.clock_hz
        by_arrival = (packet.arrival_us - self.last_us) * clock // 1_000_000
        old = self.attached
        if old is None or old.track is not source.track:
            return by_arrival
        before, after = old.reception.sender_times, source.reception.sender_times
        if not before or not after:
            return by_arrival
        sent = self.rewriter.timestamp - self.rewriter.now.timestamp_offset
        old_ticks = _signed(sent - before[1])
        new_ticks = _signed(packet.timestamp - after[1])
        by_publisher = ((after[0] - before[0]) * clock >> 32) + new_ticks - old_ticks
        if abs(by_publisher - by_arrival) > SKEW_US_MAX * clock // 1_000_000:
            return by_arrival
        return by_publisher

    def may_resend(self) -> bool:
        """Whether the budget allows it: asking again must cost the asker's own bandwidth."""
        if self.resends_left < RESENDS_SHARE:
            return False
        self.resends_left -= RESENDS_SHARE
        return True


def _signed(ticks: int) -> int:
    return ((ticks + 0x80000000) & 0xFFFFFFFF) - 0x80000000
