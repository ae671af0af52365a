"""What an operator sees (指标): complete after a deadline, nothing of a tender before it, and a
dashboard that asks for nothing that does not exist.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from loadtests.bids import seal
from loadtests.openings import Openings
from server.app import Running, running
from server.config import Config, Listen, Site
from server.http.metrics import HttpMetrics
from server.rooms.metrics import register_metrics
from tests.tree import ROOT, ending, text

BIDDERS = 3
SEED = bytes(32)
SAMPLE = re.compile(r"^(\w+)(?:\{([^}]*)\})? (\S+)$", re.MULTILINE)
DASHBOARD = Path("docs/dashboard/kaibiao.json")
NAME = re.compile(r"kaibiao_\w+")


@asynccontextmanager
async def a_site(directory: Path) -> AsyncIterator[Running]:
    config = Config(
        site=Site(data=str(directory)), listen=Listen(http_port=0, ws_port=0, health_port=0)
    )
    async with running(config) as site:
        yield site


def shown(site: Running) -> str:
    """What /metrics would say now."""
    registry = CollectorRegistry()
    register_metrics(registry, site.hall, site.signaling)
    HttpMetrics(registry)
    return generate_latest(registry).decode()


def names(said: str) -> set[str]:
    return {name for name, _, _ in SAMPLE.findall(said)}


async def open_tender(openings: Openings, room: str) -> None:
    """Published, three bids handed in, its deadline moved on and on."""
    manifest = await openings.publish(room, min_bidders=BIDDERS, window_ms=60_000)
    bids = await asyncio.to_thread(seal, SEED, room, manifest, BIDDERS)
    await openings.submit(room, [bid.handed_in for bid in bids])


async def test_before_its_deadline_no_figure_speaks_of_a_tender(tmp_path: Path):
    async with a_site(tmp_path) as site:
        openings = Openings(site)
        await openings.cast(SEED, BIDDERS)
        before = names(shown(site))
        await open_tender(openings, "m-1")
        # What is kept of its fan-outs, too, is kept to ourselves.
        site.signaling.metrics.fanned_out("opening:m-1", 3.0)
        site.signaling.metrics.fanned_out("tender:m-1", 3.0)
        said = shown(site)
        assert "m-1" not in said
        assert names(said) == before
        assert await openings.announced("m-1") == BIDDERS
        said = shown(site)
        assert 'kaibiao_room_queue{room="opening:m-1"} 0.0' in said
        assert 'kaibiao_room_members{kind="viewer",room="opening:m-1"} 0.0' in said
        assert 'kaibiao_room_fanout_seconds{quantile="0.99",room="opening:m-1"} 0.003' in said
        assert "tender:m-1" not in said


async def test_a_dashboard_asks_for_nothing_that_does_not_exist(tmp_path: Path):
    async with a_site(tmp_path) as site:
        openings = Openings(site)
        await openings.cast(SEED, BIDDERS)
        await open_tender(openings, "m-2")
        await openings.announced("m-2")
        metrics = site.signaling.metrics
        metrics.fanned_out("opening:m-2", 1.0)
        metrics.turned_away["busy"] += 1  # a labelled counter shows when it has counted
        metrics.endings["peer.slow"] += 1
        there = names(shown(site))
    asked = expressions()
    assert len(asked) >= 15
    for expression in asked:
        used = NAME.findall(expression)
        assert used, expression
        assert set(used) <= there, expression
    # A site without edges has nothing to say of them; the name of a histogram is that of its parts.
    edges = "".join(text(path) for path in ending(".py") if path.parts[:2] == ("server", "edge"))
    for name in NAME.findall((ROOT / "docs/operating.md").read_text(encoding="utf-8")):
        if name.startswith("kaibiao_edge_"):
            assert f'"{name.removesuffix("_total")}"' in edges, name
        else:
            assert {name, f"{name}_bucket"} & there, name


def expressions() -> list[str]:
    dashboard = json.loads((ROOT / DASHBOARD).read_text(encoding="utf-8"))
    return [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]


@pytest.mark.parametrize("expression", expressions())
def test_an_expression_is_closed_and_counts_rates_of_counters_only(expression: str):
    assert expression.count("(") == expression.count(")")
    for inside in re.findall(r"rate\((\w+)\[", expression):
        assert inside.endswith(("_total", "_bucket")), expression
