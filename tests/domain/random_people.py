"""Random people: lawful and unlawful commands of everybody in an opening, at any time."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
)

from crypto.errors import Rejected
from crypto.shares import SHARE_OK, SHARE_REFUSED, SHARE_UNREADABLE
from server.domain import commands as cmd
from server.domain import due
from server.domain.commands import Command
from server.domain.model import PUBLIC, SYSTEM, Actor
from server.domain.opening import Opening, Stage
from server.domain.refusals import REFUSALS, Refused
from tests.domain.cast import HOST, TRUSTEES, Bidder
from tests.domain.forged_headers import another_polynomial, noise_for_ciphertext
from tests.domain.play import Play
from tests.domain.sealed_bids import SealedBid, a_sealed_bid
from tests.domain.tender_rules import BODY, DEADLINE_MS, FORM, sample_rules

HOWS: list[dict[str, Any]] = [
    *({},) * 6,
    {"forged": another_polynomial},
    {"forged": noise_for_ciphertext},
    {"written": "with one decimal"},
]
BIDDERS = [Bidder(1), Bidder(2), Bidder(3)]
bidders = st.sampled_from(BIDDERS)
places = st.sampled_from([1, 2, 3])
moments = st.sampled_from([0, 1, 500, 20_000, 300_000, 600_000])
offsets = st.sampled_from([0, 0, 0, -1, -5000, -700_000])
reasons = st.sampled_from(["停电", "重来", "", "a\nb", "\u200b"])


class RandomPeople(RuleBasedStateMachine):
    """One tender with up to three bidders, of whom some cheat."""

    play: Play

    @initialize(
        mode=st.sampled_from([0, 0, 1]),
        body=st.booleans(),
        early_end=st.booleans(),
        unattended=st.booleans(),
        hows=st.lists(st.sampled_from(HOWS), min_size=3, max_size=3),
        far=st.sampled_from(["published", "announced", "started", "started", "ended", "ended"]),
    )
    def publish(self, hows: list[dict[str, Any]], far: str, **rules: Any) -> None:
        self.play = Play(sample_rules(**rules))
        self.play.publish()
        self.play.open_sign_in()
        self.hows = dict(zip(BIDDERS, hows, strict=True))
        self.versions = dict.fromkeys(BIDDERS, 1)
        self.honest: set[int] = set()  # places whose accepted shares are the dealt ones
        self.damaged: set[bytes] = set()
        self.report: Command | None = None
        self.seen = 0
        self.halves: dict[bytes, bytes] = {}
        self.states: dict[bytes, str] = {}
        if far != "published":
            self.go_on(far)

    def go_on(self, far: str) -> None:
        """So that random people also meet the later stages."""
        play = self.play
        for bidder in BIDDERS:
            play.bid(bidder, **self.hows[bidder])
        play.close()
        if far == "announced":
            return
        play.checkpoint()
        play.start()
        if far == "ended":
            for bid in play.bids[1:]:
                play.unlock(bid)
            play.end_by_time()
            play.checkpoint("window_end")

    # ---- how things are asked

    def ask(self, command: Command, actor: Actor = SYSTEM, ago_ms: int = 0) -> bool:
        """Whether it was done; a refusal must have a code that everybody knows."""
        try:
            self.play.ask(command, actor, received_ms=self.play.now_ms + min(0, ago_ms))
        except (Refused, Rejected) as refusal:
            self.know(refusal)
            return False
        return True

    def know(self, refusal: Refused | Rejected) -> None:
        assert isinstance(refusal, Rejected) or refusal.code in REFUSALS

    def bid_of(self, bidder: Bidder) -> SealedBid:
        """The bid that counts, or the one that is sealed now."""
        counting = [bid for bid in self.play.bids if bid.bidder == bidder]
        if self.play.tender.closed and counting:
            return counting[0]
        how = self.hows[bidder]
        return a_sealed_bid(self.play.rules, bidder, version=self.versions[bidder], **how)

    @property
    def opening(self) -> Opening:
        return self.play.opening

    def window_exists(self) -> bool:
        return self.opening.window is not None

    # ---- before the deadline

    @precondition(lambda self: not self.play.tender.closed)
    @rule(bidder=bidders, ago_ms=offsets, again=st.booleans())
    def submit(self, bidder: Bidder, ago_ms: int, again: bool) -> None:
        play = self.play
        if bidder.org not in play.tender.by_org:
            self.ask(play.registration(bidder), bidder.actor)
        if again:
            self.versions[bidder] += 1
        bid = self.bid_of(bidder)
        if bidder.org in play.tender.by_org:
            play.upload(bid)
        try:
            play.submit(bid, received_ms=play.now_ms + ago_ms)
        except Refused as refused:
            self.know(refused)

    @precondition(lambda self: not self.play.tender.closed and bool(self.play.bids))
    @rule(ago_ms=offsets)
    def withdraw(self, ago_ms: int) -> None:
        try:
            self.play.withdraw(self.play.bids[0], received_ms=self.play.now_ms + ago_ms)
        except Refused as refused:
            self.know(refused)

    @precondition(lambda self: not self.play.tender.closed)
    @rule(passed_too=st.booleans())
    def pass_the_deadline(self, passed_too: bool) -> None:
        play = self.play
        play.now_ms = max(play.now_ms, DEADLINE_MS + 5)
        passed = DEADLINE_MS if passed_too else DEADLINE_MS - 1
        self.ask(cmd.TenderTick(passed_ms=passed))
        if play.tender.closed:
            self.ask(play.closed_list())

    @precondition(lambda self: self.play.tender.closed)
    @rule(of=st.sampled_from(["closing", "window_end"]))
    def checkpoint(self, of: str) -> None:
        self.play.checkpoint(of)

    # ---- the clock

    @precondition(lambda self: self.play.tender.closed)
    @rule(ms=moments)
    def wait(self, ms: int) -> None:
        self.play.later(ms)

    @rule(lag_ms=moments)
    def tick(self, lag_ms: int) -> None:
        self.ask(cmd.OpeningTick(passed_ms=self.play.now_ms - lag_ms))

    @rule(out_ms=moments)
    def outage(self, out_ms: int) -> None:
        if self.play.tender.closed:
            alive = self.play.now_ms
            self.play.later(out_ms)
            self.ask(cmd.ResumeAfterOutage(last_alive_ms=alive))

    @precondition(lambda self: self.opening.stage is Stage.DECRYPTION)
    @rule()
    def end_by_time(self) -> None:
        window = self.opening.window
        assert window is not None
        if not window.paused:
            self.play.end_by_time()

    # ---- the host

    @rule(session=st.sampled_from([1, 1, 1, 0, 2]), reason=reasons)
    def start(self, session: int, reason: str) -> None:
        self.ask(cmd.StartWindow(session=session, reason=reason), HOST)

    @rule(reason=reasons, ago_ms=offsets)
    def pause(self, reason: str, ago_ms: int) -> None:
        self.ask(cmd.Pause(reason=reason), HOST, ago_ms)

    @rule()
    def resume(self) -> None:
        self.ask(cmd.Resume(), HOST)

    @rule(extra_ms=st.sampled_from([-1, 0, 1000, 60_000, 10**9]), reason=reasons, ago_ms=offsets)
    def extend(self, extra_ms: int, reason: str, ago_ms: int) -> None:
        self.ask(cmd.Extend(extra_ms=extra_ms, reason=reason), HOST, ago_ms)

    @rule(button=st.sampled_from([cmd.EndReplies(), cmd.OpenAll(), cmd.ReadRow(no=1)]))
    def press(self, button: Command) -> None:
        self.ask(button, HOST)

    @precondition(lambda self: self.opening.stage is Stage.READ_OUT)
    @rule()
    def close(self) -> None:
        self.ask(cmd.CloseOpening(), HOST)

    # ---- the bidders

    @precondition(window_exists)
    @rule(
        bidder=bidders,
        numbers=st.sampled_from([(), (FORM,), (BODY,)]),
        ago_ms=offsets,
        wrong=st.sampled_from([*[""] * 12, "half", "nonce", "w", "owner", "mixed"]),
        by=st.sampled_from(["key", "key", "card"]),
    )
    def unlock(
        self, bidder: Bidder, numbers: tuple[int, ...], ago_ms: int, wrong: str, by: str
    ) -> None:
        bid, play = self.bid_of(bidder), self.play
        numbers = tuple(n for n in numbers if n in bid.envelopes)
        if by == "card":
            number = numbers[0] if numbers else FORM
            changes = {"opening_nonce": bytes(32)} if wrong == "nonce" else {}
            self.ask(play.card(bid, number, **changes), PUBLIC, ago_ms)
            return
        changes: dict[str, Any] = {}
        if wrong == "half":
            changes["halves"] = {FORM: bid.envelopes[FORM].host_half[:32].ljust(32, b"\0")}
        if wrong == "nonce":
            changes["opening_nonce"] = bytes(32)
        if wrong == "w":
            changes["w"] = 9
        if wrong == "mixed":
            changes["items"] = [(b, bid.half(n)) for n, b in bid.items]
        actor = Bidder(bidder.number % 3 + 1).actor if wrong == "owner" else bidder.actor
        self.ask(play.unlocking(bid, *numbers, **changes), actor, ago_ms)

    @precondition(lambda self: self.play.tender.closed)
    @rule(bidder=bidders)
    def report_attempt(self, bidder: Bidder) -> None:
        command = cmd.ReportAttempt(bid_id=self.bid_of(bidder).bid_id(), code="unlock.key_mismatch")
        self.ask(command, bidder.actor)

    @precondition(window_exists)
    @rule(bidder=bidders, number=st.sampled_from([FORM, BODY]))
    def self_release(self, bidder: Bidder, number: int) -> None:
        bid = self.bid_of(bidder)
        if number in bid.envelopes:
            self.ask(self.play.self_releasing(bid, number), bidder.actor)

    @rule(bidder=bidders)
    def sign_in(self, bidder: Bidder) -> None:
        self.ask(cmd.SignIn(), bidder.actor)

    # ---- the trustees

    @precondition(lambda self: self.window_exists() and bool(self.opening.window.checkpoint))
    @rule(
        place=places,
        answer=st.sampled_from([*["dealt"] * 6, "garbage", "unreadable", "refused"]),
        wrong=st.sampled_from([*[""] * 9, "nonce", "set", "mode"]),
    )
    def release(self, place: int, answer: str, wrong: str) -> None:
        play = self.play
        changes: dict[str, Any] = {
            "nonce": {"opening_nonce": bytes(32)},
            "set": {"listed": []},
            "mode": {"mode": 1 - play.rules.envelope(FORM).mode},
        }.get(wrong, {})
        if answer != "dealt":
            changes["shares"] = {b: self._answer(b, answer) for b in play.opening.counting(FORM)}
        try:
            command = play.releasing(place, **changes)
        except Rejected:
            return
        before = place in self.opening.release_bytes
        done = self.ask(command, TRUSTEES[place - 1].actor)
        if done and not before and answer == "dealt" and not self.opening.late & {place}:
            self.honest.add(place)

    def _answer(self, bid_id: bytes, answer: str) -> tuple[int, bytes]:
        suite = self.play.rules.suite_impl
        if answer == "garbage":
            return SHARE_OK, suite.share_at([suite.reduce(bid_id * 2)], 1)
        return (SHARE_UNREADABLE if answer == "unreadable" else SHARE_REFUSED), bytes(32)

    @precondition(lambda self: self.window_exists())
    @rule(reason=st.sampled_from(["失联", " "]))
    def lose_trustees(self, reason: str) -> None:
        self.ask(self.play.lost(reason), HOST)

    # ---- the workers

    @precondition(lambda self: self.play.bids)
    @rule()
    def damage(self) -> None:
        bid_id = self.play.bids[0].bid_id()
        if not self.opening.all_opened and bid_id not in self.opening.found:
            self.play.store[bid_id] = b""
            self.damaged.add(bid_id)

    @rule()
    def take_work(self) -> None:
        """The work is done now and reported later, when the hall may have gone on."""
        found = due.work(self.opening)
        if isinstance(found, due.FindHalves):
            self.report = self.play.halves_report(found)
        elif found is not None:
            self.report = self.play.forms_report(found)

    @rule(twice=st.booleans())
    def hand_in(self, twice: bool) -> None:
        report, self.report = self.report, None
        if report is not None:
            # Work that is out of date is not asked for by the state any more.
            self.ask(report)
            if twice:
                self.ask(report)

    @rule()
    def work(self) -> None:
        self.play.work()
