"""Shares: any t of them suffice, and exactly the liars are named."""

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto.errors import Rejected
from crypto.sealing import deal_check
from crypto.shares import (
    SHARE_OK,
    ShareFault,
    find_host_half,
    open_share,
    share_faults,
)
from tests.crypto.sealing_examples import (
    SUITES,
    TRUSTEES,
    a_form,
    a_sealed_form,
    sealed_with,
)

each_suite = pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.name)


def shares_of(sealed) -> dict[int, bytes]:
    answers = {
        i: open_share(sealed.header, i, TRUSTEES[i - 1]) for i in range(1, sealed.header.n + 1)
    }
    assert {status for status, _ in answers.values()} == {SHARE_OK}
    return {i: share for i, (_, share) in answers.items()}


def dealt(suite, t: int, n: int):
    xpks = tuple(key.public for key in TRUSTEES[:n])
    return sealed_with(a_form(suite, t=t, trustee_xpks=xpks, demo=t == n))


@each_suite
@pytest.mark.parametrize(("t", "n"), [(1, 1), (1, 3), (2, 3), (3, 5), (5, 9), (9, 9)])
def test_any_t_shares_give_the_host_half_and_fewer_give_nothing(suite, t: int, n: int):
    sealed = dealt(suite, t, n)
    shares = shares_of(sealed)
    for subset in combinations(shares, t):
        found = find_host_half(sealed.header, {i: shares[i] for i in subset})
        assert found is not None
        assert (found.subset, found.host_half) == (subset, sealed.host_half)
    for subset in list(combinations(shares, t - 1))[:20]:
        assert find_host_half(sealed.header, {i: shares[i] for i in subset}) is None


@settings(max_examples=40)
@given(st.sampled_from(SUITES), st.data())
def test_with_t_honest_trustees_the_bid_is_found_and_exactly_the_liars_are_named(
    suite, data: st.DataObject
):
    n = data.draw(st.integers(2, 6))
    t = data.draw(st.integers(1, n - 1))
    sealed = dealt(suite, t, n)
    good = shares_of(sealed)
    honest = data.draw(st.sets(st.sampled_from(sorted(good)), min_size=t))
    kinds = {i: data.draw(st.sampled_from(["share", "unreadable", "offline"])) for i in good}
    given_, unreadable = {i: good[i] for i in honest}, []
    for i in set(good) - honest:
        if kinds[i] == "share":
            wrong = data.draw(st.binary(min_size=suite.share_size, max_size=suite.share_size))
            given_[i] = wrong if wrong != good[i] else bytes(suite.share_size)
        elif kinds[i] == "unreadable":
            unreadable.append(i)
    found = find_host_half(sealed.header, given_, tuple(sorted(given_)[:t]))
    assert found is not None
    assert found.host_half == sealed.host_half
    liars = {ShareFault(i, kinds[i]) for i in set(good) - honest if kinds[i] != "offline"}
    named = share_faults(sealed.header, found.host_half, given_, unreadable)
    assert set(named) == liars
    assert [fault.i for fault in named] == sorted(fault.i for fault in named)


@each_suite
def test_no_trustee_is_named_on_a_dealing_that_fails(suite):
    sealed, other = a_sealed_form(suite), sealed_with(a_form(suite), fill=b"o")
    garbage = {1: bytes(suite.share_size)}
    assert not deal_check(sealed.header, other.host_half)
    assert share_faults(sealed.header, other.host_half, garbage, (2,)) == ()


@each_suite
def test_shares_of_trustees_who_do_not_exist_take_no_part(suite):
    sealed = a_sealed_form(suite)
    shares = shares_of(sealed)
    beyond = {0: shares[1], 2: shares[2], 4: shares[3], 9: shares[3]}
    assert find_host_half(sealed.header, beyond) is None
    beyond[3] = shares[3]
    found = find_host_half(sealed.header, beyond, (0, 4))
    assert found is not None
    assert found.subset == (2, 3)


@each_suite
def test_a_trustee_answers_only_for_its_own_row(suite):
    header = a_sealed_form(suite).header
    for i in (0, 4, -1):
        with pytest.raises(Rejected, match=r"share\.position"):
            open_share(header, i, TRUSTEES[0])
    with pytest.raises(Rejected, match=r"share\.key"):
        open_share(header, 2, TRUSTEES[0])


@each_suite
def test_dealing_does_not_depend_on_anything_but_the_half_and_the_core(suite):
    one, again = sealed_with(a_form(suite)), sealed_with(a_form(suite))
    assert one.header.trustees == again.header.trustees
    other = sealed_with(a_form(suite, envelope=2))
    assert other.host_half == one.host_half
    assert not {row.box for row in other.header.trustees} & {row.box for row in one.header.trustees}
