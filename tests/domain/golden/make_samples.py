"""Writes the golden samples of events (金样): one encoded event of every type and version.

Run from the repository's root: ``python -m tests.domain.golden.make_samples``. It only ever
*appends* what has no sample yet: a sample that exists was written by an older program, and that
today's program reads it is the point. A new version of a type needs a new line here and its
upcaster in `server.domain.events`.
"""

import json
from pathlib import Path
from typing import Any

import msgspec

from server.domain import act_events as av
from server.domain import evaluation_room_events as mv
from server.domain import floor_events as fv
from server.domain import opening_events as ev
from server.domain import registry_events as rg
from server.domain import tender_events as tv
from server.domain.events import Event, encode
from server.domain.model import Role

SAMPLES = Path(__file__).with_name("events.jsonl")

ORG = "91360800MB00000001"
T0 = 1_795_138_200_000  # the sample tender's deadline


def b32(n: int) -> bytes:
    """32 bytes that are easily told apart."""
    return bytes([n]) * 32


def sample_events() -> list[Event]:
    """One event of every type, every field filled with something that shows."""
    half = ev.HalfFound(bid_id=b32(0x11), host_half=b32(0x12), state="")
    lost = ev.HalfFound(bid_id=b32(0x13), host_half=b"", state="unrecoverable")
    bid = ev.AnnouncedBid(
        no=1,
        lot=1,
        org=ORG,
        name="澄江路桥建设（江州）有限公司",
        certified=False,
        envelopes=[
            ev.EnvelopeOf(envelope=1, bid_id=b32(0x11)),
            ev.EnvelopeOf(envelope=2, bid_id=b32(0x21)),
        ],
    )
    nonces = [ev.Nonce(envelope=1, nonce=b32(1)), ev.Nonce(envelope=2, nonce=b32(2))]
    plain = [b32(1), b32(2)]
    officers = {"pks": [b32(0x31), b32(0x32)], "sigs": [b32(0x33) * 2, b32(0x34) * 2]}
    proposal: dict[str, Any] = {
        "act": b32(0x35),
        "by": "host",
        "person": "host",
        "name": "林悦",
        "reason": "断网",
        "pk": b32(0x31),
        "sig": b32(0x33) * 2,
    }
    ground: dict[str, Any] = {"envelope": 1, "bid_id": b32(0x13)}
    return [
        rg.PersonRegistered(
            org=ORG,
            person="bidder-1",
            role=Role.BIDDER,
            name="何川",
            org_name="澄江路桥",
            login_pk=b32(9),
        ),
        rg.PersonRemoved(person="bidder-1", reason="离职"),
        tv.TenderPublished(manifest=b'{"format":1}', signatures=b'{"signatures":[]}'),
        tv.BidderRegistered(
            org=ORG,
            name="澄江路桥",
            bidder_pk=b32(3),
            bidder_xpk=b32(4),
            expiry_ms=T0 + 1,
            sig=b32(5) * 2,
            binding_kind="certificate",
            binding_pk=b32(6),
            binding_sig=b32(7) * 2,
            chain_sha256=b32(8),
        ),
        tv.EnvelopeStored(org=ORG, header=b"\x89KBID header"),
        tv.SubmitReceived(org=ORG, message=b"KBIDSUB1", kind=1, result=2, received_ms=T0 - 5),
        tv.DeadlineChanged(old_ms=T0, deadline_ms=T0 + 86_400_000, reason="补遗", **officers),
        tv.DeadlineProposed(
            old_ms=T0, deadline_ms=T0 + 86_400_000, **(proposal | {"reason": "补遗"})
        ),
        tv.DeadlineDeclined(act=b32(0x35), by="supervisor", name="周岩", reason="公告未发"),
        tv.BiddingClosed(deadline_ms=T0, count=3, list_root=b32(0x41)),
        tv.StoreChecked(checked=6, damaged=[b32(0x21)]),
        ev.OpeningScheduled(manifest=b'{"format":1}'),
        ev.SignInOpened(),
        ev.BidderSignedIn(org=ORG, at_ms=T0 - 60_000),
        ev.ClosedListTaken(
            submits=[b"KBIDSUB1"],
            headers=[b"\x89KBID header"],
            names={ORG: "澄江路桥"},
            orgs={b32(3): ORG},
            certified=[ORG],
        ),
        ev.BiddersListed(bids=[bid]),
        ev.BiddersAnnounced(deadline_ms=T0, count=1, list_root=b32(0x41), bids=[bid]),
        ev.SignedInBidders(orgs=[ORG]),
        ev.LatecomerSignedIn(org=ORG, at_ms=T0 + 1),
        ev.DeadlineMoved(deadline_ms=T0 + 86_400_000),
        ev.LotFailed(lot=2, bidders=1),
        ev.OpeningFailed(reason="too_few_bids"),
        ev.CheckpointReached(
            of="window_end", w=2, session=1, checkpoint="origin\n7\nroot\n", fingerprint="ZC5J Z64H"
        ),
        ev.WindowOpened(
            session=1, w=2, nonces=nonces, start_ms=T0, end_ms=T0 + 600_000, reason="停电"
        ),
        ev.WindowChanged(
            change="pause", end_ms=T0 + 600_000, remaining_ms=300_000, reason="设备", nonces=plain
        ),
        ev.OutageSeen(from_ms=T0 + 1, to_ms=T0 + 90_001, lost_ms=30_000),
        ev.UnlockReceived(
            messages=[b"KBIDUNL1 form", b"KBIDUNL1 body"],
            nonces=plain,
            by="key",
            received_ms=T0 + 7,
            halves={b32(0x11): b32(0x51), b32(0x21): b32(0x52)},
        ),
        ev.BidUnlocked(no=1, envelopes=[1, 2], by="key", received_ms=T0 + 7),
        ev.OwnBidUnlocked(org=ORG, no=1, envelopes=[1, 2], by="card", received_ms=T0 + 7),
        ev.AttemptFailed(
            org=ORG,
            no=1,
            bid_id=b32(0x11),
            nonce=b32(1),
            code="unlock.window_closed",
            sha256=b32(0x61),
            received_ms=T0 + 8,
            kind=3,
        ),
        ev.AttemptSeen(no=1, code="unlock.window_closed", received_ms=T0 + 8),
        ev.WindowEnded(
            session=1, w=2, nonces=plain, end_ms=T0 + 9, early=True, unlocked=[1, 3], locked=[2]
        ),
        ev.ReleaseReceived(
            i=2,
            session=1,
            messages=[b"KBIDREL1 form", b"KBIDREL1 body"],
            nonces=plain,
            indices=[1, 2],
            modes=[0, 1],
            received_ms=T0 + 10,
        ),
        ev.TrusteeReleased(
            i=2, role="purchaser", name="王芳", received_ms=T0 + 10, needed=2, released=1
        ),
        ev.TrusteesLost(nonce=b32(1), reason="失联", **officers),
        av.TrusteesLostProposed(nonce=b32(1), **proposal),
        ev.SelfReleaseReceived(
            bid_id=b32(0x11),
            nonce=b32(1),
            host_half=b32(0x12),
            message=b"KBIDSLF1",
            received_ms=T0 + 11,
        ),
        ev.TrusteeFaultFound(
            i=2, envelope=1, nonce=b32(1), bid_id=b32(0x11), fault="share", sha256=b32(0x62)
        ),
        ev.HalvesFound(envelope=1, releases=(1, 2), found=[half, lost]),
        av.DamageFound(bid_ids=[b32(0x11)]),
        av.BidRepaired(no=1, envelope=1, bid_id=b32(0x11), ct_root=b32(0x14)),
        ev.RepliesEnded(by="host", nonces=plain),
        ev.AllOpened(by="unattended"),
        ev.DocumentPart(nonce=b32(1), of="set_frozen", part=1, raw=b'{"bids":['),
        ev.SetFrozen(nonce=b32(1), frozen=b'{"bids":[],"nonce":"01"}'),
        ev.PricesReadOut(
            nonce=b32(1), readout=b'{"format":1}', amounts={1: "71000000.00", 3: "70000000.00"}
        ),
        ev.RowRead(no=3),
        ev.BodyDecided(no=1, envelope=2, bid_id=b32(0x21), state="malformed"),
        ev.OpeningClosed(),
        av.GroundsSuggested(
            bids=[
                av.Suggestion(
                    no=2,
                    **ground,
                    state="locked",
                    ground="revoked",
                    why="late",
                    tries=2,
                    last_code="unlock.window_closed",
                    last_ms=T0 + 8,
                    lost_ms=30_000,
                )
            ]
        ),
        av.GroundProposed(no=2, **ground, suggested="revoked", ground="excused", **proposal),
        av.ActDeclined(act=b32(0x35), by="supervisor", name="周岩", reason="先看证据"),
        av.GroundDecided(
            no=2, **ground, suggested="revoked", ground="excused", reason="断网", **officers
        ),
        *_of_the_floor(),
        *_of_a_meeting(),
    ]


