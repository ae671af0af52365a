"""The size of the picture out of a sequence parameter set (H.264 §7.3.2.1.1, §7.4.2.1.1)."""

from typing import Final

SIDE_MAX: Final = 8192
SPS_BYTES_MAX: Final = 1024
_HIGH_PROFILES: Final = frozenset({100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135})
_GOLOMB_BITS_MAX: Final = 32


class _Short(Exception):
    """The bits ended before what they describe."""


class _Bits:
    def __init__(self, raw: bytes) -> None:
        self._value = int.from_bytes(raw, "big")
        self._left = len(raw) * 8

    def take(self, count: int) -> int:
        if count > self._left:
            raise _Short
        self._left -= count
        return (self._value >> self._left) & ((1 << count) - 1)

    def unsigned(self) -> int:
        """ue(v), §9.1."""
        zeros = 0
        while not self.take(1):
            zeros += 1
            if zeros > _GOLOMB_BITS_MAX:
                raise _Short
        return (1 << zeros) - 1 + self.take(zeros)

    def signed(self) -> int:
        """se(v), §9.1.1."""
        value = self.unsigned()
        return (value + 1) // 2 if value & 1 else -(value // 2)


def picture_size(sps: bytes) -> tuple[int, int] | None:
    """(width, height) in pixels after cropping; None where the bytes describe no such picture."""
    if not 4 <= len(sps) <= SPS_BYTES_MAX or sps[0] & 0x1F != 7:
        return None
    bits = _Bits(sps[4:].replace(b"\0\0\x03", b"\0\0"))
    try:
        width, height = _read(bits, profile=sps[1])
    except _Short:
        return None
    return (width, height) if 0 < width <= SIDE_MAX and 0 < height <= SIDE_MAX else None


def _read(bits: _Bits, profile: int) -> tuple[int, int]:
    bits.unsigned()  # seq_parameter_set_id
    chroma = _chroma(bits) if profile in _HIGH_PROFILES else 1
    bits.unsigned()  # log2_max_frame_num_minus4
    order = bits.unsigned()  # pic_order_cnt_type
    if order == 0:
        bits.unsigned()
    elif order == 1:
        bits.take(1)
        bits.signed()
        bits.signed()
        for _ in range(min(bits.unsigned(), 255)):
            bits.signed()
    bits.unsigned()  # max_num_ref_frames
    bits.take(1)
    width_mbs, height_units = bits.unsigned() + 1, bits.unsigned() + 1
    frame_mbs_only = bits.take(1)
    if not frame_mbs_only:
        bits.take(1)
    bits.take(1)
    left = right = top = bottom = 0
    if bits.take(1):
        left, right, top, bottom = (bits.unsigned() for _ in range(4))
    unit_x = 2 if chroma in (1, 2) else 1
    unit_y = (2 if chroma == 1 else 1) * (2 - frame_mbs_only)
    width = width_mbs * 16 - (left + right) * unit_x
    height = height_units * 16 * (2 - frame_mbs_only) - (top + bottom) * unit_y
    return width, height


def _chroma(bits: _Bits) -> int:
    """chroma_format_idc; reads over what follows it in the high profiles."""
    chroma = bits.unsigned()
    if chroma == 3:
        bits.take(1)
    bits.unsigned()
    bits.unsigned()
    bits.take(1)
    if bits.take(1):  # seq_scaling_matrix_present_flag
        for number in range(8 if chroma != 3 else 12):
            if bits.take(1):
                _scaling_list(bits, 16 if number < 6 else 64)
    return chroma


def _scaling_list(bits: _Bits, size: int) -> None:
    """§7.3.2.1.1.1"""
    last = following = 8
    for _ in range(size):
        if following:
            following = (last + bits.signed()) % 256
        last = following or last
