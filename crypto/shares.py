"""Dealing the host half to trustees (密钥分量) and getting it back: C2, C5.

Invariant: the whole dealing is a function of s_H and AD, so once s_H is known everybody can
recompute every share and every box. A bidder is blamed only by a failed DEAL CHECK, a trustee only
when DEAL CHECK passes and its signed answer differs from the recomputed one.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from hmac import compare_digest
from itertools import combinations
from typing import Final, Literal

from crypto.errors import Rejected
from crypto.header import Header
from crypto.keys import BoxKey
from crypto.schedule import coefficients, host_commitment, trustee_ephemeral
from crypto.suites import Suite

SHARE_OK: Final = 0
SHARE_UNREADABLE: Final = 1
SHARE_OTHER_AD: Final = 2
SHARE_REFUSED: Final = 3


@dataclass(frozen=True, slots=True)
class Found:
    """A host half that matches c_H, and the positions (from 1) whose shares gave it."""

    host_half: bytes = field(repr=False)
    subset: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ShareFault:
    """Trustee `i` (from 1) gave another share than was dealt, or called a good box unreadable."""

    i: int
    fault: Literal["share", "unreadable"]


def deal_boxes(
    suite: Suite, ad: bytes, s_H: bytes, t: int, trustee_xpks: Collection[bytes]
) -> Iterator[bytes]:
    """box_1, box_2, ... of C2: share_i ‖ AD, sealed to trustee i with an ephemeral key from s_H."""
    polynomial = coefficients(suite, ad, s_H, t)
    for i, xpk in enumerate(trustee_xpks, 1):
        share = suite.share_at(polynomial, i)
        yield suite.box_seal(share + ad, xpk, trustee_ephemeral(suite, ad, s_H, i))


def host_half_matches(header: Header, s_H: bytes) -> bool:
    """Whether s_H is canonical, not zero, and the one committed to in c_H."""
    suite = header.suite
    return suite.is_host_half(s_H) and compare_digest(
        host_commitment(suite, header.ad, s_H), header.c_H
    )


def deal_check(header: Header, s_H: bytes) -> bool:
    """DEAL CHECK of C2: s_H matches c_H and gives every box of the header byte for byte.

    Measured at n = 3, t = 2: 3.8 times one Ed25519 verification; nearly all of it is libsodium's
    two X25519 multiplications per trustee, without the interpreter lock. It is 0.9 of what a form
    costs from shares to plaintext.
    """
    if not host_half_matches(header, s_H):
        return False
    keys = [trustee.xpk for trustee in header.trustees]
    boxes = deal_boxes(header.suite, header.ad, s_H, header.t, keys)
    return all(box == row.box for box, row in zip(boxes, header.trustees, strict=True))


def open_share(header: Header, i: int, box_key: BoxKey) -> tuple[int, bytes]:
    """What trustee `i` (from 1) answers about its box: (status of C11, share or zero bytes).

    A box that opens to a share which is not canonical is unreadable: such a share could not be
    sent. Raises Rejected share.position, share.key (the key is not that row's: no answer is
    possible).
    """
    suite = header.suite
    if not 1 <= i <= header.n:
        raise Rejected("share.position", str(i))
    row = header.trustees[i - 1]
    if box_key.public != row.xpk:
        raise Rejected("share.key", str(i))
    nothing = bytes(suite.share_size)
    content = suite.box_open(row.box, box_key.public, box_key.secret)
    if content is None:
        return SHARE_UNREADABLE, nothing
    share, ad = content[: suite.share_size], content[suite.share_size :]
    if ad != header.ad:
        return SHARE_OTHER_AD, nothing
    if not suite.is_share(share):
        return SHARE_UNREADABLE, nothing
    return SHARE_OK, share


def find_host_half(
    header: Header, shares: Mapping[int, bytes], first: tuple[int, ...] | None = None
) -> Found | None:
    """The subset search of C5 over shares of status 0, by position; None if no subset gives c_H.

    `first` is the subset that worked for the previous bid: with it an opening tries one subset per
    bid. Shares that are not canonical take no part. At most C(9, t) <= 126 subsets are tried.

    Measured at t = 2: a quarter of one Ed25519 verification when `first` fits; each further subset
    a tenth.
    """
    suite = header.suite
    usable = {
        i: share for i, share in shares.items() if 1 <= i <= header.n and suite.is_share(share)
    }
    for subset in _subsets(sorted(usable), header.t, first):
        s_H = suite.combine(subset, [usable[i] for i in subset])
        if host_half_matches(header, s_H):
            return Found(s_H, subset)
    return None


def share_faults(
    header: Header, s_H: bytes, shares: Mapping[int, bytes], unreadable: Collection[int]
) -> tuple[ShareFault, ...]:
    """The trustees whom C5 names: a share that differs, or status 1 or 2 about a box that is good.

    `unreadable` holds the positions that answered status 1 or 2. Nobody is named unless DEAL CHECK
    passes: on a bad dealing no trustee can be blamed.
    """
    suite = header.suite
    polynomial = coefficients(suite, header.ad, s_H, header.t)
    faults = [
        ShareFault(i, "share")
        for i, share in shares.items()
        if share != suite.share_at(polynomial, i)
    ]
    faults += [ShareFault(i, "unreadable") for i in unreadable]
    # The dear check only when somebody would be named: with honest trustees it never runs here.
    if not faults or not deal_check(header, s_H):
        return ()
    return tuple(sorted(faults, key=lambda fault: fault.i))


def _subsets(
    positions: list[int], t: int, first: tuple[int, ...] | None
) -> Iterator[tuple[int, ...]]:
    if first is not None and len(first) == t and set(first) <= set(positions):
        yield first
    for subset in combinations(positions, t):
        if subset != first:
            yield subset
