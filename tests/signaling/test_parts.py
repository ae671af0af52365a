"""Small pure parts: rings, limiters, delays, clocks."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signaling.accept import AcceptLimiter, AddressCounter, address_key, client_address
from signaling.backoff import retry_delay_s
from signaling.clock_offset import ClockOffset
from signaling.ring import Ring


@given(st.lists(st.integers(1, 50), max_size=60), st.integers(1, 10), st.integers(1, 200))
def test_a_ring_keeps_a_dense_run_of_the_newest(sizes, count_max, bytes_max):
    ring = Ring(1, count_max, bytes_max)
    for seq, size in enumerate(sizes, 1):
        ring.append(seq, bytes([seq % 256]) * size)
        kept = ring.after(ring.first - 1, 1000, 1 << 30)
        assert [len(payload) for payload in kept] == sizes[ring.first - 1 : seq]
        assert len(kept) <= count_max
        assert ring.size_bytes == sum(map(len, kept))
        assert ring.size_bytes <= bytes_max or len(kept) == 1


def test_the_accept_limiter_lets_in_at_its_rate_and_no_more():
    limiter = AcceptLimiter(100, 50, 0)
    let_in = [ms for ms in range(3000) for _ in range(3) if limiter.admit(ms, 0.5) == 0]
    assert 50 + 290 <= len(let_in) <= 50 + 300


def test_a_crowd_sent_away_comes_back_spread_over_what_it_takes_to_serve_it():
    limiter = AcceptLimiter(500, 500, 0)
    chance = random.Random(1)
    waits = [limiter.admit(0, chance.random()) for _ in range(10_000)]
    assert waits.count(0) == 500
    per_second = [waits.count(second) for second in range(1, max(waits) + 1)]
    # 9,500 at 500 a second take 19 s.
    assert max(waits) in (20, 21)
    assert max(per_second) <= 600


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2::1", "2001:db8:1:2::"),
        ("nonsense", "unknown"),
        ("", "unknown"),
    ],
)
def test_neighbours_share_an_address(address, key):
    assert address_key(address) == key


def test_addresses_are_counted_down_again():
    counter = AddressCounter(2)
    first, second = counter.enter("192.0.2.7"), counter.enter("192.0.2.7")
    assert counter.enter("192.0.2.7") is None
    assert counter.enter("192.0.2.8") is not None
    counter.leave(first)
    assert counter.enter("192.0.2.7") == second


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "believed"),
    [
        ("203.0.113.9", "192.0.2.1", "203.0.113.9"),
        ("127.0.0.1", None, "127.0.0.1"),
        ("127.0.0.1", "192.0.2.1", "192.0.2.1"),
        ("127.0.0.1", "6.6.6.6, 192.0.2.1", "192.0.2.1"),
        ("127.0.0.1", "192.0.2.1, 127.0.0.1", "192.0.2.1"),
        ("127.0.0.1", "127.0.0.1", "127.0.0.1"),
    ],
)
def test_only_our_own_proxy_is_believed_and_only_its_last_word(peer, forwarded_for, believed):
    assert client_address(peer, forwarded_for, frozenset({"127.0.0.1"})) == believed


def test_the_first_retry_comes_soon_and_later_ones_spread_up_to_fifteen_seconds():
    assert retry_delay_s(1, 0.0) == 0
    assert retry_delay_s(1, 0.999) < 0.5
    assert [retry_delay_s(n, 0.0) for n in (2, 3, 4, 12)] == [0.5, 1, 1, 1]
    assert all(retry_delay_s(n, 0.999) < 2 for n in range(2, 13)), "near a server that starts again"
    assert [retry_delay_s(n, 0.0) for n in (13, 14, 15, 16)] == [2, 4, 7.5, 7.5]
    assert all(retry_delay_s(n, 0.999) < 15 for n in (*range(2, 60), 5000))


@given(
    st.lists(st.tuples(st.floats(0, 500), st.floats(0, 500)), min_size=1, max_size=40),
    st.integers(-(10**9), 10**9),
)
def test_the_offset_is_off_by_at_most_half_the_best_round_trip(paths, true_offset):
    clock = ClockOffset()
    now = 1_000_000.0
    for there_ms, back_ms in paths:
        asked = now
        server_ms = round(asked + there_ms + true_offset)
        now = asked + there_ms + back_ms
        clock.add(asked, server_ms, now)
    assert abs(clock.best.offset_ms - true_offset) <= clock.error_ms + 0.51
    assert abs(clock.server_ms(now) - (now + true_offset)) <= clock.error_ms + 0.51


def test_before_the_first_sample_the_servers_time_is_unknown():
    assert ClockOffset().server_ms(1.0) is None
