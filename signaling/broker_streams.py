"""Events as entries of Redis Streams (流): one stream per channel, ids that are positions. Pure.

An entry's id is ``epoch-seq``, so a stream refuses by itself what is older than its newest entry:
an event of an older epoch, or a repeat. Invariant: ``read_entry`` lets nothing through whose frame
does not say the same channel, epoch and seq as its place in Redis.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from signaling.codec import INTEGER_MAX, BadFrame, ChannelKey, is_one_value, unpack, value_ends

PREFIX: Final = "kaibiao:frames:"
FIELD: Final = b"ev"
FRAME_BYTES_MAX: Final = 1 << 20
_PARTS: Final = 9
_EV_ARRAY: Final = 0x99


def stream_of(key: ChannelKey) -> str:
    """The name of a channel's stream."""
    return f"{PREFIX}{key.room}/{key.audience}"


def entry_id(epoch: int, seq: int) -> str:
    return f"{epoch}-{seq}"


def read_id(raw: bytes) -> tuple[int, int] | None:
    """(epoch, seq) of an entry's id; None: no position of ours."""
    epoch, dash, seq = raw.partition(b"-")
    if not dash or not epoch.isdigit() or not seq.isdigit() or len(raw) > 33:
        return None
    position = int(epoch), int(seq)
    return position if max(position) <= INTEGER_MAX else None


def read_entry(key: ChannelKey, raw_id: bytes, fields: Mapping[bytes, bytes]) -> bytes | None:
    """The encoded ``ev`` of an entry; None: it is not what its place says."""
    payload, position = fields.get(FIELD), read_id(raw_id)
    if payload is None or position is None or not 1 < len(payload) <= FRAME_BYTES_MAX:
        return None
    if payload[0] != _EV_ARRAY or not is_one_value(payload):
        return None
    # tag, room, audience, epoch, seq; the body is spliced on, never decoded here.
    end = value_ends(payload, 1, _PARTS)[4]
    try:
        head = unpack(b"\x95" + payload[1:end])
    except BadFrame:
        return None
    return payload if head == ["ev", *key, *position] else None
