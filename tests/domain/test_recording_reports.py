"""What may be said of a recording, and who hears it."""

import pytest

from server.domain import floor_rules
from server.domain.events import HALL, STAFF_AUDIENCE
from server.domain.floor import NAME_TRACKS, REPORTS, Floor, evolve
from server.domain.floor_commands import BeginRecording, ReportRecording
from server.domain.floor_events import RecordingReported


def running() -> Floor:
    (began,) = floor_rules.begin_recording(Floor(), BeginRecording(recording="evaluation-x"))
    return evolve(Floor(), began, 1)


def report(what: str, *, in_meeting: bool) -> RecordingReported:
    command = ReportRecording(recording="evaluation-x", what=what, detail="mic-0")
    (event,) = floor_rules.report_recording(running(), command, to_staff=in_meeting)
    assert isinstance(event, RecordingReported)
    return event


@pytest.mark.parametrize("what", sorted(NAME_TRACKS))
def test_in_a_meeting_what_names_tracks_is_for_its_supervisors(what: str) -> None:
    assert report(what, in_meeting=True).audience() == STAFF_AUDIENCE
    assert report(what, in_meeting=False).audience() == HALL


def test_that_pictures_have_stopped_everybody_in_a_meeting_hears() -> None:
    assert report("pictures_stopped", in_meeting=True).audience() == HALL


@pytest.mark.parametrize("what", sorted(NAME_TRACKS))
def test_what_happens_to_files_does_not_end_a_recording(what: str) -> None:
    floor = evolve(running(), report(what, in_meeting=False), 2)
    assert REPORTS[what] is None
    assert floor.recordings["evaluation-x"].state == "on"
