"""What /metrics says of live video, and what it keeps to itself."""

from types import SimpleNamespace
from typing import Any, cast

from prometheus_client import CollectorRegistry, generate_latest

from server.live.metrics import VideoCollector
from tests.domain.cast import HOST
from tests.domain.openings import an_opening
from tests.live.desk_lab import BIDDERS, OPENING, DeskLab


def said(lab: DeskLab) -> dict[str, float]:
    registry = CollectorRegistry()
    registry.register(VideoCollector(cast(Any, SimpleNamespace(desk=lab.desk))))
    lines = generate_latest(registry).decode().splitlines()
    return {
        name: float(value)
        for name, value in (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    }


async def test_packets_tracks_restarts_and_people_are_counted() -> None:
    lab = DeskLab(opening=an_opening(3, at="ready").opening)
    host = lab.came(HOST)
    lab.came(BIDDERS[0])
    lab.desk.counts = {"received": 7, "forwarded": 21, "forwarded_bytes": 900, "tracks": 2}
    lab.restart()
    lab.desk.counts = {"received": 7, "forwarded": 21, "tracks": 2}
    lab.desk.go_away(OPENING, host.listener)
    found = said(lab)
    assert found["kaibiao_media_up"] == 1
    assert found["kaibiao_media_restarts_total"] == 1
    assert found["kaibiao_media_forwarded_total"] == 21
    assert found["kaibiao_media_tracks"] == 2
    assert found["kaibiao_media_members"] == 2
    assert found["kaibiao_media_told_streams"] == 1
    lab.desk.dismiss(OPENING, "host")


async def test_before_the_deadline_nobody_is_counted() -> None:
    lab = DeskLab(opening=an_opening(3, at="sign_in").opening)
    for actor in (HOST, *BIDDERS):
        lab.came(actor)
    found = said(lab)
    assert (found["kaibiao_media_members"], found["kaibiao_media_told_streams"]) == (0, 0)
