"""Counting what a msgpack value holds without building it (先数后建). Pure.

msgpack's own limits are per container: a mebibyte of empty arrays within them would still become a
million objects and stall every other bidder's command. This walks the type bytes and stops early.
"""

from __future__ import annotations

from typing import Final

# Bytes that follow the type byte of msgpack's fixed-size values: nil, booleans, floats, integers.
_FIXED: Final = {0xC0: 0, 0xC2: 0, 0xC3: 0, 0xCA: 4, 0xCB: 8} | {
    0xCC + i: 1 << (i & 3) for i in range(8)
}
# Width of the length field of binaries and texts.
_BYTES_AFTER: Final = {0xC4: 1, 0xC5: 2, 0xC6: 4, 0xD9: 1, 0xDA: 2, 0xDB: 4}
# (width of the count, values per element) of arrays and maps.
_ITEMS_AFTER: Final = {0xDC: (2, 1), 0xDD: (4, 1), 0xDE: (2, 2), 0xDF: (4, 2)}
_INVALID: Final = (0, 0)

Encoded = bytes | bytearray | memoryview


def walk_headers(encoded: Encoded, items_max: int, depth_max: int) -> str:
    """Empty when ``encoded`` begins with one value within the bounds, else the fault's code."""
    at, end, items = 0, len(encoded), 0
    open_counts = [1]
    while open_counts:
        if open_counts[-1] == 0:
            open_counts.pop()
            continue
        open_counts[-1] -= 1
        items += 1
        if items > items_max:
            return "frame.too_many"
        if at >= end:
            return "frame.msgpack"
        skipped, children = _header(encoded, at)
        if not skipped:
            return "frame.msgpack"
        at += skipped
        if children:
            open_counts.append(children)
            if len(open_counts) > depth_max:
                return "frame.depth"
    return ""


def _header(encoded: Encoded, at: int) -> tuple[int, int]:
    """(bytes to skip, values inside) of what begins at ``at``; extensions are invalid here."""
    kind = encoded[at]
    if kind <= 0x7F or kind >= 0xE0:
        return 1, 0
    if kind <= 0x8F:
        return 1, (kind & 15) * 2
    if kind <= 0x9F:
        return 1, kind & 15
    if kind <= 0xBF:
        return 1 + (kind & 31), 0
    if kind in _FIXED:
        return 1 + _FIXED[kind], 0
    if kind in _BYTES_AFTER:
        width = _BYTES_AFTER[kind]
        return 1 + width + int.from_bytes(encoded[at + 1 : at + 1 + width], "big"), 0
    if kind in _ITEMS_AFTER:
        width, each = _ITEMS_AFTER[kind]
        return 1 + width, each * int.from_bytes(encoded[at + 1 : at + 1 + width], "big")
    return _INVALID
