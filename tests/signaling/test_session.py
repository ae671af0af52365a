"""One conversation: hello first, commands once, not too fast."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signaling.codec import CommandFrame, Hello, Ping, Subscribe
from signaling.session import (
    CloseCode,
    Ending,
    Refused,
    Session,
    SessionLimits,
    SlowLimits,
    TokenBucket,
    is_too_slow,
)

HELLO = Hello(1, None, ())


def a_command(n):
    return CommandFrame(n, f"cmd-{n:05}", "tender:1", "say", {})


def an_admitted_session(**limits):
    session = Session(SessionLimits(**limits), 0)
    assert session.receive(HELLO, 0) is None
    return session


@pytest.mark.parametrize("frame", [a_command(1), Ping(1), Subscribe(())])
def test_hello_comes_first(frame):
    session = Session(SessionLimits(), 0)
    assert session.receive(frame, 0) == Ending(CloseCode.AUTH, "hello.missing")


def test_hello_comes_once():
    assert an_admitted_session().receive(HELLO, 0) == Ending(CloseCode.BAD_FRAME, "hello.repeated")


def test_a_number_is_free_again_after_its_answer():
    session = an_admitted_session()
    assert session.receive(a_command(1), 0) is None
    assert session.receive(a_command(1), 0) == Refused(
        0, "cmd-00001", "command.duplicate", detail={"n": 1}
    )
    assert session.answered(1)
    assert not session.answered(1)
    assert session.receive(a_command(1), 0) is None


def test_a_refusal_for_haste_says_how_long_to_wait():
    session = an_admitted_session(rate_per_s=10, burst=2)
    assert [session.receive(Ping(n), 0) for n in range(2)] == [None, None]
    refused = session.receive(Ping(3), 0)
    assert refused == Refused(
        0, "", "frame.rate", is_retryable=True, detail={"retry_after_ms": 100}
    )
    assert session.receive(Ping(4), 200) is None


def test_haste_while_the_number_is_in_use_is_not_taken_for_its_answer():
    session = an_admitted_session(burst=1)
    assert session.receive(a_command(1), 0) is None
    refused = session.receive(a_command(1), 0)
    assert isinstance(refused, Refused)
    assert (refused.n, refused.code) == (0, "command.too_many")


def test_who_does_not_listen_to_refusals_is_closed():
    session = an_admitted_session(rate_per_s=10, burst=5)
    verdicts = [session.receive(Ping(n), 0) for n in range(11)]
    assert verdicts[:5] == [None] * 5
    assert all(isinstance(verdict, Refused) for verdict in verdicts[5:10])
    assert verdicts[10] == Ending(CloseCode.RATE, "frame.rate")


@given(st.lists(st.tuples(st.integers(0, 500), st.booleans()), max_size=200))
def test_never_more_than_burst_and_rate_pass(steps):
    bucket = TokenBucket(10, 40, 0)
    now_ms = passed = 0
    for wait_ms, _ in steps:
        now_ms += wait_ms
        early_ms = bucket.take(now_ms)
        passed += early_ms == 0
        assert passed <= 40 + now_ms * 10 / 1000


@given(st.lists(st.one_of(st.integers(1, 6), st.integers(-6, -1)), max_size=100))
def test_no_two_unanswered_commands_share_a_number(steps):
    session = an_admitted_session(rate_per_s=1000, burst=1000, unanswered_max=4)
    waiting = set()
    for now_ms, step in enumerate(steps):
        if step < 0:
            assert session.answered(-step) == (-step in waiting)
            waiting.discard(-step)
            continue
        verdict = session.receive(a_command(step), now_ms)
        if step in waiting:
            assert verdict.code == "command.duplicate"
        elif len(waiting) >= 4:
            assert (verdict.code, verdict.is_retryable) == ("command.too_many", True)
        else:
            assert verdict is None
            waiting.add(step)
        assert session.unanswered == len(waiting)


@pytest.mark.parametrize(
    ("buffered_bytes", "paused_for_ms", "is_slow"),
    [(0, 0, False), (1 << 20, 10_000, False), ((1 << 20) + 1, 0, True), (0, 10_001, True)],
)
def test_a_slow_reader_is_one_with_too_much_or_for_too_long(buffered_bytes, paused_for_ms, is_slow):
    assert is_too_slow(SlowLimits(1 << 20, 10_000), buffered_bytes, paused_for_ms) is is_slow
