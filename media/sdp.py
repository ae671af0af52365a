"""SDP (RFC 8866, 8829) as far as it goes between us and a browser: read strictly, written plainly.

A publisher offers and we answer ``recvonly`` (`answer_publisher`); to a viewer we offer
``sendonly`` (`offer_viewer`) and read its answer (`read`). We are ICE-lite and always the DTLS
server. Payload types and extension ids towards viewers are the room's (`media.engine`).

Invariant: `read` bounds everything before it keeps it, and raises nothing but MediaRefused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from media.codecs import CLOCK_HZ, Codec
from media.engine import (
    LAYERS_MAX,
    ROOM_AUDIO_LEVEL,
    ROOM_ORIENTATION,
    ROOM_PT,
    ExtensionIds,
    TrackTerms,
)
from media.errors import MediaRefused

SDP_BYTES_MAX: Final = 64 << 10
SECTIONS_MAX: Final = 64
LINES_MAX: Final = 4000
ORIGIN_CHARS_MAX: Final = 128
NAME: Final = "kaibiao"

MID_URI: Final = "urn:ietf:params:rtp-hdrext:sdes:mid"
RID_URI: Final = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"
REPAIRED_URI: Final = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id"
LEVEL_URI: Final = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
ORIENTATION_URI: Final = "urn:3gpp:video-orientation"
TRANSPORT_URI: Final = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"

# Layer names in rising order, whatever order they are offered in. Other names: as offered.
RID_ORDER: Final = ("l", "m", "h")
FORMATS: Final = {Codec.OPUS: "opus/48000/2", Codec.H264: "H264/90000", Codec.VP8: "VP8/90000"}
PROFILE: Final = "42e01f"  # constrained baseline, level 3.1
# Packetization mode and profile, best first. What only encoders in a box offer (main, high, no
# fragments) comes last: a viewer is told constrained baseline all the same, and browsers decode it.
PROFILES: Final = (
    *(("1", profile) for profile in ("42e0", "42c0", "4200", "4d", "640c", "64")),
    *(("0", profile) for profile in ("42", "4d", "64")),
)
FMTP: Final = {
    Codec.OPUS: "minptime=10;useinbandfec=1",
    Codec.H264: "level-asymmetry-allowed=1;packetization-mode={mode};profile-level-id={profile}",
    Codec.VP8: "",
}

_TOKEN: Final = re.compile(r"[A-Za-z0-9_.+/-]{1,64}")
_TRANSPORT: Final = re.compile(r"[A-Z/]{1,32}")
_ICE: Final = re.compile(r"[A-Za-z0-9+/]{4,256}")
_RID: Final = re.compile(r"[A-Za-z0-9_-]{1,16}")
_PROFILE: Final = re.compile(r"[0-9A-Fa-f]{6}")
_FINGERPRINT: Final = re.compile(r"[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){31}")
_DIRECTIONS: Final = ("sendrecv", "sendonly", "recvonly", "inactive")


@dataclass(frozen=True, slots=True)
class Format:
    """One payload type: ``name`` in lower case, ``fmtp`` as key to value."""

    pt: int
    name: str
    clock_hz: int
    fmtp: dict[str, str]


@dataclass(slots=True)
class Section:
    """One m-line with what stands under it."""

    kind: str
    port: int
    mid: str
    profile: str
    direction: str = "sendrecv"
    formats: dict[int, Format] = field(default_factory=dict[int, Format])
    order: list[int] = field(default_factory=list[int])
    extensions: dict[str, int] = field(default_factory=dict[str, int])
    rids: list[str] = field(default_factory=list[str])
    ssrcs: list[int] = field(default_factory=list[int])
    repairs: dict[int, int] = field(default_factory=dict[int, int])  # repair -> repaired
    is_bundle_only: bool = False  # port 0 does not mean refused then (RFC 8843 §6)

    @property
    def is_media(self) -> bool:
        return self.kind in ("audio", "video") and (self.port != 0 or self.is_bundle_only)


@dataclass(slots=True)
class Description:
    """The other end's SDP. ``setup`` is its DTLS role; ``origin`` names its session, the same in
    all descriptions of one connection of a browser.
    """

    sections: list[Section]
    ufrag: str
    fingerprints: tuple[tuple[str, str], ...]
    setup: str
    origin: str = ""


def read(text: str) -> Description:
    """An offer or an answer. MediaRefused media.sdp or media.sdp_size."""
    if len(text) > SDP_BYTES_MAX:
        raise MediaRefused("media.sdp_size")
    lines = text.splitlines()
    if len(lines) > LINES_MAX:
        raise MediaRefused("media.sdp_size")
    if not lines or lines[0].strip() != "v=0":
        raise MediaRefused("media.sdp", "no version")
    common: dict[str, str] = {}
    sections: list[Section] = []
    for line in lines:
        if line.startswith("m="):
            if len(sections) == SECTIONS_MAX:
                raise MediaRefused("media.sdp_size")
            sections.append(_section(line[2:]))
        elif line.startswith("o=") and not sections:
            common.setdefault("origin", " ".join(line[2:].split()[:2])[:ORIGIN_CHARS_MAX])
        elif line.startswith("a="):
            name, _, value = line[2:].strip().partition(":")
            if name in ("ice-ufrag", "fingerprint", "setup"):
                # Everything is bundled: the first section's stands for all.
                common.setdefault(name, value)
            elif sections:
                _attribute(sections[-1], name, value)
    mids = [section.mid for section in sections]
    if len(set(mids)) != len(mids) or not sections:
        raise MediaRefused("media.sdp", "mids")
    setup, origin = common.get("setup", "actpass"), common.get("origin", "")
    return Description(sections, _ufrag(common), _fingerprints(common), setup, origin)


def _ufrag(common: dict[str, str]) -> str:
    ufrag = common.get("ice-ufrag", "")
    if not _ICE.fullmatch(ufrag):
        raise MediaRefused("media.sdp", "ice-ufrag")
    return ufrag


def _fingerprints(common: dict[str, str]) -> tuple[tuple[str, str], ...]:
    algorithm, _, value = common.get("fingerprint", "").partition(" ")
    if algorithm.lower() != "sha-256" or not _FINGERPRINT.fullmatch(value):
        raise MediaRefused("media.sdp", "fingerprint")
    return (("sha-256", value.upper()),)


def _number(value: str, limit: int) -> int:
    if not value.isascii() or not value.isdigit() or len(value) > 10 or int(value) > limit:
        raise MediaRefused("media.sdp", "number")
    return int(value)


def _section(value: str) -> Section:
    words = value.split()
    if len(words) < 4 or len(words) > 64 or not _TRANSPORT.fullmatch(words[2]):
        raise MediaRefused("media.sdp", "m-line")
    kind = words[0] if words[0] in ("audio", "video", "application") else "other"
    section = Section(kind, _number(words[1], 65535), "", words[2])
    if kind in ("audio", "video"):
        section.order = [_number(word, 127) for word in words[3:]]
    return section


def _attribute(section: Section, name: str, value: str) -> None:
    if name == "mid":
        if not _TOKEN.fullmatch(value):
            raise MediaRefused("media.sdp", "mid")
        section.mid = value
    elif name in _DIRECTIONS:
        section.direction = name
    elif name == "bundle-only":
        section.is_bundle_only = True
    elif name == "rtpmap":
        _rtpmap(section, value)
    elif name == "fmtp":
        pt, _, rest = value.partition(" ")
        known = section.formats.get(_number(pt, 127))
        if known is not None:
            pairs = (pair.strip().partition("=") for pair in rest.split(";")[:32])
            known.fmtp.update({key.lower(): text[:64] for key, _, text in pairs})
    elif name == "extmap":
        number, _, uri = value.partition(" ")
        number = number.partition("/")[0]
        # Ids above 14 need the two-byte form, which nobody needs here.
        if (at := _number(number, 255)) and at <= 14:
            section.extensions.setdefault(uri.split()[0] if uri.split() else "", at)
    elif name == "rid":
        _rid(section, value)
    elif name == "ssrc":
        ssrc = _number(value.split()[0] if value.split() else "", 0xFFFFFFFF)
        if ssrc not in section.ssrcs and len(section.ssrcs) < 2 * LAYERS_MAX:
            section.ssrcs.append(ssrc)
    elif name == "ssrc-group" and value.startswith("FID "):
        pair = [_number(word, 0xFFFFFFFF) for word in value.split()[1:3]]
        if len(pair) == 2 and len(section.repairs) < LAYERS_MAX:
            section.repairs[pair[1]] = pair[0]


def _rtpmap(section: Section, value: str) -> None:
    pt, _, form = value.partition(" ")
    parts = form.strip().split("/")
    if len(parts) < 2 or len(section.formats) >= 64:
        raise MediaRefused("media.sdp", "rtpmap")
    number = _number(pt, 127)
    section.formats[number] = Format(number, parts[0].lower(), _number(parts[1], 1 << 20), {})


def _rid(section: Section, value: str) -> None:
    words = value.split()
    if len(words) < 2 or not _RID.fullmatch(words[0]) or words[1] not in ("send", "recv"):
        raise MediaRefused("media.sdp", "rid")
    if words[1] == "send" and words[0] not in section.rids:
        if len(section.rids) == LAYERS_MAX:
            raise MediaRefused("media.sdp", "layers")
        section.rids.append(words[0])


def terms_of(section: Section, codecs: tuple[Codec, ...]) -> TrackTerms:
    """How an offered section would be published. MediaRefused media.no_codec."""
    codec, pt = _choose(section, codecs)
    rtx = [
        one.pt
        for one in section.formats.values()
        if one.name == "rtx" and one.fmtp.get("apt") == str(pt)
    ]
    known = section.extensions
    if set(section.rids) <= set(RID_ORDER):
        rids = tuple(rid for rid in RID_ORDER if rid in section.rids)
    else:
        rids = tuple(section.rids)
    return TrackTerms(
        codec,
        section.mid,
        pt,
        rtx[0] if rtx else -1,
        rids,
        tuple(ssrc for ssrc in section.ssrcs if ssrc not in section.repairs),
        dict(section.repairs),
        ExtensionIds(
            mid=known.get(MID_URI, 0),
            rid=known.get(RID_URI, 0),
            repaired_rid=known.get(REPAIRED_URI, 0),
            audio_level=known.get(LEVEL_URI, 0) if section.kind == "audio" else 0,
            orientation=known.get(ORIENTATION_URI, 0) if section.kind == "video" else 0,
            transport=known.get(TRANSPORT_URI, 0),
        ),
    )


def _choose(section: Section, codecs: tuple[Codec, ...]) -> tuple[Codec, int]:
    """The room's first codec that is offered; of H.264 as `PROFILES` says."""
    for codec in codecs:
        if (codec is Codec.OPUS) != (section.kind == "audio"):
            continue
        offered = [
            section.formats[pt]
            for pt in section.order
            if pt in section.formats
            and section.formats[pt].name == codec.value
            and section.formats[pt].clock_hz == CLOCK_HZ[codec]
        ]
        if codec is not Codec.H264:
            if offered:
                return codec, offered[0].pt
            continue
        for mode, profile in PROFILES:
            for found in offered:
                level = found.fmtp.get("profile-level-id", "42001f").lower()
                if found.fmtp.get("packetization-mode", "0") == mode and level.startswith(profile):
                    return codec, found.pt
    raise MediaRefused("media.no_codec", section.kind)


