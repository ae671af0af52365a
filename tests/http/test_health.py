"""Health and metrics: for this machine alone, and silent about bidders."""

import aiohttp
import pytest
from prometheus_client import CollectorRegistry

from server.http.health import build_health_app, listen_health
from tests.http.site import Site
from tests.http.small_hall import TENDER, sealed


async def test_alive_and_ready_are_two_questions():
    reasons: list[str] = ["journal.opening"]
    runner = await listen_health(build_health_app(CollectorRegistry(), lambda: reasons), 0)
    host, port = runner.addresses[0][:2]
    async with aiohttp.ClientSession(f"http://{host}:{port}") as client:
        async with client.get("/livez") as response:
            assert response.status == 200
        async with client.get("/readyz") as response:
            assert response.status == 503
            assert await response.json() == {"ready": False, "reasons": ["journal.opening"]}
        reasons.clear()
        async with client.get("/readyz") as response:
            assert response.status == 200
    await runner.cleanup()


async def test_health_never_listens_to_the_outside():
    app = build_health_app(CollectorRegistry(), list)
    with pytest.raises(AssertionError):
        await listen_health(app, 0, "0.0.0.0")


async def test_no_number_moves_with_what_bidders_do(open_a_site):
    registry = CollectorRegistry()
    site: Site = await open_a_site(registry=registry)
    runner = await listen_health(build_health_app(registry, list), 0)
    host, port = runner.addresses[0][:2]

    async def metrics() -> str:
        at = f"http://{host}:{port}/metrics"
        async with aiohttp.ClientSession() as client, client.get(at) as response:
            assert response.headers["Content-Type"].startswith("text/plain")
            return await response.text()

    async with site.visitor() as hall:
        await hall.tenders()
    before = await metrics()
    form = sealed(envelope=1, size=8192)
    async with site.person("bidder-a") as hall:
        await hall.mine(TENDER)
        await hall.command(f"opening:{TENDER}", "sign_in", {})
        await hall.store(TENDER, form.header.raw, form.payload)
        await hall.submit(TENDER, b"message")
        await hall.ticket()
    assert await metrics() == before
    assert 'kaibiao_http_public_reads_total{route="/tenders",status="2xx"} 1.0' in before
    await runner.cleanup()