def _of_the_floor() -> list[Event]:
    recording = "opening-jz-0417"
    return [
        fv.StageTaken(person="bidder-1", name="澄江路桥", org=ORG, reason="提出异议"),
        fv.StageLeft(person="bidder-1", reason="异议已答复"),
        fv.Held(person="camera:door"),
        fv.ReleasedFromHold(person="camera:door"),
        fv.Muted(person="bidder-1", label="microphone"),
        fv.Unmuted(person="bidder-1", label="microphone"),
        fv.CallBegan(call="c-1", person="supervisor", to=fv.CallTo(kind="seat", id="a1")),
        fv.CallEnded(call="c-1", person="supervisor"),
        fv.RecordingBegan(recording=recording),
        fv.SegmentSealed(
            recording=recording,
            track="host.camera-h",
            segment=2,
            sha256=b32(0x71),
            bytes=1 << 26,
            first_ms=T0,
            last_ms=T0 + 600_000,
        ),
        fv.RecordingReported(
            recording=recording,
            to_staff=True,
            what="removed",
            lost_ms=1,
            detail="term",
            heads={"host.camera-h": b32(0x71)},
        ),
    ]


def _of_a_meeting() -> list[Event]:
    seat = mv.Seat(seat="a1", person="expert-1", name="陈立")
    venue = mv.Venue(venue="main", name="江州主场", is_main=True, cameras=("door",), seats=(seat,))
    host = mv.Attendant(person="host", name="林悦")
    return [
        mv.MeetingHeld(title="滨河东路评标会", venues=(venue,), moderator=host),
        mv.SupervisorsNamed(supervisors=(mv.Attendant(person="supervisor", name="周岩"),)),
        mv.MeetingBegan(),
        mv.MeetingClosed(),
    ]


