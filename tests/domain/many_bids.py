"""Thousands of light bids: parsed like any, sealed by nobody, for what depends on numbers."""

from collections.abc import Iterator
from functools import cache

from msgspec.structs import replace

from crypto.canonical import encode
from crypto.hashes import sha256
from crypto.header import parse_header
from crypto.manifest import Manifest
from crypto.receipts import closed_list_root
from server.domain import commands as cmd
from server.domain import opening_events as ev
from server.domain.opening import Opening, Stage, Unlocked, Window
from tests.domain.cast import Bidder
from tests.domain.sealed_bids import a_sealed_bid, a_submit
from tests.domain.tender_rules import FORM

NONCE = bytes(range(32))


@cache
def closed_list(rules: Manifest, count: int) -> cmd.TakeClosedList:
    """``count`` bids of as many organisations, each of one form."""
    bidder = Bidder(1)
    sealed = a_sealed_bid(rules, bidder)
    template = sealed.envelopes[FORM].header
    made: list[tuple[bytes, bytes, bytes]] = []  # digest, submit, header
    for n in range(count):
        nonce = sha256(b"light", n.to_bytes(4, "big"))[: len(template.bid_nonce)]
        raw = template.raw.replace(template.bid_nonce, nonce)
        bid_id = parse_header(raw, rules.suite_impl).bid_id
        pk = n.to_bytes(32, "big")
        submit = a_submit(rules, sealed, items=[(FORM, bid_id)]).raw
        submit = submit.replace(bidder.key.public, pk)
        made.append((sha256(submit), submit, raw))
    made.sort()
    return cmd.TakeClosedList(
        submits=[submit for _, submit, _ in made],
        headers=[header for _, _, header in made],
        names={f"org{n}": f"江州第{n}建设工程有限责任公司" for n in range(count)},
        orgs={n.to_bytes(32, "big"): f"org{n}" for n in range(count)},
        certified=[],
        deadline_ms=rules.deadline_ms,
        list_root=closed_list_root([digest for digest, _, _ in made]),
    )


def about_to_open(state: Opening) -> Opening:
    """The same bids when every half is there and the button was pressed."""
    window = Window(
        session=1, w=1, nonces={FORM: NONCE}, start_ms=state.now_ms, end_ms=state.now_ms, ended=True
    )
    bid_ids = state.counting(FORM)
    found = {b: ev.HalfFound(bid_id=b, host_half=b"h" * 32, state="") for b in bid_ids}
    return replace(
        state,
        stage=Stage.OPENING,
        window=window,
        halves={b: Unlocked(b"b" * 32, b"d" * 32, state.now_ms) for b in bid_ids},
        found=found,
        all_opened=True,
    )


def opened(state: Opening) -> Iterator[cmd.FormOpened]:
    """Every form as the workers would report it."""
    for bid_id in state.counting(FORM):
        bid, _ = state.envelopes[bid_id]
        price = f"7100{bid.no:04d}.00"
        form = encode(
            {
                "bidder": {"code": bid.org, "name": bid.name},
                "fields": {"days": 120, "price": price},
                "format": 1,
                "lot": 1,
                "others": [],
            }
        )
        yield cmd.FormOpened(bid_id=bid_id, state="opened", form=form, amount=price)
