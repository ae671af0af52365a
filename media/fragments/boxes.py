"""Boxes of fragmented MP4 (ISO/IEC 14496-12, -15; Opus in ISOBMFF): written, never read.

Pure. One track per stream: sound and picture are separate streams, so that HLS can pair the
same pictures with another sound. Invariant: the bytes depend on nothing but the arguments.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from media.recording.depacketise.frames import VideoFormat

VIDEO_TIMESCALE: Final = 90_000
AUDIO_TIMESCALE: Final = 48_000
TRACK_ID: Final = 1
_MATRIX: Final = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
_SYNC_SAMPLE: Final = 0x02000000  # depends on no other
_OTHER_SAMPLE: Final = 0x01010000  # depends on others, is no sync sample
_DATA_OFFSET_PRESENT: Final = 0x000001
_DURATION_SIZE_FLAGS_PRESENT: Final = 0x000700
_DEFAULT_BASE_IS_MOOF: Final = 0x020000


class Sample(NamedTuple):
    """One frame; ``duration`` in the track's timescale."""

    data: bytes
    duration: int
    is_key: bool


@dataclass(frozen=True, slots=True)
class StreamFormat:
    """What a player must know: ``entry`` is the sample entry box, ``codec`` its name (RFC 6381)."""

    kind: str  # "video" or "audio"
    codec: str
    timescale: int
    entry: bytes
    width: int = 0
    height: int = 0

    @property
    def mime(self) -> str:
        return f'{self.kind}/mp4; codecs="{self.codec}"'


def box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I4s", 8 + len(body), kind) + body


def full_box(kind: bytes, version: int, flags: int, *parts: bytes) -> bytes:
    return box(kind, struct.pack(">I", version << 24 | flags), *parts)


# ---- sample entries


def h264_format(form: VideoFormat) -> StreamFormat:
    """avc1 with an avcC of the SPS and PPS (14496-15 §5.3.3)."""
    sps, pps = form.parameters
    config = box(
        b"avcC",
        bytes([1, sps[1], sps[2], sps[3], 0xFF, 0xE1]),  # lengths of four bytes, one SPS
        struct.pack(">H", len(sps)), sps, b"\x01", struct.pack(">H", len(pps)), pps,
        b"\xfd\xf8\xf8\x00" if sps[1] in (100, 110, 122, 144) else b"",  # 4:2:0, 8 bits
    )  # fmt: skip
    entry = box(
        b"avc1",
        bytes(6), struct.pack(">H", 1), bytes(16),
        struct.pack(">HHIIIH", form.width, form.height, 0x480000, 0x480000, 0, 1),
        bytes(32), struct.pack(">Hh", 24, -1), config,
    )  # fmt: skip
    codec = f"avc1.{sps[1:4].hex()}"
    return StreamFormat("video", codec, VIDEO_TIMESCALE, entry, form.width, form.height)


def opus_format(channels: int = 2) -> StreamFormat:
    """Opus with a dOps of no pre-skip: a live stream is joined in its middle anyway."""
    config = box(b"dOps", struct.pack(">BBHIhB", 0, channels, 0, AUDIO_TIMESCALE, 0, 0))
    return StreamFormat("audio", "opus", AUDIO_TIMESCALE, _audio_entry(b"Opus", channels, config))


def aac_format(config: bytes, channels: int = 2) -> StreamFormat:
    """AAC-LC at 48 kHz; ``config`` is the AudioSpecificConfig (14496-3 §1.6.2.1)."""
    decoder = _descriptor(
        0x04,
        bytes([0x40, 0x15]), bytes(3), struct.pack(">II", 0, 0), _descriptor(0x05, config),
    )  # fmt: skip
    elementary = _descriptor(0x03, b"\0\0\0", decoder, _descriptor(0x06, b"\x02"))
    entry = _audio_entry(b"mp4a", channels, full_box(b"esds", 0, 0, elementary))
    return StreamFormat("audio", "mp4a.40.2", AUDIO_TIMESCALE, entry)