# ---- written


@dataclass(frozen=True, slots=True)
class LocalEnd:
    """What we say of ourselves. ``candidates`` are (address, port), best first."""

    ufrag: str
    password: str
    fingerprint: str
    candidates: tuple[tuple[str, int], ...]
    session: int
    version: int


def _head(local: LocalEnd, mids: list[str]) -> Iterator[str]:
    yield "v=0"
    yield f"o={NAME} {local.session} {local.version} IN IP4 0.0.0.0"
    yield "s=-"
    yield "t=0 0"
    yield "a=ice-lite"
    if mids:
        yield f"a=group:BUNDLE {' '.join(mids)}"
    yield "a=msid-semantic: WMS *"


def _transport(local: LocalEnd, setup: str) -> Iterator[str]:
    yield f"a=ice-ufrag:{local.ufrag}"
    yield f"a=ice-pwd:{local.password}"
    yield f"a=fingerprint:sha-256 {local.fingerprint}"
    yield f"a=setup:{setup}"
    yield "a=rtcp-mux"
    yield "a=rtcp-rsize"
    for at, (address, port) in enumerate(local.candidates):
        yield f"a=candidate:{at + 1} 1 udp {2130706431 - at} {address} {port} typ host"
    yield "a=end-of-candidates"


def _format(
    codec: Codec, pt: int, *, feedback: tuple[str, ...], profile: str = PROFILE, mode: str = "1"
) -> Iterator[str]:
    yield f"a=rtpmap:{pt} {FORMATS[codec]}"
    if FMTP[codec]:
        yield f"a=fmtp:{pt} {FMTP[codec].format(profile=profile, mode=mode)}"
    for one in feedback:
        yield f"a=rtcp-fb:{pt} {one}"


