"""Clocks and timelines as pure functions: drift, lies, clocks that are set."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from media.recording.clocks import (
    NS,
    STEP_NS,
    TRUST_NS,
    Delays,
    PlacedSource,
    SourceClock,
    ntp_ns,
    share_delays,
    steady,
)
from media.recording.errors import RecordingRefused
from media.recording.timeline import Timeline, make_timeline

ns = st.integers(-(1 << 66), 1 << 66)
near = st.integers(0, 1 << 40)


def test_ntp_time_is_read_to_the_nanosecond() -> None:
    assert ntp_ns((2_208_988_800 << 32) + (1 << 31)) == NS // 2


def test_a_clock_that_drifts_is_followed_and_one_that_trembles_is_not() -> None:
    clock = SourceClock(48_000)
    for second in range(0, 3600, 5):
        trembling = (second % 3 - 1) * 3_000_000
        clock.report(second * 48_000, second * NS + second * 100_000 + trembling)  # 100 ppm fast
    placed = [clock.sender_ns(second * 48_000) - second * NS for second in range(3600)]
    assert all(abs(at - second * 100_000) < 2 * STEP_NS for second, at in enumerate(placed))
    assert len(set(placed)) < 40


@given(st.lists(st.tuples(near, ns), max_size=30), near, near)
def test_whatever_a_publisher_reports_frames_are_placed_near_their_arrival(
    reports: list[tuple[int, int]], timestamp: int, arrival: int
) -> None:
    source = PlacedSource(SourceClock(90_000))
    for at, sender in reports:
        source.clock.report(at, sender)
        source.delays.add(at, at - source.clock.sender_ns(at))
    source.delays.add(arrival, 0)
    assert abs(source.place(timestamp, arrival) - arrival) <= TRUST_NS


@given(st.lists(st.tuples(near, ns), min_size=1, max_size=30), near)
def test_a_delay_lies_between_those_that_were_seen(seen: list[tuple[int, int]], now: int) -> None:
    delays = Delays()
    for at, delay in seen:
        delays.add(at, delay)
    assert min(delay for _, delay in seen) <= delays.at(now) <= max(delay for _, delay in seen)
    assert delays.least == min(delay for _, delay in seen)


def test_tracks_of_one_publisher_share_the_smallest_delay() -> None:
    sources = [PlacedSource(SourceClock(48_000)) for _ in range(4)]
    for source, delay in zip(sources, (5_000_000, 300_000_000, 50 * NS), strict=False):
        source.clock.report(0, 0)
        source.delays.add(NS, delay)
    sources[3].delays.add(NS, 5_000_000)  # has no report
    share_delays(sources)
    assert [source.delays.at(NS) for source in sources] == [
        5_000_000, 5_000_000, 50 * NS, 5_000_000,
    ]  # fmt: skip
    assert sources[3].delays is not sources[0].delays


@given(st.lists(st.tuples(near, near), max_size=20))
def test_a_steady_clock_never_goes_far_back(moments: list[tuple[int, int]]) -> None:
    found = list(steady(moments, moments[0] if moments else (0, 0)))
    assert len(found) == len(moments)
    assert all(after >= before - TRUST_NS for before, after in itertools.pairwise(found))


@given(st.lists(st.tuples(near, near), max_size=30), near, near, near)
def test_a_timeline_is_in_order_and_survives_json(
    moments: list[tuple[int, int]], start: int, length: int, asked: int
) -> None:
    timeline = make_timeline(sorted(moments), start, start + length)
    end = 0
    for piece in timeline.pieces:
        assert piece.position_ms >= end
        assert piece.length_ms >= 0
        end = piece.position_ms + piece.length_ms
    if all(piece.utc_ms >= 0 for piece in timeline.pieces):
        assert Timeline.parse(timeline.value()) == timeline
    position = timeline.position_ms(asked)
    assert position is None or 0 <= position <= length // 1_000_000 + 1
    timeline.utc_ms(asked)


json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=4),
)


@given(json_like)
def test_a_timeline_of_nonsense_is_refused_by_code(value: object) -> None:
    code = ""
    try:
        Timeline.parse(value)
    except RecordingRefused as refused:
        code = refused.code
    assert code in {"", "timeline.form"}
