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


CAMERA_CODES: Final = (
    "camera.url",  # not rtsp://[user:password@]host[:port]/path
    "camera.unreachable",  # no connection, or it broke
    "camera.malformed",  # what it said is not RTSP, or too much of it
    "camera.login",  # it does not take the user and the password
    "camera.redirected",  # somewhere else: never followed
    "camera.refused",  # another status than 200
    "camera.no_h264",  # nothing that we forward
    "camera.silent",  # no answer, or no picture any more
    "camera.flood",  # far more than a camera sends
    "camera.replaced",  # its place in the room is gone, or somebody else's
)


class CameraFailed(Exception):
    """A camera that we fetch (media/rtsp_camera.py) is not there. ``detail`` never has its URL."""

    def __init__(self, code: str, detail: str = "") -> None:
        assert code in CAMERA_CODES
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
        self.detail = detail
