"""What a camera says it sends (DESCRIBE, RFC 2326 appendix C): the picture and sound that we take.

Invariant: pure. The first H.264 picture is taken, and the first Opus sound; everything else is
named in ``ignored``. Whatever a server writes, it is read or a CameraFailed.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, field
from typing import Final

from media.codecs import Codec
from media.errors import CameraFailed
from media.rtsp_login import URL_CHARS_MAX
from media.rtsp_messages import is_safe

LINES_MAX: Final = 500
SECTIONS_MAX: Final = 16
# They go in one packet before a keyframe.
PARAMETER_SETS_MAX: Final = 8
PARAMETER_BYTES_MAX: Final = 1024
# Baseline, Main, High: what browsers decode, whatever the SDP between us and them says.
PROFILES: Final = ("42", "4d", "64")
_SPS, _PPS = 7, 8
_MEDIA: Final = re.compile(r"(audio|video|application) [0-9]{1,5} RTP/AVP ([0-9]{1,3})\b.*")
_RTPMAP: Final = re.compile(
    r"([0-9]{1,3}) ([A-Za-z0-9_.-]{1,32})/([0-9]{1,6})(?:/([0-9]{1,2}))?\s*"
)


@dataclass(frozen=True, slots=True)
class CameraTrack:
    """``control`` is the URL to set it up; ``parameters`` are H.264's SPS and PPS, if told."""

    codec: Codec
    pt: int
    control: str
    parameters: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class CameraOffer:
    """``control`` is the URL that all of it is played by."""

    control: str
    tracks: tuple[CameraTrack, ...]
    ignored: tuple[str, ...]


@dataclass(slots=True)
class _Section:
    kind: str
    pt: int
    name: str = ""
    control: str = ""
    fmtp: dict[str, str] = field(default_factory=dict[str, str])


def read_camera(body: bytes, base: str) -> CameraOffer:
    """``base`` is what controls are relative to. CameraFailed camera.malformed, camera.no_h264."""
    lines = body.decode("utf-8", "replace").splitlines()
    if len(lines) > LINES_MAX:
        raise CameraFailed("camera.malformed", "description")
    whole = ""
    sections: list[_Section] = []
    for line in lines:
        key, _, value = line.strip().partition("=")
        if key == "m":
            if len(sections) == SECTIONS_MAX:
                raise CameraFailed("camera.malformed", "sections")
            found = _MEDIA.fullmatch(value)
            kind, pt = (found[1], int(found[2])) if found else ("other", -1)
            sections.append(_Section(kind, pt))
        elif key == "a" and sections:
            _attribute(sections[-1], value)
        elif key == "a" and value.startswith("control:"):
            whole = value.removeprefix("control:").strip()
    tracks: list[CameraTrack] = []
    ignored: list[str] = []
    for section in sections:
        track = _track(section, base)
        if track is None or track.codec in [one.codec for one in tracks]:
            ignored.append(f"{section.kind} {section.name or section.pt}")
        else:
            tracks.append(track)
    if Codec.H264 not in [one.codec for one in tracks]:
        raise CameraFailed("camera.no_h264", ", ".join(ignored)[:200])
    return CameraOffer(_control(whole or "*", base), tuple(tracks), tuple(ignored))


def _attribute(section: _Section, value: str) -> None:
    name, _, rest = value.partition(":")
    if name == "control":
        section.control = rest.strip()
    elif name == "rtpmap":
        found = _RTPMAP.fullmatch(rest.strip())
        if found is not None and int(found[1]) == section.pt:
            section.name = f"{found[2].lower()}/{found[3]}"
    elif name == "fmtp":
        pt, _, pairs = rest.partition(" ")
        if pt == str(section.pt):
            for pair in pairs.split(";")[:32]:
                key, _, text = pair.strip().partition("=")
                section.fmtp.setdefault(key.lower(), text)


def _track(section: _Section, base: str) -> CameraTrack | None:
    if section.pt not in range(128):
        return None
    control = _control(section.control or "*", base)
    if section.kind == "video" and section.name == "h264/90000":
        profile = section.fmtp.get("profile-level-id", "").lower()
        # Interleaved packets (mode 2) are in no order that a viewer knows.
        if section.fmtp.get("packetization-mode", "0") not in ("0", "1"):
            return None
        if profile and profile[:2] not in PROFILES:
            return None
        sets = _parameter_sets(section.fmtp.get("sprop-parameter-sets", ""))
        return CameraTrack(Codec.H264, section.pt, control, sets)
    if section.kind == "audio" and section.name == "opus/48000":
        return CameraTrack(Codec.OPUS, section.pt, control)
    return None


def _parameter_sets(text: str) -> tuple[bytes, ...]:
    """SPS and PPS; none where they cannot be read: then only what is in the stream counts."""
    sets: list[bytes] = []
    for part in text.split(",")[:PARAMETER_SETS_MAX]:
        try:
            unit = base64.b64decode(part.strip(), validate=True)
        except (binascii.Error, ValueError):
            return ()
        if unit and unit[0] & 0x1F in (_SPS, _PPS):
            sets.append(unit)
    return tuple(sets) if sum(map(len, sets)) <= PARAMETER_BYTES_MAX else ()


def _control(control: str, base: str) -> str:
    """The URL of a control attribute (RFC 2326 C.1.1), as servers mean it: appended to the base.

    It goes to the same connection whatever host it names.
    """
    if control == "*":
        url = base
    elif control.lower().startswith("rtsp://"):
        url = control
    else:
        url = base + ("" if base.endswith("/") else "/") + control
    if len(url) > 2 * URL_CHARS_MAX or not is_safe(url) or " " in url:
        raise CameraFailed("camera.malformed", "control")
    return url