def answer_publisher(offer: Description, accepted: dict[str, TrackTerms], local: LocalEnd) -> str:
    """The answer: sections whose mid is in ``accepted`` are received, all others refused."""
    lines = list(_head(local, [one.mid for one in offer.sections if one.mid in accepted]))
    for section in offer.sections:
        terms = accepted.get(section.mid)
        if terms is None:
            kind = section.kind if section.kind != "other" else "application"
            form = section.order[0] if section.order else "webrtc-datachannel"
            lines += [f"m={kind} 0 {section.profile} {form}"]
            lines += ["c=IN IP4 0.0.0.0", f"a=mid:{section.mid}", "a=inactive"]
        else:
            lines += _received(section, terms, local)
    return "\r\n".join(lines) + "\r\n"


def _received(section: Section, terms: TrackTerms, local: LocalEnd) -> Iterator[str]:
    pts = [str(pt) for pt in (terms.pt, terms.rtx_pt) if pt >= 0]
    yield f"m={section.kind} 9 UDP/TLS/RTP/SAVPF {' '.join(pts)}"
    yield "c=IN IP4 0.0.0.0"
    yield f"a=mid:{section.mid}"
    yield "a=recvonly"
    yield from _transport(local, "passive")
    ids = terms.extensions
    for number, uri in (
        (ids.mid, MID_URI),
        (ids.rid if terms.rids else 0, RID_URI),
        (ids.repaired_rid if terms.rids else 0, REPAIRED_URI),
        (ids.audio_level, LEVEL_URI),
        (ids.orientation, ORIENTATION_URI),
        (ids.transport, TRANSPORT_URI),
    ):
        if number:
            yield f"a=extmap:{number} {uri}"
    feedback = ("transport-cc",) if ids.transport else ()
    if section.kind == "video":
        feedback += ("nack", "nack pli", "ccm fir")
    # The profile is the offerer's (RFC 6184 §8.2.2); its level may differ from what it sends.
    fmtp = section.formats[terms.pt].fmtp
    offered = fmtp.get("profile-level-id", "")
    profile = offered if _PROFILE.fullmatch(offered) else PROFILE
    mode = "0" if fmtp.get("packetization-mode", "0") == "0" else "1"
    yield from _format(terms.codec, terms.pt, feedback=feedback, profile=profile, mode=mode)
    if terms.rtx_pt >= 0:
        yield f"a=rtpmap:{terms.rtx_pt} rtx/90000"
        yield f"a=fmtp:{terms.rtx_pt} apt={terms.pt}"
    if terms.rids:
        yield from (f"a=rid:{rid} recv" for rid in terms.rids)
        yield f"a=simulcast:recv {';'.join(terms.rids)}"


