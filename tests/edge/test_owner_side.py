"""The owner's side over real HTTP: a real site with edges whose Redis nobody ever started."""

import asyncio
import subprocess
import sys
from contextlib import asynccontextmanager

import pytest

from crypto.errors import Rejected
from server.app import running
from server.config import Config, Edges, Limits, Listen, Site
from server.demo.auto import publish
from server.demo.world import World
from server.edge.shared import address_name, check
from server.http.client import HallHttp
from server.http.edge_client import OwnerAway, OwnerLine
from server.http.security_headers import content_policy
from server.http.settings import HttpSettings
from tests.faults.hall_process import LOG_ORIGIN
from tests.faults.site_process import ROOM, plan_of
from tests.tree import ROOT

SECRET = "a secret between a site and its edges"
NOBODY = "redis://127.0.0.1:1/0"
SIGNED_IN = 2  # opening_scheduled, sign_in_opened; then nothing until the deadline
OPENING, TENDER = f"opening:{ROOM}", f"tender:{ROOM}"


@asynccontextmanager
async def a_site(data, **edges):
    """A running site with one published tender."""
    config = Config(
        site=Site(data=str(data), log_origin=LOG_ORIGIN),
        listen=Listen(http_port=0, ws_port=0, health_port=0),
        limits=Limits(decrypt_workers=1),
        edges=Edges(**edges),
    )
    async with running(config) as site:
        await publish(site, World(bytes(range(32)), 3), plan_of(60_000), ROOM)
        yield site


def a_line(site, secret=SECRET):
    origin = site.config.site.origin
    return OwnerLine(origin, origin=origin, secret=secret)


async def test_an_edge_is_told_positions_and_given_pages_while_redis_is_away(tmp_path):
    async with a_site(tmp_path, redis=NOBODY, secret=SECRET) as site, a_line(site) as owner:
        opening = site.hall.find_room(OPENING)
        async with asyncio.timeout(60):
            while opening.durable_position("hall") < SIGNED_IN:  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.02)
        told = await owner.heads("", 0)
        assert told.epoch == 1
        assert told.heads == {
            room: site.hall.find_room(room).durable_position("hall") for room in (TENDER, OPENING)
        }
        assert (await owner.heads(told.boot, told.version)).heads == {}
        page = await owner.page(OPENING, "hall", 1, 0, 100)
        assert [tuple(event) for event in page] == site.hall.history(OPENING, "hall", 0, 100)
        assert len(page) == told.heads[OPENING]
        assert await owner.page(OPENING, "hall", 1, 100, 100) == []
        for room, audience, epoch in (
            (OPENING, "hall", 2),
            (OPENING, "staff", 1),
            ("a", "hall", 1),
        ):
            with pytest.raises(OwnerAway):
                await owner.page(room, audience, epoch, 0, 100)


@pytest.mark.parametrize("secret", ["", "another secret between a site and its edges", "\xe9" * 40])
async def test_without_the_secret_there_is_no_such_address(tmp_path, secret):
    async with a_site(tmp_path, redis=NOBODY, secret=SECRET) as site, a_line(site, secret) as owner:
        with pytest.raises(OwnerAway, match="404"):
            await owner.heads("", 0)


async def test_a_site_without_edges_has_nothing_for_them(tmp_path):
    async with a_site(tmp_path, secret=SECRET, urls=["ws://a/ws"]) as site, a_line(site) as owner:
        with pytest.raises(OwnerAway, match="404"):
            await owner.heads("", 0)
        async with HallHttp(site.config.site.origin) as hall:
            assert (await hall.bootstrap())["edges"] == []


def test_nothing_of_redis_is_loaded_where_it_is_not_used():
    code = "import sys, server.app, server.cli.serving; sys.exit('redis' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, timeout=60).returncode == 0


@pytest.mark.parametrize(
    ("key", "edges"),
    [
        ("edges.redis", Edges(secret=SECRET)),
        ("edges.redis", Edges(redis="http://127.0.0.1", secret=SECRET)),
        ("edges.secret", Edges(redis=NOBODY)),
        ("edges.secret", Edges(redis=NOBODY, secret="short")),
        ("edges.owner", Edges(redis=NOBODY, secret=SECRET, owner="127.0.0.1:8420")),
        ("edges.urls", Edges(redis=NOBODY, secret=SECRET, urls=["http://a/ws"])),
    ],
)
def test_a_configuration_that_cannot_work_names_its_key(key, edges):
    with pytest.raises(Rejected) as rejected:
        check(edges)
    assert rejected.value.code == "config.invalid"
    assert key in rejected.value.detail


def test_addresses_are_told_under_names_that_need_the_secret():
    assert address_name(SECRET, "192.0.2.1") == address_name(SECRET, "192.0.2.1")
    names = {address_name(s, a) for s in (SECRET, "other") for a in ("192.0.2.1", "192.0.2.2")}
    assert len(names) == 4


def test_pages_may_open_sockets_to_edges_and_nowhere_else():
    settings = HttpSettings(
        origin="https://hall.example", edges=("wss://a.example:8431/ws", "/edge/1/ws")
    )
    policy = content_policy(settings)
    assert "connect-src 'self' wss://hall.example wss://a.example:8431;" in policy
