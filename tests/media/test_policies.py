"""What is decided from figures: layers, the speaker, keyframes, what is told to publishers."""

import itertools
import random

from hypothesis import example, given
from hypothesis import strategies as st

from media.arrivals import LOST_MAX, NACK_TRIES_MAX, LossFinder, Reception, TransportArrivals
from media.keyframes import INTERVAL_MS, KeyframeNeed
from media.layers import RISE_MS, LayerChoice, layer_for_tile
from media.rtcp import TransportFeedback, parse_rtcp
from media.speaker import SILENCE, ActiveSpeaker

# ---- layers


def test_a_tile_gets_the_smallest_layer_that_fills_it() -> None:
    heights = (180, 720)
    wanted = {px: layer_for_tile(heights, px) for px in (0, 120, 240, 260, 720, 2000)}
    assert wanted == {0: 0, 120: 0, 240: 0, 260: 1, 720: 1, 2000: 1}
    assert layer_for_tile((), 300) == 0


def test_loss_lowers_at_once_and_a_clean_path_rises_again() -> None:
    choice = LayerChoice(2)
    choice.heard(128, 1000)
    assert choice.layer == 0
    choice.heard(0, 1000 + RISE_MS - 1)
    assert choice.layer == 0
    choice.heard(0, 1000 + RISE_MS)
    assert choice.layer == 1


def test_a_capped_path_is_tried_ever_more_seldom() -> None:
    choice, rises, now_ms = LayerChoice(2), list[int](), 0
    while now_ms < 300_000:
        now_ms += 1000
        before = choice.layer
        choice.heard(120 if choice.layer else 0, now_ms)
        if choice.layer > before:
            rises.append(now_ms)
    pauses = [later - earlier for earlier, later in itertools.pairwise(rises)]
    assert len(pauses) >= 3
    assert pauses == sorted(pauses)
    assert pauses[-1] > 4 * pauses[0]


def test_ordinary_loss_changes_nothing() -> None:
    choice, dice = LayerChoice(2), random.Random(7)
    for second in range(600):
        lost = sum(dice.random() < 0.05 for _ in range(150))
        choice.heard(lost * 256 // 150, second * 1000)
        assert choice.layer == 1


def test_what_a_small_layer_loses_a_little_of_does_not_hold_it_down() -> None:
    choice = LayerChoice(2)
    choice.heard(200, 0)
    for second in range(8):
        choice.heard(13, second * 1000)  # 5 %
    assert choice.layer == 1


# ---- the speaker


def talk(speaker: ActiveSpeaker, start_ms: int, end_ms: int, levels: dict[int, int]) -> None:
    for now_ms in range(start_ms, end_ms, 20):
        for track, level in levels.items():
            speaker.heard(track, level, now_ms)
        if now_ms % 100 == 0:
            speaker.decide(now_ms)


def test_the_loudest_voice_becomes_the_speaker_and_a_cough_does_not() -> None:
    speaker = ActiveSpeaker()
    talk(speaker, 0, 2000, {1: 30, 2: 90})
    assert speaker.current == 1
    talk(speaker, 2000, 2200, {1: 90, 2: 5})
    talk(speaker, 2200, 4000, {1: 30, 2: 90})
    assert speaker.current == 1
    talk(speaker, 4000, 7000, {1: 90, 2: 30})
    assert speaker.current == 2


def test_nobody_speaks_in_silence_and_who_leaves_is_forgotten() -> None:
    speaker = ActiveSpeaker()
    talk(speaker, 0, 1000, {1: SILENCE, 2: 100})
    assert speaker.current is None
    talk(speaker, 1000, 3000, {1: 20})
    assert speaker.current == 1
    speaker.forget(1)
    assert speaker.decide(4000) is None


# ---- keyframes


def test_many_needs_are_one_request_and_an_unmet_one_is_repeated_slower() -> None:
    need, asked = KeyframeNeed(), list[int]()
    for now_ms in range(0, 20_000, 10):
        need.need()
        if need.due(now_ms):
            asked.append(now_ms)
    pauses = [later - earlier for earlier, later in itertools.pairwise(asked)]
    assert min(pauses) >= INTERVAL_MS
    assert pauses == sorted(pauses)
    need.met()
    assert not need.due(100_000)


# ---- to publishers


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 30_000)), min_size=1, max_size=200))
def test_feedback_tells_of_every_packet_and_reads_back(packets: list[tuple[int, int]]) -> None:
    arrivals, told, truth = TransportArrivals(), dict[int, int](), dict[int, int]()
    seq, at_us = 65_500, 5_000_000
    for number, (skipped, later_us) in enumerate(packets):
        seq, at_us = seq + 1 + skipped, at_us + later_us
        arrivals.note(seq & 0xFFFF, at_us)
        truth[seq & 0xFFFF] = at_us
        if number % 50 == 49 or number == len(packets) - 1:
            for made in arrivals.feedback(1, 2):
                assert parse_rtcp(bytes(made)) == [made]
                told |= times(made)
    assert told.keys() == truth.keys()
    assert all(0 <= truth[seq] - told[seq] < 250 for seq in truth)


def times(feedback: TransportFeedback) -> dict[int, int]:
    base = feedback.reference * 64_000
    return {
        (feedback.first + at) & 0xFFFF: base + ticks * 250
        for at, ticks in enumerate(feedback.arrivals)
        if ticks is not None
    }


@example([(0, 0), (32768, 0), (0, 0), (32768, 0), (0, 0)])
@given(st.lists(st.tuples(st.integers(0, 0xFFFF), st.integers(0, 10**9)), max_size=100))
def test_feedback_survives_any_numbers_and_times(packets: list[tuple[int, int]]) -> None:
    arrivals = TransportArrivals()
    for seq, at_us in packets:
        arrivals.note(seq, at_us)
    for made in arrivals.feedback(1, 2):
        assert parse_rtcp(bytes(made)) == [made]
    assert arrivals.feedback(1, 2) == []


def test_what_is_missing_is_asked_for_until_it_comes_or_hope_is_gone() -> None:
    finder, asked = LossFinder(), dict[int, int]()
    for seq in (100, 101, 104):
        finder.note(seq, 0)
    assert finder.due(0) == [102, 103]
    finder.note(102, 10)
    for now_ms in range(10, 5000, 10):
        for seq in finder.due(now_ms):
            asked[seq] = asked.get(seq, 0) + 1
    assert asked.keys() == {103}
    assert asked[103] < NACK_TRIES_MAX
    assert finder.gave_up


def test_a_gap_too_large_is_not_asked_for() -> None:
    finder = LossFinder()
    finder.note(0, 0)
    finder.note(LOST_MAX + 2, 0)
    assert finder.due(100) == []
    assert finder.gave_up


def test_a_report_counts_what_was_lost_since_the_last_one() -> None:
    reception = Reception(90_000)
    for seq in [*range(10), *range(15, 20)]:
        reception.note(seq, seq * 3000, seq * 33_333)
    first = reception.block(1, 0)
    assert (first.fraction_lost, first.lost, first.highest_seq) == (5 * 256 // 20, 5, 19)
    for seq in range(20, 40):
        reception.note(seq, seq * 3000, seq * 33_333)
    second = reception.block(1, 0)
    assert (second.fraction_lost, second.lost) == (0, 5)
    assert second.jitter < 10
