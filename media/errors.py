"""What the media plane refuses, by a stable code (拒绝码).

Invariant: whatever a participant asks or sends in SDP, it is done or refused by one of these codes;
packets that make no sense are dropped and counted instead.
"""

from typing import Final

CODES: Final = (
    "media.sdp",  # not an offer or answer that we understand
    "media.sdp_size",
    "media.no_codec",  # none that the room forwards
    "media.not_allowed",
    "media.unknown",  # room, member, track or leg
    "media.state",  # not now: an answer without an offer, a second offer on a leg
    "media.full",  # rooms, members, tracks, viewers
    "media.too_often",
)


class MediaRefused(Exception):
    """``code`` is one of `CODES`; ``detail`` is for logs."""

    def __init__(self, code: str, detail: str = "") -> None:
        assert code in CODES
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
        self.detail = detail
