"""Cameras and encoders that come by themselves (WHIP, RFC 9725): tokens, sessions, fragments.

One POST brings an offer and gets an answer; what it made is ended by DELETE, and its ICE restarted
by PATCH. Invariant: pure; a session is reached by its camera's token only; a camera has at most
one, its newest; whatever a client writes is read or a Refused.
"""

import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from media.codecs import Codec
from media.errors import MediaRefused
from media.grants import Label
from media.sdp import Section, read, terms_of
from server.domain.refusals import Refused

SDP: Final = "application/sdp"
FRAGMENT: Final = "application/trickle-ice-sdpfrag"
FRAGMENT_BYTES_MAX: Final = 16 << 10
FRAGMENT_LINES_MAX: Final = 400
TOKEN_CHARS_MIN: Final = 20
AUTHORIZATION_CHARS_MAX: Final = 1024
ANY: Final = ":*"
CODECS: Final = (Codec.H264, Codec.OPUS)
_ICE: Final = re.compile(r"[A-Za-z0-9+/]{4,256}")
_MID: Final = re.compile(r"[A-Za-z0-9_.+/-]{1,64}")
_TAG: Final = re.compile(r'"[0-9a-f]{32}"')
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")


@dataclass(frozen=True, slots=True)
class WhipCamera:
    """One line of the configuration. ``room`` may end in ``:*``: any of that kind.

    ValueError where the line is none.
    """

    room: str
    name: str
    token: str = field(repr=False)

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name) or ":" not in self.room:
            raise ValueError("media.whip")
        if len(self.token) < TOKEN_CHARS_MIN or not self.token.isascii():
            raise ValueError("media.whip token")


def covers(pattern: str, room: str) -> bool:
    """Whether a camera of the configuration belongs into a room."""
    return pattern == room or (pattern.endswith(ANY) and room.startswith(pattern[:-1]))


@dataclass(slots=True)
class WhipSession:
    """``tag`` names its present ICE session; ``head`` is its first section, for fragments."""

    session: str
    room: str
    member: str
    tag: str
    head: tuple[str, str]


class Whip:
    """Of one site. Names of sessions and their tags, 32 hexadecimal digits, are drawn outside."""

    def __init__(self, cameras: Sequence[WhipCamera]) -> None:
        self._cameras = [(camera, _digest(camera.token)) for camera in cameras]
        self._sessions: dict[str, WhipSession] = {}

    def member(self, room: str, authorization: str) -> str:
        """The camera whose token it is. Refused ``whip.token``; takes as long for any token."""
        scheme, _, token = authorization.partition(" ")
        given = _digest(token.strip()) if len(authorization) <= AUTHORIZATION_CHARS_MAX else b""
        found = ""
        for camera, digest in self._cameras:
            is_right = hmac.compare_digest(given, digest)
            if is_right and scheme.lower() == "bearer" and covers(camera.room, room):
                found = f"camera:{camera.name}"
        if not found:
            raise Refused("whip.token")
        return found

    def begin(
        self, room: str, member: str, head: tuple[str, str], session: str, tag: str
    ) -> WhipSession:
        """What an offer has made; an older one of the same camera is no more."""
        self.forget(room, member)
        made = self._sessions[session] = WhipSession(session, room, member, f'"{tag}"', head)
        return made

    def find(self, room: str, session: str, authorization: str) -> WhipSession:
        """Refused ``whip.token``, then ``whip.unknown``: of another camera is unknown, too."""
        member = self.member(room, authorization)
        found = self._sessions.get(session)
        if found is None or (found.room, found.member) != (room, member):
            raise Refused("whip.unknown")
        return found

    def is_live(self, room: str, member: str) -> bool:
        return any((one.room, one.member) == (room, member) for one in self.sessions())

    def sessions(self) -> list[WhipSession]:
        return list(self._sessions.values())

    def forget(self, room: str, member: str) -> None:
        """Its connection is over. Idempotent."""
        for session, one in list(self._sessions.items()):
            if (one.room, one.member) == (room, member):
                del self._sessions[session]


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()


def labels_of(offer: str) -> tuple[dict[str, str], tuple[str, str]]:
    """What each mid of an encoder's offer is: its first picture and its first sound of those that
    are forwarded. And its first section's kind and mid. MediaRefused as `media.sdp` says.
    """
    description = read(offer)
    labels: dict[str, str] = {}
    for label in (Label.CAMERA, Label.MICROPHONE):
        for section in description.sections:
            if section.is_media and section.kind == label.kind and _is_forwarded(section):
                labels[section.mid] = str(label)
                break
    if not labels:
        raise MediaRefused("media.no_codec")
    first = description.sections[0]
    return labels, (first.kind if first.kind != "other" else "application", first.mid)


def _is_forwarded(section: Section) -> bool:
    try:
        terms_of(section, CODECS)
    except MediaRefused:
        return False
    return True


def wants_restart(session: WhipSession, if_match: str) -> bool:
    """What a PATCH is about, by its If-Match (§4.3.1): all sessions, or the present one's tag.

    Refused ``whip.precondition`` (428) without, ``whip.stale`` (412) of another.
    """
    if not if_match:
        raise Refused("whip.precondition")
    if if_match.strip() == "*":
        return True
    tags = [one.strip() for one in if_match.split(",")[:8]]
    if session.tag not in [one for one in tags if _TAG.fullmatch(one)]:
        raise Refused("whip.stale")
    return False


def read_fragment(text: str) -> str:
    """The client's ICE user name in a fragment (RFC 8840 §9); empty where there is none.

    Its candidates are not kept: we are ICE-lite, and see where it comes from. Refused
    ``whip.fragment``.
    """
    lines = text.splitlines()
    if len(lines) > FRAGMENT_LINES_MAX or not any(line.startswith("a=") for line in lines):
        raise Refused("whip.fragment", why="lines")
    found: dict[str, str] = {}
    for line in lines:
        name, _, value = line.strip().removeprefix("a=").partition(":")
        if line.startswith("a=") and name in ("ice-ufrag", "ice-pwd"):
            if not _ICE.fullmatch(value):
                raise Refused("whip.fragment", why=name)
            found.setdefault(name, value)
    if len(found) == 1:
        raise Refused("whip.fragment", why="half")
    return found.get("ice-ufrag", "")


def write_fragment(
    head: tuple[str, str], ufrag: str, password: str, candidates: Sequence[tuple[str, int]]
) -> str:
    """Our side of an ICE restart."""
    kind, mid = head
    lines = ["a=ice-lite", f"m={kind} 9 UDP/TLS/RTP/SAVPF 0"]
    if _MID.fullmatch(mid):
        lines.append(f"a=mid:{mid}")
    lines += [f"a=ice-ufrag:{ufrag}", f"a=ice-pwd:{password}"]
    for at, (address, port) in enumerate(candidates):
        lines.append(f"a=candidate:{at + 1} 1 udp {2130706431 - at} {address} {port} typ host")
    return "\r\n".join([*lines, "a=end-of-candidates", ""])
