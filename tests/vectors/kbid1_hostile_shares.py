"""Trustees' boxes and shares: what a trustee answers, what is found, and who is named (C5, C11)."""

from typing import Any

from kbid1_forge import flipped, forge_of
from kbid1_tender import TRUSTEES, a_form, octets, padded, seal, trustees

from crypto.header import Header, parse_header
from crypto.schedule import trustee_ephemeral
from crypto.sealing import Sealed, deal_check
from crypto.shares import find_host_half, open_share, share_faults

Json = dict[str, object]
ORDER = 2**252 + 27742317777372353535851937790883648493


def box_cases(sealed: Sealed) -> list[Json]:
    """Headers with one bad box each, and the answer of every trustee."""
    form, header, suite = forge_of(sealed), sealed.header, sealed.header.suite
    other = forge_of(seal(a_form(suite), padded(b"another"), "another bid for boxes"))
    key = TRUSTEES[0].public
    esk = trustee_ephemeral(suite, header.ad, sealed.host_half, 1)

    def with_first(box: bytes) -> bytes:
        return form.raw(rows=[(key, box), *form.rows[1:]])

    beyond = ORDER.to_bytes(32, "little")
    zero = bytes(suite.share_size)
    raws = [
        ("good boxes", header.raw, (0, 0, 0)),
        ("box 1 flipped", with_first(flipped(form.rows[0][1])), (1, 0, 0)),
        ("box 1 of zeros", with_first(bytes(len(form.rows[0][1]))), (1, 0, 0)),
        ("box 1 copied from another bid", with_first(other.rows[0][1]), (2, 0, 0)),
        ("box 1 is box 2", with_first(form.rows[1][1]), (1, 0, 0)),
        (
            "box 1 holds a share of L",
            with_first(suite.box_seal(beyond + header.ad, key, esk)),
            (1, 0, 0),
        ),
        (
            "box 1 holds a share of zero",
            with_first(suite.box_seal(zero + header.ad, key, esk)),
            (0, 0, 0),
        ),
        (
            "the core changed after dealing",
            form.raw(bid_nonce=flipped(header.bid_nonce)),
            (2, 2, 2),
        ),
    ]
    cases: list[Json] = []
    for name, raw, statuses in raws:
        parsed = parse_header(raw, suite)
        answers = [open_share(parsed, i, TRUSTEES[i - 1]) for i in range(1, parsed.n + 1)]
        assert tuple(status for status, _ in answers) == statuses, name
        cases.append(
            {
                "name": name,
                "header": raw.hex(),
                "trustee_seeds": [trustee.seed.hex() for trustee in TRUSTEES[: parsed.n]],
                "expect": [{"status": status, "share": share.hex()} for status, share in answers],
            }
        )
    return cases


def share_cases(sealed: Sealed) -> list[Json]:
    """Subset search, DEAL CHECK and faults over what trustees gave."""
    header, suite = sealed.header, sealed.header.suite
    one, two, three = (open_share(header, i, TRUSTEES[i - 1])[1] for i in (1, 2, 3))
    garbage = suite.share_at([suite.reduce(octets("garbage", suite.wide_size))], 1)
    zero = bytes(suite.share_size)
    beyond = (int.from_bytes(one, "little") + ORDER).to_bytes(32, "little")
    case = _Cases(sealed)
    case.add("all three", {1: one, 2: two, 3: three}, (1, 2), [])
    case.add("all three, the last pair first", {1: one, 2: two, 3: three}, (2, 3), [], first=(2, 3))
    case.add("first and third", {1: one, 3: three}, (1, 3), [])
    case.add("a first subset that is not there", {1: one, 3: three}, (1, 3), [], first=(1, 2))
    case.add("one alone", {1: one}, None, [])
    case.add("nobody", {}, None, [])
    case.add("third gives garbage", {1: one, 2: two, 3: garbage}, (1, 2), [(3, "share")])
    case.add(
        "second gives garbage, the pair with it first",
        {1: one, 2: garbage, 3: three},
        (1, 3),
        [(2, "share")],
        first=(1, 2),
    )
    # F2: the bidder must not be blamed, and nobody else can be named yet.
    case.add("one garbage share and one trustee offline", {1: one, 2: garbage}, None, [])
    case.add("two garbage shares", {1: garbage, 2: garbage, 3: three}, None, [])
    case.add("shares 1 and 2 swapped", {1: two, 2: one, 3: three}, None, [])
    case.add("a share of zero", {1: one, 2: zero, 3: three}, (1, 3), [(2, "share")])
    case.add("share + L", {1: beyond, 2: two, 3: three}, (2, 3), [(1, "share")])
    case.add("only share + L and one more", {1: beyond, 2: two}, None, [])
    case.add("called a good box unreadable", {1: one, 2: two}, (1, 2), [(3, "unreadable")], (3,))
    _four_trustees(case, garbage)
    for pair in ((1, 2), (1, 3), (2, 3)):
        _inconsistent(case, sealed, pair)
    return case.cases