def shown(event: Event) -> dict[str, Any]:
    """The event as JSON that a person can read: bytes are hex, keys are text."""
    return {name: _plain(getattr(event, name)) for name in event.__struct_fields__}


def _plain(value: Any) -> Any:
    match value:
        case bytes():
            return value.hex()
        case dict():
            return {str(_plain(k)): _plain(v) for k, v in value.items()}
        case list() | tuple():
            return [_plain(one) for one in value]
        case msgspec.Struct():
            return {name: _plain(getattr(value, name)) for name in value.__struct_fields__}
        case _:
            return value


def read_samples() -> list[dict[str, Any]]:
    if not SAMPLES.exists():
        return []
    return [json.loads(line) for line in SAMPLES.read_text(encoding="utf-8").splitlines()]


def main() -> None:
    """Appends the samples that are missing."""
    known = {(sample["type"], sample["version"]) for sample in read_samples()}
    with SAMPLES.open("a", encoding="utf-8") as out:
        for event in sample_events():
            if (event.TYPE, event.VERSION) in known:
                continue
            sample = {
                "type": event.TYPE,
                "version": event.VERSION,
                "audience": event.audience(),
                "payload": encode(event).hex(),
                "event": shown(event),
            }
            out.write(json.dumps(sample, ensure_ascii=False, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
