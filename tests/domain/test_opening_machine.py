"""An opening under random people: lawful and unlawful commands, in any order, at any time.

After every step it is asked what must always hold: nothing that is sealed is told, no window gets
shorter or ends too soon, nothing that was handed over is lost, and every bid ends in the one state
that the bytes give it. What is refused is refused with a code; anything else is our mistake.
"""

from hypothesis import HealthCheck, settings
from hypothesis.stateful import invariant

from crypto.shares import open_share
from server.domain import due, opening, tender
from server.domain import opening_events as ev
from server.domain.events import SEALED, Event, encode
from server.domain.opening import Opening
from server.domain.tender import Tender
from tests.domain.cast import TRUSTEES
from tests.domain.forged_headers import another_polynomial
from tests.domain.play import Play
from tests.domain.random_people import BIDDERS, RandomPeople
from tests.domain.sealed_bids import SealedBid, a_sealed_bid
from tests.domain.tender_rules import FORM

STATES = {"opened", "locked", "unrecoverable", "damaged", "malformed"}  # C3
# What everybody may hear before the deadline: none of it speaks of bids.
BEFORE_DEADLINE = {
    "tender_published",
    "opening_scheduled",
    "sign_in_opened",
    "deadline_changed",
    "deadline_moved",
}


class OpeningMachine(RandomPeople):
    """What must hold after every step, whatever people do."""

    @invariant()
    def what_is_sealed_is_told_to_nobody(self) -> None:
        new = self.play.journal[self.seen :]
        for one in new:
            if one.event.audience() != SEALED:
                self._look_for_secrets(one.event)
            self._look_at(one.event, one.ts_ms)
        self.seen = len(self.play.journal)

    def _look_for_secrets(self, event: Event) -> None:
        payload = encode(event)
        for bidder in BIDDERS:
            for version in range(1, self.versions[bidder] + 1):
                bid = a_sealed_bid(self.play.rules, bidder, version=version, **self.hows[bidder])
                for secret in secrets_of(bid):
                    assert secret not in payload, event.TYPE
                if not isinstance(event, ev.PricesReadOut):
                    assert bidder.price(version=version).encode() not in payload, event.TYPE
        if event.TYPE not in BEFORE_DEADLINE and not event.audience().startswith("party:"):
            assert self.play.tender.closed, event.TYPE

    def _look_at(self, event: Event, ts_ms: int) -> None:
        window = self.opening.window
        match event:
            case ev.WindowEnded(early=False):
                assert ts_ms >= event.end_ms
                assert window is not None
                assert event.end_ms == window.end_ms
            case ev.WindowEnded(early=True):
                assert self.play.rules.sessions[0].early_end
                assert all(b in self.opening.halves for b in self.opening.session_bid_ids())
            case ev.WindowOpened() if event.w > 1:
                released = (ev.ReleaseReceived, ev.TrusteesLost)
                assert not any(self.play.events(kind) for kind in released)
            case ev.SetFrozen():
                assert self.play.events(ev.AllOpened)
                assert {b: s for b, s in self.opening.states.items() if b in self.forms()} == {
                    b: self.expected(b) for b in self.forms()
                }
            case ev.PricesReadOut():
                assert self.play.events(ev.SetFrozen)
            case ev.BodyDecided():
                assert event.bid_id not in self.forms()
            case _:
                pass

    def forms(self) -> list[bytes]:
        return self.opening.counting(FORM)

    def expected(self, bid_id: bytes) -> str:
        """C3 once more, from what people did instead of from bytes."""
        state = self.opening
        bid, _ = state.envelopes[bid_id]
        how = next(self.hows[b] for b in BIDDERS if b.org == bid.org)
        if bid_id not in state.halves:
            return "locked"
        if len(self.honest) < 2 and bid_id not in state.self_halves:
            return "unrecoverable"
        if how.get("forged") is another_polynomial:
            return "malformed"
        if bid_id in self.damaged:
            return "damaged"
        return "malformed" if how else "opened"

    @invariant()
    def what_was_handed_over_is_kept(self) -> None:
        halves = {b: u.half for b, u in self.opening.halves.items()}
        assert self.halves.items() <= halves.items()
        self.halves = halves

    @invariant()
    def states_are_from_the_table_and_stay(self) -> None:
        states = dict(self.opening.states)
        assert set(states.values()) <= STATES
        assert self.states.items() <= states.items()
        self.states = states

    @invariant()
    def a_window_never_gets_shorter(self) -> None:
        ends: dict[int, int] = {}
        w = 0
        for event in (one.event for one in self.play.journal):
            if isinstance(event, ev.WindowOpened):
                w = event.w
                assert w == len(ends) + 1
                ends[w] = event.end_ms
            elif isinstance(event, ev.WindowChanged):
                assert event.end_ms >= ends[w]
                ends[w] = event.end_ms

    @invariant()
    def the_state_waits_for_something_or_for_nothing(self) -> None:
        due.wake_ms(self.opening)
        due.awaited_checkpoint(self.opening)
        due.bodies(self.opening)
        tender.wake_ms(self.play.tender)

    def teardown(self) -> None:
        if hasattr(self, "play"):
            assert replayed(self.play) == (self.play.tender, self.play.opening)


def secrets_of(bid: SealedBid) -> list[bytes]:
    """Halves and shares of every envelope of a bid."""
    found: list[bytes] = []
    for sealed in bid.envelopes.values():
        found += [sealed.bidder_half, sealed.host_half]
        found += [open_share(sealed.header, t.place, t.box)[1] for t in TRUSTEES]
    return [secret for secret in found if any(secret)]


def replayed(play: Play) -> tuple[Tender, Opening]:
    """Both states again, from the journal alone."""
    first, second = Tender(allow_test=True), Opening(allow_test=True)
    for one in play.journal:
        if one.stream == "tender":
            first = tender.evolve(first, one.event, one.ts_ms)
        else:
            second = opening.evolve(second, one.event, one.ts_ms)
    return first, second


OpeningMachine.TestCase.settings = settings(
    max_examples=100,
    stateful_step_count=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
TestAnOpeningUnderRandomPeople = OpeningMachine.TestCase
