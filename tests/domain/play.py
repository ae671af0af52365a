"""A tender and its opening, played through the pure rules as the rooms play them.

``Play`` has a clock that a test sets, keeps every event in the order in which it would be
journaled, puts each through its encoding and its log entries (so that no rule can make an event
that the shell could not store), and does the decryption work on the stored bytes when it is due.
"""

from typing import Any

from crypto.checkpoint import sign_checkpoint
from crypto.messages import (
    build_card_unlock,
    build_release,
    build_self_release,
    build_unlock,
)
from crypto.receipts import closed_list_root
from crypto.registration import bind_message, invite_message, organisation_hash
from crypto.shares import open_share
from server.decryption.forms import SealedForm, open_form
from server.decryption.halves import find, payload_intact
from server.domain import commands as cmd
from server.domain import due
from server.domain.events import Event
from tests.domain.cast import (
    HOST,
    LOG_KEY,
    RECEIPT_KEY,
    TRUSTEES,
    Bidder,
)
from tests.domain.journaling import DAY_MS, Journaling, log_root, signed_act
from tests.domain.sealed_bids import SealedBid, a_sealed_bid, a_submit
from tests.domain.tender_rules import FORM, ORIGIN, signatures_of


class Play(Journaling):
    """One tender with its opening. Methods named after acts in the hall do them now."""

    # ---- before the deadline

    def publish(self) -> None:
        signatures = signatures_of(self.rules)
        self.ask(cmd.PublishTender(manifest=self.rules.raw, signatures=signatures))
        self.ask(cmd.ScheduleOpening(manifest=self.rules.raw))

    def registration(self, bidder: Bidder, **changes: Any) -> cmd.RegisterBidder:
        facts: dict[str, Any] = {
            "bidder_pk": bidder.key.public,
            "bidder_xpk": bidder.box.public,
            "expiry_ms": self.rules.deadline_ms + 30 * DAY_MS,
        }
        facts |= changes
        org = organisation_hash(facts.pop("org", bidder.org))
        claims = (self.rules.tender_id, facts["bidder_pk"], facts["bidder_xpk"], facts["expiry_ms"])
        facts.setdefault("sig", bidder.key.sign(bind_message(*claims, org)))
        invitation = RECEIPT_KEY.sign(invite_message(*claims, org))
        return cmd.RegisterBidder(**facts, invitation_sig=invitation)

    def register(self, bidder: Bidder) -> None:
        self.ask(self.registration(bidder), bidder.actor)

    def upload(self, bid: SealedBid) -> None:
        for sealed in bid.envelopes.values():
            header = sealed.header
            command = cmd.StoreEnvelope(header=header.raw, ct_root=header.ct_root)
            self.ask(command, bid.bidder.actor)
            self.store[header.bid_id] = sealed.payload

    def chain(self, bid: SealedBid) -> dict[str, Any]:
        """seq and prev of the next message of this bid's chain."""
        chain = self.tender.chains.get((bid.bidder.key.public, bid.lot), ())
        return {"seq": len(chain) + 1, "prev": chain[-1].message.digest if chain else bytes(32)}

    def submit(self, bid: SealedBid, **asked: Any) -> None:
        message = a_submit(self.rules, bid, **self.chain(bid))
        self.ask(cmd.SubmitBid(message=message.raw), bid.bidder.actor, **asked)
        self.bids = [b for b in self.bids if (b.bidder, b.lot) != (bid.bidder, bid.lot)] + [bid]

    def withdraw(self, bid: SealedBid, **asked: Any) -> None:
        message = a_submit(self.rules, bid, **self.chain(bid), kind=2)
        self.ask(cmd.SubmitBid(message=message.raw), bid.bidder.actor, **asked)
        self.bids.remove(bid)

    def bid(self, bidder: Bidder, **how: Any) -> SealedBid:
        """Register (once), seal, upload and SUBMIT."""
        if bidder.org not in self.tender.by_org:
            self.register(bidder)
        sealed = a_sealed_bid(self.rules, bidder, **how)
        self.upload(sealed)
        self.submit(sealed)
        return sealed

    # ---- the deadline

    def open_sign_in(self) -> None:
        self.now_ms = max(self.now_ms, self.opening.deadline_ms - 3_600_000)
        self.ask(cmd.OpeningTick(passed_ms=self.now_ms))

    def close(self) -> None:
        """The deadline passes; the tender closes and its opening is told with what."""
        self.now_ms = max(self.now_ms, self.tender.deadline_ms + 5)
        self.ask(cmd.TenderTick(passed_ms=self.tender.deadline_ms))
        self.ask(self.closed_list())

    def closed_list(self) -> cmd.TakeClosedList:
        counting = self.tender.counting()
        parties = {r.org: self.tender.by_org[r.org] for r in counting}
        return cmd.TakeClosedList(
            submits=[r.message.raw for r in counting],
            headers=[
                self.tender.stored[i.bid_id].header.raw for r in counting for i in r.message.items
            ],
            names={org: party.name for org, party in parties.items()},
            orgs={party.bidder_pk: org for org, party in parties.items()},
            certified=[],
            deadline_ms=self.tender.deadline_ms,
            list_root=closed_list_root([r.message.digest for r in counting]),
        )

    def checkpoint(self, of: str = "closing") -> None:
        """A signed checkpoint covers what the hall waits for."""
        window = self.opening.window
        self.log_size += 1
        text = sign_checkpoint(ORIGIN, self.log_size, log_root(self.log_size), LOG_KEY)
        w, session = (window.w, window.session) if window and of != "closing" else (0, 0)
        self.ask(
            cmd.ReachCheckpoint(of=of, w=w, session=session, checkpoint=text, fingerprint="AAAA")
        )

    # ---- the countdown

    def start(self, session: int = 1, reason: str = "") -> None:
        self.ask(cmd.StartWindow(session=session, reason=reason), HOST)

    def end_by_time(self) -> None:
        """The end passes, and one whole pass over the sockets after it."""
        window = self.opening.window
        assert window is not None
        self.now_ms = max(self.now_ms, window.end_ms + 3)
        self.ask(cmd.OpeningTick(passed_ms=window.end_ms))

    def unlock_messages(
        self,
        bid: SealedBid,
        *envelopes: int,
        halves: dict[int, bytes] | None = None,
        **changes: Any,
    ) -> list[bytes]:
        """One UNLOCK per envelope of the session (or of those named)."""
        window = self.opening.window
        assert window is not None
        numbers = envelopes or [n for n in window.nonces if n in bid.envelopes]
        return [
            build_unlock(
                self.rules.suite_impl,
                **{
                    "tender_id": self.rules.tender_id,
                    "opening_nonce": window.nonces.get(n, bytes(32)),
                    "envelope": n,
                    "w": window.w,
                    "items": [(bid.bid_id(n), (halves or {}).get(n, bid.half(n)))],
                    "key": bid.bidder.key,
                    **changes,
                },
            ).raw
            for n in numbers
        ]

    def unlocking(self, bid: SealedBid, *envelopes: int, **changes: Any) -> cmd.UnlockBid:
        return cmd.UnlockBid(messages=self.unlock_messages(bid, *envelopes, **changes))

    def unlock(
        self, bid: SealedBid, *envelopes: int, received_ms: int | None = None
    ) -> list[Event]:
        command = self.unlocking(bid, *envelopes)
        return self.ask(command, bid.bidder.actor, received_ms=received_ms)

    def card(self, bid: SealedBid, envelope: int = FORM, **changes: Any) -> cmd.UnlockByCard:
        window = self.opening.window
        facts: dict[str, Any] = {
            "tender_id": self.rules.tender_id,
            "opening_nonce": window.nonces.get(envelope, bytes(32)) if window else bytes(32),
            "bid_id": bid.bid_id(envelope),
            "bidder_half": bid.half(envelope),
        }
        message = build_card_unlock(self.rules.suite_impl, **(facts | changes))
        return cmd.UnlockByCard(message=message.raw)

    # ---- the release

    def release_message(self, place: int, envelope: int, **changes: Any) -> bytes:
        """What the trustee at ``place`` of the manifest's list answers for one envelope."""
        window = self.opening.window
        assert window is not None
        trustee = TRUSTEES[place - 1]
        i = self.rules.envelope(envelope).trustees.index(place) + 1
        size = int(window.checkpoint.split("\n")[1])
        listed = changes.pop("listed", None)
        shares = changes.pop("shares", {})  # bid_id -> (status, share) instead of the honest one
        answers: list[tuple[bytes, int, bytes]] = []
        for bid_id in self.release_set(envelope) if listed is None else listed:
            header = self.opening.envelopes[bid_id][0].headers[envelope]
            answers.append((bid_id, *shares.get(bid_id, open_share(header, i, trustee.box))))
        facts: dict[str, Any] = {
            "tender_id": self.rules.tender_id,
            "root": log_root(size),
            "size": size,
            "opening_nonce": window.nonces.get(envelope, bytes(32)),
            "envelope": envelope,
            "i": i,
            "mode": self.rules.envelope(envelope).mode,
            "items": answers,
            "key": trustee.sign,
        }
        return build_release(self.rules.suite_impl, **(facts | changes)).raw

    def release_set(self, envelope: int) -> list[bytes]:
        counting = self.opening.counting(envelope)
        if self.rules.envelope(envelope).mode == 1:
            return counting
        return [bid_id for bid_id in counting if bid_id in self.opening.halves]

    def releasing(self, place: int, *envelopes: int, **changes: Any) -> cmd.ReleaseShares:
        window = self.opening.window
        assert window is not None
        numbers = envelopes or [
            n for n in sorted(window.nonces) if place in self.rules.envelope(n).trustees
        ]
        return cmd.ReleaseShares(
            messages=[self.release_message(place, n, **dict(changes)) for n in numbers]
        )

    def release(self, place: int, **changes: Any) -> list[Event]:
        return self.ask(self.releasing(place, **changes), TRUSTEES[place - 1].actor)

    def self_releasing(
        self, bid: SealedBid, envelope: int = FORM, **changes: Any
    ) -> cmd.ReleaseSelf:
        window = self.opening.window
        assert window is not None
        facts: dict[str, Any] = {
            "tender_id": self.rules.tender_id,
            "opening_nonce": window.nonces.get(envelope, bytes(32)),
            "bid_id": bid.bid_id(envelope),
            "host_half": bid.envelopes[envelope].host_half,
        }
        message = build_self_release(self.rules.suite_impl, **(facts | changes))
        return cmd.ReleaseSelf(messages=[message.raw])

    def lost(self, reason: str = "两把钥匙损坏", **changes: Any) -> cmd.DeclareTrusteesLost:
        window = self.opening.window
        assert window is not None
        members = {"nonce": window.nonces[self.opening.form_envelope()].hex(), "reason": reason}
        pks, sigs = signed_act(15, self.rules, members)
        return cmd.DeclareTrusteesLost(**{"reason": reason, "pks": pks, "sigs": sigs, **changes})

    # ---- the work behind the hall

    def halves_report(self, work: due.FindHalves) -> cmd.ReportHalves:
        done = [
            find(bid, payload_intact(bid, self.store[bid.header.bid_id]), None) for bid in work.bids
        ]
        return cmd.ReportHalves(
            envelope=work.envelope,
            releases=work.releases,
            repairs=work.repairs,
            found=[one.found for one in done],
            faults=[fault for one in done for fault in one.faults],
        )

    def forms_report(self, work: due.OpenForms) -> cmd.ReportForms:
        forms = [
            open_form(
                SealedForm(
                    key=key,
                    payload=self.store[key.header.bid_id],
                    rules=self.rules,
                    bidder_code=self.opening.envelopes[key.header.bid_id][0].org,
                )
            )
            for key in work.forms
        ]
        return cmd.ReportForms(envelope=work.envelope, forms=forms)

    def work(self) -> None:
        """Everything that the state asks for, until it asks for nothing more."""
        for _ in range(20):
            found = due.work(self.opening)
            if found is None:
                return
            known = isinstance(found, due.FindHalves)
            self.ask(self.halves_report(found) if known else self.forms_report(found))
        raise AssertionError("the same work is asked for again and again")

    def open_all(self) -> None:
        self.ask(cmd.OpenAll(), HOST)
        self.work()

    def states(self) -> dict[int, str]:
        """The frozen state of each counting form by its bidder's number (single lot)."""
        return {
            bid.bidder.number: self.opening.states[bid.bid_id(self.opening.form_envelope())]
            for bid in self.bids
            if bid.bid_id(self.opening.form_envelope()) in self.opening.states
        }