@dataclass(frozen=True, slots=True)
class OfferedStream:
    """One section towards a viewer; ``ssrc`` 0: nothing is behind it now.

    ``group`` names what is played together (one member's sound and picture), ``name`` the track.
    """

    mid: str
    codec: Codec
    ssrc: int
    group: str
    name: str


def offer_viewer(streams: list[OfferedStream], local: LocalEnd) -> str:
    """Our offer, a section per stream, in an order that never changes."""
    lines = list(_head(local, [one.mid for one in streams]))
    for one in streams:
        lines += _sent(one, local)
    return "\r\n".join(lines) + "\r\n"


def _sent(stream: OfferedStream, local: LocalEnd) -> Iterator[str]:
    pt = ROOM_PT[stream.codec]
    video = stream.codec is not Codec.OPUS
    yield f"m={'video' if video else 'audio'} 9 UDP/TLS/RTP/SAVPF {pt}"
    yield "c=IN IP4 0.0.0.0"
    yield f"a=mid:{stream.mid}"
    yield "a=sendonly" if stream.ssrc else "a=inactive"
    # The answerer picks "active": then we are the server (RFC 8842 §5.3).
    yield from _transport(local, "actpass")
    if video:
        yield f"a=extmap:{ROOM_ORIENTATION} {ORIENTATION_URI}"
    else:
        yield f"a=extmap:{ROOM_AUDIO_LEVEL} {LEVEL_URI}"
    feedback = ("nack", "nack pli", "ccm fir") if video else ()
    yield from _format(stream.codec, pt, feedback=feedback)
    if stream.ssrc:
        yield f"a=msid:{stream.group} {stream.name}"
        yield f"a=ssrc:{stream.ssrc} cname:{NAME}-{stream.group}"
        yield f"a=ssrc:{stream.ssrc} msid:{stream.group} {stream.name}"
