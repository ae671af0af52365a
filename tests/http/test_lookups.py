"""What can be looked up: board, manifest, log, openings, bundle, demo people."""

import pytest

from server.http.settings import Limits, Rate
from tests.http.site import Site, refused
from tests.http.small_hall import DEADLINE_MS, TENDER


async def test_a_page_learns_where_signaling_is_and_whom_to_call(open_a_site):
    names = {"site_name": "江州中心", "help_phone": "0790-555-0142"}
    site: Site = await open_a_site(ws_port=9001, demo=True, **names)
    async with site.visitor() as hall:
        assert await hall.bootstrap() == {
            "ws_port": 9001,
            "ws_path": "/ws",
            "edges": [],
            "origin": site.url,
            "demo": True,
            "version": "test",
            "site_name": "江州中心",
            "help_phone": "0790-555-0142",
        }
        assert await hall.demo_people() == {"people": []}


async def test_without_a_demo_there_are_no_demo_people(site: Site):
    async with site.visitor() as hall:
        await refused("route.unknown", hall.demo_people())


async def test_the_board_and_the_manifest_are_public(site: Site):
    async with site.visitor() as hall:
        assert [line["title"] for line in await hall.tenders()] == ["江洲"]
        assert await hall.manifest(TENDER) == (b'{"a":1}', b'{"sigs":[]}')
        await refused("tender.unknown", hall.manifest("other"))


async def test_a_bidder_sees_its_own_and_only_its_own(site: Site):
    site.hall.stored = {b"\x01" * 32: ("ORG-A", b"", b""), b"\x02" * 32: ("ORG-B", b"", b"")}
    async with site.person("bidder-a") as hall:
        mine = await hall.mine(TENDER)
    assert mine == {"registration": {"org": "ORG-A"}, "envelopes": [{"bid_id": "01" * 32}]}


async def test_the_log_is_public(site: Site):
    async with site.visitor() as hall:
        assert await hall.checkpoint() == "hall.example/kaibiao/log\n1\n"
        proof = await hall.consistency(1, 9)
        assert proof == {"from": 1, "to": 9, "path": ["01" * 32]}
        for query in ("", "from=1", "from=1&to=x", "from=-1&to=1"):
            await refused("query.malformed", hall.get(f"/log/consistency?{query}"))


async def test_the_closed_list_is_there_after_the_deadline(site: Site):
    async with site.visitor() as hall:
        await refused("opening.not_ready", hall.closed_list(TENDER))
        site.hall.ms = DEADLINE_MS
        assert await hall.closed_list(TENDER) == ["02" * 32]
        assert await hall.proofs(TENDER) == {"deadline_closed": None}
        await refused("bid.unknown", hall.closed_path(TENDER, b"\x09" * 32))


@pytest.mark.parametrize("text", ["", "00", "AA" * 32, "zz" * 32, "00" * 33, "0" * 63 + "%0a"])
async def test_a_hash_is_sixty_four_lower_case_digits(site: Site, text: str):
    async with site.visitor() as hall:
        path = f"/openings/{TENDER}/closed-path?sha256={text}"
        await refused("query.malformed", hall.get(path))


async def test_a_card_finds_its_bid_after_the_deadline_without_a_login(site: Site):
    start = b"\x07" * 8
    async with site.visitor() as hall:
        await refused("opening.not_ready", hall.sealed_bid(TENDER, start))
        site.hall.ms = DEADLINE_MS
        assert (await hall.sealed_bid(TENDER, start))["header"] == "07" * 8
        await refused("query.malformed", hall.sealed_bid(TENDER, b"\x07" * 32))


async def test_trustees_get_envelopes_and_halves(site: Site):
    async with site.person("trustee") as hall:
        assert await hall.envelopes(TENDER) == {"submits": [], "headers": ["03"]}
        assert await hall.halves(TENDER) == {"04" * 32: "05" * 32}


async def test_the_bundle_is_a_named_download_and_can_be_resumed(site: Site, tmp_path):
    async with site.visitor() as hall:
        error = await refused("bundle.not_ready", hall.bundle(TENDER, tmp_path / "x"))
        assert error.retryable
        content = bytes(range(256)) * 4096
        site.hall.bundle.write_bytes(content)
        assert await hall.bundle(TENDER, tmp_path / "got.zip") == len(content)
        assert (tmp_path / "got.zip").read_bytes() == content
        path = f"/openings/{TENDER}/opening.zip"
        async with hall.session.get(path, headers={"Range": "bytes=1000-1999"}) as response:
            assert response.status == 206
            assert await response.read() == content[1000:2000]
            named = response.headers["Content-Disposition"]
            assert named == f'attachment; filename="opening-{TENDER}.zip"'
            assert response.headers["Content-Type"] == "application/zip"
            assert response.headers["Cache-Control"] == "no-store"


async def test_what_is_computed_for_whoever_asks_is_limited_for_each_address(open_a_site):
    site: Site = await open_a_site(limits=Limits(lookup_rate=Rate(2, 60)))
    async with site.visitor() as hall:
        for _ in range(2):
            await hall.proofs(TENDER)
        error = await refused("request.too_many", hall.consistency(1, 2))
        assert (error.status, error.retryable) == (429, True)
        assert await hall.tenders()
        site.hall.ms += 1000
        await hall.consistency(1, 2)
