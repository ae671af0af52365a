"""Buckets, slots, budgets and addresses."""

import pytest

from server.domain.refusals import Refused
from server.http.rates import Buckets, Budget, Slots, client_address
from server.http.settings import Rate


class Clock:
    ms = 0

    def now_ms(self) -> int:
        return self.ms


def test_a_bucket_gives_its_burst_and_then_its_rate():
    clock = Clock()
    buckets = Buckets(Rate(3, 60), 10, clock.now_ms)
    for _ in range(3):
        buckets.take("a")
    with pytest.raises(Refused, match=r"auth\.too_many"):
        buckets.take("a")
    buckets.take("b")
    clock.ms = 999
    with pytest.raises(Refused):
        buckets.take("a")
    clock.ms = 1000
    buckets.take("a")
    clock.ms = 10_000_000
    for _ in range(3):
        buckets.take("a")
    with pytest.raises(Refused):
        buckets.take("a")


def test_a_clock_that_goes_back_gives_nothing_and_takes_nothing():
    clock = Clock()
    clock.ms = 5000
    buckets = Buckets(Rate(1, 60), 10, clock.now_ms)
    buckets.take("a")
    clock.ms = 0
    with pytest.raises(Refused):
        buckets.take("a")


def test_the_number_of_buckets_is_bounded():
    buckets = Buckets(Rate(1, 1), 100, Clock().now_ms)
    for n in range(1000):
        buckets.take(str(n))
    assert len(buckets._levels) == 100


def test_slots_are_bounded_for_each_and_for_all_and_come_free():
    slots = Slots(2, 3, "x.full")
    with slots.held("a"), slots.held("a"):
        with pytest.raises(Refused, match=r"x\.full"), slots.held("a"):
            pass
        with slots.held("b"), pytest.raises(Refused), slots.held("c"):
            pass
    with slots.held("c"), slots.held("c"):
        pass
    assert slots._running == {}


def test_a_budget_comes_back_also_after_a_failure():
    budget = Budget(10, "x.full")
    with pytest.raises(ZeroDivisionError), budget.held(10):
        raise ZeroDivisionError
    with budget.held(10), pytest.raises(Refused), budget.held(1):
        pass


@pytest.mark.parametrize(
    ("peer", "forwarded", "name"),
    [
        ("192.0.2.1", "", "192.0.2.1"),
        ("192.0.2.1", "198.51.100.9", "192.0.2.1"),
        ("127.0.0.1", "198.51.100.9", "198.51.100.9"),
        ("127.0.0.1", "203.0.113.1, 198.51.100.9", "198.51.100.9"),
        ("127.0.0.1", "nonsense", "-"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("2001:db8:1:2:3:4:5:6", "", "2001:db8:1:2::"),
        ("2001:db8:1:2:ffff::", "", "2001:db8:1:2::"),
        ("::ffff:192.0.2.1", "", "192.0.2.1"),
        (None, "", "-"),
    ],
)
def test_an_address_is_what_we_see_or_what_our_proxy_says(peer, forwarded, name):
    assert client_address(peer, forwarded, frozenset({"127.0.0.1"})) == name
