"""The demo's meeting of evaluation (演示评标会): a main venue, two satellites, an expert a seat."""

from server.demo.world import World
from server.domain.evaluation_room_commands import (
    BeginMeeting,
    HoldMeeting,
    SeatAsked,
    VenueAsked,
)
from server.domain.model import SYSTEM
from server.rooms.hall import Hall

MEETING = "pb-2026-sg-0398"
TITLE = "澄江二桥引道照明工程（评标会）"
# venue, its name, its camera, its seats
VENUES = (
    ("jiangzhou", "主场 · 江州评标一室", "jiangzhou-room", ("a1", "a2", "a3")),
    ("linjiang", "客场 · 临江评标二室", "linjiang-room", ("b1", "b2")),
    ("yunling", "客场 · 云岭评标一室", "yunling-room", ("c1", "c2")),
)


def the_meeting(world: World) -> HoldMeeting:
    """Experts take the seats in their order; the host moderates."""
    experts = iter(world.experts)
    return HoldMeeting(
        title=TITLE,
        venues=tuple(
            VenueAsked(
                venue=venue,
                name=name,
                is_main=venue == VENUES[0][0],
                cameras=(camera,),
                seats=tuple(SeatAsked(seat=seat, person=next(experts).person) for seat in seats),
            )
            for venue, name, camera, seats in VENUES
        ),
        moderator=world.host.person,
        supervisors=(world.supervisor.person,),
    )


async def open_meeting(hall: Hall, world: World) -> None:
    """Held and begun; one that an earlier life of the demo has begun stays as it is."""
    if hall.find_room(f"evaluation:{MEETING}") is None:
        await hall.open_meeting(MEETING, the_meeting(world))
        room = hall.find_room(f"evaluation:{MEETING}")
        assert room is not None
        await room.ask(BeginMeeting(), SYSTEM, "", hall.now_ms())
