"""The public stub of a journal row: canonical, whatever stands in it."""

from hypothesis import given
from hypothesis import strategies as st

from crypto.canonical import INTEGER_MAX, encode
from crypto.rows import stub_bytes

names = st.text(max_size=40).filter(lambda text: text.isprintable())
numbers = st.integers(0, INTEGER_MAX)


@given(names, names, names, numbers, numbers, numbers, numbers)
def test_a_stub_is_the_canonical_json_of_its_members(
    audience, stream, event_type, epoch, seq, ts_ms, ver
):
    stub = {"audience": audience, "epoch": epoch, "seq": seq, "stream": stream, "ts_ms": ts_ms}
    expected = encode({**stub, "type": event_type, "ver": ver})
    assert stub_bytes(**stub, event_type=event_type, ver=ver) == expected
