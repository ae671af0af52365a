"""Records and segments of the RTP journal: what is written is read, what is torn is found."""

import hashlib
import io
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.recording.errors import RecordingRefused
from media.recording.records import (
    BODY_BYTES_MAX,
    HEAD,
    Kind,
    body_json,
    encode_record,
    record_at,
    records_in,
    resync,
)
from media.recording.segments import (
    SegmentHead,
    TrackFormat,
    check_chain,
    checked_name,
    read_segment,
    segment_path,
    track_records,
)

bodies = st.binary(max_size=1500)
times = st.integers(0, (1 << 63) - 1)
H264 = TrackFormat("h264", 90_000, 102)


def test_a_record_lies_as_the_documentation_shows_it() -> None:
    raw = encode_record(Kind.RTP, 0x0102, 0x0304, b"\x80\x60", 1)
    assert raw[:4] == b"KRJ1"
    assert raw[8:] == bytes.fromhex("00000002 0000000000000102 0000000000000304 02 01 0000 8060")
    assert raw[4:8] == zlib.crc32(raw[8:]).to_bytes(4, "big")


@given(st.sampled_from(Kind), times, times, bodies, st.integers(0, 255))
def test_a_record_comes_back(
    kind: Kind, mono_ns: int, utc_ms: int, body: bytes, flags: int
) -> None:
    raw = encode_record(kind, mono_ns, utc_ms, body, flags)
    found = record_at(b"\0" + raw, 1)
    assert found is not None
    assert (found.kind, found.mono_ns, found.utc_ms, found.body, found.flags, found.offset) == (
        kind, mono_ns, utc_ms, body, flags, 1,
    )  # fmt: skip
    assert found.size == len(raw)


@given(st.lists(bodies, min_size=1, max_size=6), st.data())
def test_a_stream_that_is_cut_or_bent_yields_only_what_was_written(
    written: list[bytes], data: st.DataObject
) -> None:
    raw = bytearray(b"".join(encode_record(2, i, i, body) for i, body in enumerate(written)))
    place = data.draw(st.integers(0, len(raw) - 1))
    if data.draw(st.booleans()):
        raw[place] ^= data.draw(st.integers(1, 255))
    else:
        del raw[place:]
    found = [record.body for record in records_in(io.BytesIO(bytes(raw)))]
    whole = 0  # records that end before the fault
    end = 0
    for body in written:
        end += HEAD.size + len(body)
        whole += end <= place
    assert found == written[:whole]


@given(st.binary(max_size=400))
def test_any_bytes_are_read_without_a_fault(raw: bytes) -> None:
    assert list(records_in(io.BytesIO(raw))) == []
    assert list(resync(raw)) == []
    assert record_at(b"KRJ1" + raw, 0) is None


@given(st.binary(max_size=60))
def test_what_follows_a_torn_place_is_still_found(torn: bytes) -> None:
    after = encode_record(2, 7, 8, b"later")
    assert [record.body for record in resync(torn + after)][-1:] == [b"later"]


def test_a_length_is_not_trusted() -> None:
    head = HEAD.pack(b"KRJ1", 0, 0xFFFFFFFF, 0, 0, 2, 0, 0)
    assert record_at(head + bytes(100), 0) is None
    assert list(records_in(io.BytesIO(head + bytes(100)))) == []


@pytest.mark.parametrize(
    ("mono_ns", "utc_ms", "body", "code"),
    [
        (-1, 0, b"", "record.time"),
        (0, 1 << 63, b"", "record.time"),
        (0, 0, bytes(BODY_BYTES_MAX + 1), "record.too_long"),
    ],
)
def test_what_does_not_fit_is_refused(mono_ns: int, utc_ms: int, body: bytes, code: str) -> None:
    with pytest.raises(RecordingRefused) as refused:
        encode_record(2, mono_ns, utc_ms, body)
    assert refused.value.code == code


@pytest.mark.parametrize("name", ["", "..", "a/b", "A", "-a", "x" * 65, "a\0", "摄像"])
def test_a_name_that_could_leave_its_folder_is_refused(name: str) -> None:
    with pytest.raises(RecordingRefused, match=r"recording\.name"):
        checked_name(name)