def _audio_entry(kind: bytes, channels: int, config: bytes) -> bytes:
    return box(
        kind,
        bytes(6), struct.pack(">H", 1), bytes(8),
        struct.pack(">HHII", channels, 16, 0, AUDIO_TIMESCALE << 16), config,
    )  # fmt: skip


def _descriptor(tag: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    assert len(body) < 128
    return bytes([tag, len(body)]) + body


# ---- segments


def init_segment(form: StreamFormat) -> bytes:
    """ftyp and moov: what a player needs before the first fragment."""
    is_video = form.kind == "video"
    handler = (b"vide", b"picture") if is_video else (b"soun", b"sound")
    media_header = (
        full_box(b"vmhd", 0, 1, bytes(8)) if is_video else full_box(b"smhd", 0, 0, bytes(4))
    )
    table = box(
        b"stbl",
        full_box(b"stsd", 0, 0, struct.pack(">I", 1), form.entry),
        full_box(b"stts", 0, 0, bytes(4)), full_box(b"stsc", 0, 0, bytes(4)),
        full_box(b"stsz", 0, 0, bytes(8)), full_box(b"stco", 0, 0, bytes(4)),
    )  # fmt: skip
    data = box(b"dinf", full_box(b"dref", 0, 0, struct.pack(">I", 1), full_box(b"url ", 0, 1)))
    media = box(
        b"mdia",
        full_box(b"mdhd", 0, 0, struct.pack(">IIIIHH", 0, 0, form.timescale, 0, 0x55C4, 0)),
        full_box(b"hdlr", 0, 0, bytes(4), handler[0], bytes(12), handler[1] + b"\0"),
        box(b"minf", media_header, data, table),
    )
    volume = 0 if is_video else 0x0100
    header = full_box(
        b"tkhd", 0, 7,
        struct.pack(">IIIIIIIHHHH", 0, 0, TRACK_ID, 0, 0, 0, 0, 0, 0, volume, 0), _MATRIX,
        struct.pack(">II", form.width << 16, form.height << 16),
    )  # fmt: skip
    movie = full_box(
        b"mvhd", 0, 0,
        struct.pack(">IIIIIH", 0, 0, 1000, 0, 0x10000, 0x0100), bytes(10), _MATRIX,
        bytes(24), struct.pack(">I", TRACK_ID + 1),
    )  # fmt: skip
    extends = box(b"mvex", full_box(b"trex", 0, 0, struct.pack(">5I", TRACK_ID, 1, 0, 0, 0)))
    kind = box(b"ftyp", b"iso6", struct.pack(">I", 1), b"iso6", b"mp41", b"cmfc")
    return kind + box(b"moov", movie, box(b"trak", header, media), extends)


def fragment(sequence: int, time: int, samples: Sequence[Sample]) -> bytes:
    """moof and mdat. ``time``: of the first sample, in the track's timescale."""
    assert samples
    assert 0 <= time < 1 << 63
    entries = b"".join(
        struct.pack(
            ">III", one.duration, len(one.data), _SYNC_SAMPLE if one.is_key else _OTHER_SAMPLE
        )
        for one in samples
    )
    flags = _DATA_OFFSET_PRESENT | _DURATION_SIZE_FLAGS_PRESENT

    def moof(data_offset: int) -> bytes:
        run = full_box(b"trun", 0, flags, struct.pack(">Ii", len(samples), data_offset), entries)
        return box(
            b"moof",
            full_box(b"mfhd", 0, 0, struct.pack(">I", sequence & 0xFFFFFFFF)),
            box(
                b"traf",
                full_box(b"tfhd", 0, _DEFAULT_BASE_IS_MOOF, struct.pack(">I", TRACK_ID)),
                full_box(b"tfdt", 1, 0, struct.pack(">Q", time)),
                run,
            ),
        )

    head = moof(len(moof(0)) + 8)
    return head + box(b"mdat", *(one.data for one in samples))
