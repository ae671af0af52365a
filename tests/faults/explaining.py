"""What is told of a play that did not come to its end."""

from tests.faults.site_process import SiteProcess
from tests.faults.steady_people import Steady


async def explain(site: SiteProcess, people: list[Steady], kind: type | None, *_: object) -> None:
    """Where everybody stood when a play did not come to its end."""
    if kind is None:
        return
    print(f"life {site.lives} of {site.directory}, alive: {site.alive}")
    for person in people:
        print(person.person.person, person.where())
    if site.alive:
        await site.obey("tasks")
    print(site.said()[-20_000:])
