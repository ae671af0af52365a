"""Who kills the hall, when (灾星): at named points, and between them at random moments."""

import asyncio
import random
from dataclasses import dataclass, field

from tests.faults.site_process import SiteProcess

SHORT_S = (0.05, 0.7)
LONG_S = 2.5  # enough for everybody to come back and go on
SHORT_LIVES = 0.35
TRIES_MAX = 4


@dataclass
class Nemesis:
    """``points``: where to die, in the order in which an opening meets them."""

    site: SiteProcess
    points: list[str]
    chance: random.Random
    at_points: list[str] = field(default_factory=list)
    at_random: int = 0
    while_starting: int = 0
    may_kill: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.may_kill.set()

    @property
    def kills(self) -> int:
        return len(self.at_points) + self.at_random + self.while_starting

    async def rage(self, kills_max: int) -> None:
        """Until so many kills; the hall lives when this returns, or when it is cancelled."""
        tries = 0
        while self.kills < kills_max:
            point = self.points[0] if self.points else ""
            if self.site.alive:
                self.site.kill()
                await self.site.ended()
                self.at_random += 1
            if self.chance.random() < 0.12:
                await self._kill_while_starting()
            await self.site.start(point, wait=False)
            is_short = not point or self.chance.random() < SHORT_LIVES
            died = await self._live(self.chance.uniform(*SHORT_S) if is_short else LONG_S)
            tries += 1
            if died and point:
                self.at_points.append(point)
            if point and (died or tries >= TRIES_MAX):
                self.points.pop(0)
                tries = 0
        if self.site.alive:
            # This life may still have a point in front of it.
            self.site.kill()
            await self.site.ended()
        await self.site.start()

    async def _kill_while_starting(self) -> None:
        await self.site.start(wait=False)
        await asyncio.sleep(self.chance.uniform(0, 0.06))
        self.site.kill()
        await self.site.ended()
        self.while_starting += 1

    async def _live(self, seconds: float) -> bool:
        """Whether it died by itself within its time, which begins when it listens."""
        if not await self.site.until_ready():
            return True
        try:
            async with asyncio.timeout(seconds):
                await self.site.ended()
        except TimeoutError:
            await self.may_kill.wait()
            return not self.site.alive
        return True
