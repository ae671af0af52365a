"""Who may do what in a room's video (权限表), from role and state. Pure.

The act itself, to put somebody on stage, to hold, to mute, to call, is judged and journaled by the
room (`server/domain`); here stands only what follows from it. Invariant: nobody is told of a bidder
before the list is announced, or, where names are masked, before the prices are read out; nobody is
told of a meeting's supervisors.
"""

from dataclasses import dataclass
from typing import Any, Final

from media.grants import NOTHING, Grants, Label
from server.domain.evaluation_room import Evaluation, MeetingStage
from server.domain.evaluation_room_rules import MODERATOR, SUPERVISOR, part_of
from server.domain.floor import Call
from server.domain.model import PUBLIC as ANYBODY
from server.domain.model import STAFF, Actor, Role
from server.domain.opening import Opening, Stage
from server.domain.refusals import Refused

CAMERA: Final = "camera:"
EVERYTHING: Final = frozenset(Label)
SPEAKING: Final = frozenset({Label.CAMERA, Label.MICROPHONE})
NOT_ANNOUNCED: Final = (Stage.SCHEDULED, Stage.SIGN_IN)
RUNNING: Final = ("on", "no_pictures")  # states of a recording
FAILED_MS: Final = 30 * 60_000  # a host has something to explain


@dataclass(frozen=True, slots=True)
class Place:
    """What somebody is in a room. ``is_member``: takes part by WebRTC; else it watches fragments.

    ``role`` is what the others read; ``is_discreet``: they are not told that somebody is here.
    ``stage``: may put people on stage.
    """

    role: str
    grants: Grants = NOTHING
    is_member: bool = True
    is_discreet: bool = False
    stage: bool = False
    venue: str = ""
    seat: str = ""

    def shown(self) -> dict[str, Any]:
        """``may`` of a page."""
        held = self.grants
        return {
            "publish": sorted(held.publish),
            "watch": held.watch,
            "watch_all": held.watch_all,
            "mute": held.mute,
            "stage": self.stage,
            "call_in": held.call_in,
            "hidden": held.hidden,
        }


PUBLIC: Final = Place("viewer", Grants(watch=True), is_member=False)


def place_of(actor: Actor, state: Any, *, is_registered: bool, now_ms: int) -> Place:
    """``is_registered``: as a bidder of this tender. Raises Refused ``media.not_allowed``."""
    if isinstance(state, Opening):
        return _in_opening(actor, state, is_registered=is_registered, now_ms=now_ms)
    assert isinstance(state, Evaluation)
    return _in_meeting(actor, state)


def camera_place(name: str, state: Any, now_ms: int) -> Place:
    """Of a room's camera, by its member name. Raises Refused ``media.not_allowed``."""
    known = name.startswith(CAMERA)
    if isinstance(state, Evaluation):
        known = name in state.cameras()
    if not known or is_over(state, now_ms):
        raise Refused("media.not_allowed")
    return Place("camera", Grants(publish=SPEAKING), venue=_venue_of_camera(name, state))


def is_over(state: Any, now_ms: int) -> bool:
    """Nobody is seen here any more: what was recorded is complete."""
    if isinstance(state, Evaluation):
        return state.stage is MeetingStage.CLOSED
    if state.stage is Stage.FAILED:
        return now_ms > state.deadline_ms + FAILED_MS
    return state.stage is Stage.CLOSED


def has_video(state: Any) -> bool:
    """Whether this is a room that people can be seen in at all."""
    if isinstance(state, Opening):
        return state.manifest is not None
    return isinstance(state, Evaluation) and state.is_set


def is_recorded(state: Any) -> bool:
    """Whether a recording has begun and not ended, as far as the journal knows."""
    return any(one.state in RUNNING for one in state.floor.recordings.values())


def reached(call: Call, state: Evaluation) -> frozenset[str] | None:
    """Whom a supervisor's call reaches; None: the whole room."""
    if call.to.kind == "all":
        return None
    seats = [(venue, seat) for venue in state.venues for seat in venue.seats]
    if call.to.kind == "venue":
        return frozenset(seat.person for venue, seat in seats if venue.venue == call.to.id)
    return frozenset(seat.person for _, seat in seats if call.to.id in (seat.seat, seat.person))


# ---- openings


def _in_opening(actor: Actor, state: Opening, *, is_registered: bool, now_ms: int) -> Place:
    over = is_over(state, now_ms)
    if actor.role is Role.HOST:
        labels = frozenset[Label]() if over else EVERYTHING
        return Place("host", Grants(publish=labels, watch=True, mute=True), stage=not over)
    if actor.role in STAFF:
        return Place(str(actor.role), Grants(watch=True))
    if actor.role is not Role.BIDDER or not _takes_part(actor, state, is_registered=is_registered):
        return PUBLIC
    on_stage = actor.person in state.floor.on_stage and not over
    grants = Grants(publish=SPEAKING if on_stage else frozenset(), watch=True)
    return Place("bidder", grants, is_discreet=bidders_are_secret(state))


def bidders_are_secret(state: Opening) -> bool:
    """Who bids is not to be seen yet (electronic bidding rules art. 21; masked names)."""
    if state.manifest is None or state.stage in NOT_ANNOUNCED:
        return True
    return state.manifest.names_masked and not state.readouts


def _takes_part(actor: Actor, state: Opening, *, is_registered: bool) -> bool:
    """Before the list is there, who has registered; then who bids, or at least has signed in."""
    if state.stage in NOT_ANNOUNCED:
        return is_registered or actor.org in state.signed_in
    return actor.org in state.signed_in or any(bid.org == actor.org for bid in state.bids)


# ---- meetings of evaluation


def _in_meeting(actor: Actor, state: Evaluation) -> Place:
    labels = frozenset[Label]() if state.stage is MeetingStage.CLOSED else EVERYTHING
    part, person = part_of(state, actor), actor.person
    if not part:
        # Whose session has ended with a restart is told so, and logs in again.
        raise Refused("auth.required" if actor is ANYBODY else "media.not_allowed")
    if part == SUPERVISOR:
        calls = [call for call in state.floor.calls.values() if call.person == person]
        speaks = SPEAKING if calls and labels else frozenset[Label]()
        grants = Grants(
            publish=speaks, watch=True, watch_all=True, call_in=bool(calls), hidden=True
        )
        return Place("supervisor", grants, is_discreet=True)
    is_moderator, found = part == MODERATOR, state.place_of(person)
    venue, seat = (found[0].venue, found[1].seat) if found else ("", "")
    grants = Grants(publish=labels, watch=True, mute=is_moderator)
    role = "moderator" if is_moderator else "expert"
    return Place(role, grants, stage=is_moderator, venue=venue, seat=seat)


def _venue_of_camera(name: str, state: Any) -> str:
    if not isinstance(state, Evaluation):
        return ""
    short = name.removeprefix(CAMERA)
    return next((venue.venue for venue in state.venues if short in venue.cameras), "")