@pytest.mark.parametrize(
    "body",
    [
        b"", b"[]", b"{}", b"\xff", b"[" * 5000, b'{"format":2}',
        b'{"format":1,"segment":true,"previous":"","codec":"h264","clock_rate":1,"payload_type":0,'
        b'"recording":"r","track":"t"}',
        b'{"format":1,"segment":1,"previous":"zz","codec":"h264","clock_rate":90000,'
        b'"payload_type":0,"recording":"r","track":"t"}',
        b'{"format":1,"segment":1,"previous":"","codec":"av9","clock_rate":90000,'
        b'"payload_type":0,"recording":"r","track":"t"}',
        b'{"format":1,"segment":1,"previous":"","codec":"vp8","clock_rate":90000,'
        b'"payload_type":0,"recording":"../r","track":"t"}',
        b'{"format":1,"segment":1,"previous":7,"codec":["x"],"clock_rate":90000}',
    ],
)  # fmt: skip
def test_a_head_of_nonsense_is_refused_by_code(body: bytes) -> None:
    with pytest.raises(RecordingRefused):
        SegmentHead.decode(body)


@given(st.binary(max_size=200))
def test_any_bytes_as_json_are_an_object_or_refused(body: bytes) -> None:
    code = ""
    try:
        assert isinstance(body_json(body), dict)
    except RecordingRefused as refused:
        code = refused.code
    assert code in {"", "record.json"}


# ---- segments


def write_segment(folder: Path, number: int, previous: str, *more: bytes) -> str:
    head = SegmentHead("r", "cam", number, previous, H264)
    raw = encode_record(Kind.HEAD, 1, 1000, head.encode()) + b"".join(more)
    segment_path(folder, number).write_bytes(raw)
    return hashlib.sha256(raw).hexdigest()


def rtp(number: int) -> bytes:
    return encode_record(Kind.RTP, number, 1000 + number, bytes(12))


def test_segments_are_a_chain_and_each_break_is_named(tmp_path: Path) -> None:
    first = write_segment(tmp_path, 1, "", rtp(1))
    second = write_segment(tmp_path, 2, first, rtp(2))
    write_segment(tmp_path, 3, second, rtp(3), b"torn")
    assert check_chain(tmp_path) == "torn"
    assert [r.body for r in track_records(tmp_path) if r.kind is Kind.RTP] == [bytes(12)] * 3

    write_segment(tmp_path, 3, first, rtp(3))
    with pytest.raises(RecordingRefused, match=r"segment\.chain"):
        check_chain(tmp_path)
    write_segment(tmp_path, 2, first, rtp(2), b"torn")
    with pytest.raises(RecordingRefused, match=r"segment\.damaged"):
        check_chain(tmp_path)
    segment_path(tmp_path, 2).unlink()
    with pytest.raises(RecordingRefused, match=r"segment\.missing"):
        check_chain(tmp_path)
    with pytest.raises(RecordingRefused, match=r"segment\.missing"):
        list(track_records(tmp_path))


def test_a_file_that_is_too_long_is_not_read(tmp_path: Path) -> None:
    path = segment_path(tmp_path, 1)
    with path.open("wb") as file:
        file.truncate(1 << 40)  # sparse
    with pytest.raises(RecordingRefused, match=r"segment\.too_long"):
        read_segment(path)


def test_a_segment_without_its_head_holds_nothing(tmp_path: Path) -> None:
    path = segment_path(tmp_path, 1)
    for raw in (b"", b"KRJ1", rtp(1)):
        path.write_bytes(raw)
        assert read_segment(path) is None


def test_the_example_of_the_documentation_is_a_journal() -> None:
    page = (Path(__file__).parents[3] / "docs" / "recording.md").read_text(encoding="utf-8")
    block = page.split("```text\n")[1].split("```")[0].splitlines()
    raw = b"".join(
        line.strip().encode() if line.strip().startswith("{") else bytes.fromhex(line)
        for line in block
    )
    head, packet = records_in(io.BytesIO(raw))
    assert SegmentHead.decode(head.body) == SegmentHead("opening-x", "cam-1", 1, "", H264)
    assert head.body == SegmentHead("opening-x", "cam-1", 1, "", H264).encode()
    assert (packet.kind, packet.mono_ns - head.mono_ns, packet.utc_ms - head.utc_ms) == (
        Kind.RTP, 5_000_000, 5,
    )  # fmt: skip
