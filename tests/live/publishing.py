"""A publisher on real wires: DTLS and SRTP over loopback, pictures and sound that can be checked.

``sent`` keeps the sequence numbers by label, so a test can say of each packet whether it was kept.
"""

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from media.grants import Grants, Label
from media.packets import build_rtp, parse_rtp
from media.sfu import Sfu
from tests.media.recording.traces import Sent
from tests.media.thin_peer import H264_PT, MID_ID, OPUS_PT, ThinPeer

ANYTHING = Grants(publish=frozenset(Label), watch=True, mute=True)
LABELS = {"0": Label.CAMERA, "1": Label.MICROPHONE}
WAYS = {"cam": ("0", H264_PT), "mic": ("1", OPUS_PT)}
PATIENCE_S = 40


@dataclass
class Publisher:
    """``sent``: sequence numbers by track of the trace; ``at_ms``: UTC of each packet sent."""

    peer: ThinPeer
    sent: dict[str, list[int]] = field(default_factory=lambda: {"cam": [], "mic": []})
    at_ms: dict[tuple[str, int], int] = field(default_factory=dict)

    @classmethod
    async def join(
        cls,
        publish: Callable[[str, dict[str, Label]], Any],
        name: str,
        labels: dict[str, Label] = LABELS,
    ) -> "Publisher":
        """``publish(offer, labels)`` is the unit's or the site's; returns once connected."""
        peer = ThinPeer(name)
        answer = await publish(peer.offer(), labels)
        await peer.connect(answer)
        return cls(peer)

    @classmethod
    async def into(cls, sfu: Sfu, room: str, member: str, name: str, **more: Any) -> "Publisher":
        sfu.admit(room, member, ANYTHING)
        return await cls.join(lambda offer, labels: sfu.publish(room, member, offer, labels),
                              name, **more)  # fmt: skip

    def send(self, one: Sent) -> None:
        mid, pt = WAYS[one.track]
        if one.is_report:
            self.peer._wire.sendto(self.peer._dtls._tx_srtp.protect_rtcp(one.raw))
            return
        view = parse_rtp(one.raw)
        assert view is not None
        plain = build_rtp(
            pt, view.seq, view.timestamp, view.ssrc, view.payload,
            marker=view.marker, extensions=[(MID_ID, mid.encode())],
        )  # fmt: skip
        self.sent[one.track].append(view.seq)
        self.at_ms[one.track, view.seq] = time.time_ns() // 1_000_000
        self.peer._wire.sendto(self.peer._dtls._tx_srtp.protect(plain))

    async def play(self, trace: Iterable[Sent]) -> None:
        """As fast as it was made."""
        began_ns = time.monotonic_ns()
        for one in trace:
            wait_ns = one.at_ns - (time.monotonic_ns() - began_ns)
            if wait_ns > 1_000_000:
                await asyncio.sleep(wait_ns / 1e9)
            self.send(one)

    async def close(self) -> None:
        await self.peer.close()


async def until(is_so: Callable[[], object]) -> None:
    """Waits until something is so, or says that it never was."""
    async with asyncio.timeout(PATIENCE_S):
        while not is_so():  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.02)