def _four_trustees(case: "_Cases", garbage: bytes) -> None:
    terms = a_form(case.suite, trustee_xpks=trustees(4))
    sealed = seal(terms, padded(b"four"), "hostile four")
    one, three = (open_share(sealed.header, i, TRUSTEES[i - 1])[1] for i in (1, 3))
    case.add(
        "one lies about the box, one about the share",
        {1: one, 3: three, 4: garbage},
        (1, 3),
        [(2, "unreadable"), (4, "share")],
        (2,),
        sealed=sealed,
    )


def _inconsistent(case: "_Cases", sealed: Sealed, pair: tuple[int, int]) -> None:
    """Shares 1 and 2 give s_H, share 3 does not: never opened, and no trustee is ever named."""
    header, suite, form = sealed.header, sealed.header.suite, forge_of(sealed)
    garbage = suite.share_at([suite.reduce(octets("bad dealing", suite.wide_size))], 1)
    esk = trustee_ephemeral(suite, header.ad, sealed.host_half, 3)
    box = suite.box_seal(garbage + header.ad, TRUSTEES[2].public, esk)
    raw = form.raw(rows=[*form.rows[:2], (TRUSTEES[2].public, box)])
    bad = Sealed(parse_header(raw, suite), sealed.payload, sealed.bidder_half, sealed.host_half)
    shares = {i: open_share(bad.header, i, TRUSTEES[i - 1])[1] for i in pair}
    found = pair if pair == (1, 2) else None
    name = f"inconsistent dealing, seen by {pair[0]} and {pair[1]}"
    case.add(name, shares, found, [], sealed=bad, deal=False)
    if found:
        everybody = shares | {3: open_share(bad.header, 3, TRUSTEES[2])[1]}
        case.add("inconsistent dealing, seen by all", everybody, (1, 2), [], sealed=bad, deal=False)
        name = "inconsistent dealing, and one says unreadable"
        case.add(name, shares, (1, 2), [], (3,), sealed=bad, deal=False)


class _Cases:
    """Collects cases and asserts each while it is made."""

    def __init__(self, sealed: Sealed) -> None:
        self.cases: list[Json] = []
        self._sealed = sealed
        self.suite = sealed.header.suite

    def add(
        self,
        name: str,
        shares: dict[int, bytes],
        subset: tuple[int, ...] | None,
        faults: list[tuple[int, str]],
        unreadable: tuple[int, ...] = (),
        *,
        first: tuple[int, ...] | None = None,
        sealed: Sealed | None = None,
        deal: bool = True,
    ) -> None:
        given = sealed or self._sealed
        header: Header = given.header
        found = find_host_half(header, shares, first)
        assert (found and found.subset) == subset, f"{name}: {found}"
        expect: dict[str, Any] = {"subset": None, "s_H": None, "deal_check": None, "faults": []}
        if found:
            assert found.host_half == given.host_half
            assert deal_check(header, found.host_half) is deal, name
            named = share_faults(header, found.host_half, shares, unreadable)
            assert [(fault.i, fault.fault) for fault in named] == faults, f"{name}: {named}"
            expect = {
                "subset": list(found.subset),
                "s_H": found.host_half.hex(),
                "deal_check": deal,
                "faults": [{"i": fault.i, "fault": fault.fault} for fault in named],
            }
        self.cases.append(
            {
                "name": name,
                "header": header.raw.hex(),
                "shares": {str(i): share.hex() for i, share in shares.items()},
                "unreadable": list(unreadable),
                "first": list(first) if first else None,
                "expect": expect,
            }
        )
