"""The web client's files: addresses, caching, packing."""

from pathlib import Path

import pytest

from server.http.pages import read_pages
from tests.http.site import Site, refused
from tests.http.small_hall import TENDER


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    directory = tmp_path / "dist"
    (directory / "assets").mkdir(parents=True)
    (directory / "index.html").write_text("<!doctype html><title>开标</title>")
    (directory / "assets/index-B1x_y-Z9.js").write_text("export const a = 1;\n" * 200)
    (directory / "assets/index-B1x_y-Z9.css").write_text("a{}")
    (directory / "favicon-monochrome.svg").write_text("<svg/>")
    (directory / "sodium.wasm").write_bytes(bytes(3000))
    return directory


PLACES = ("hall", "bid", "unlock", "host", "trustee", "evaluation", "wall", "playback")


@pytest.mark.parametrize(
    "path",
    ["/", "/login", "/demo", *(f"/{kind}/{TENDER}" for kind in PLACES)],
)
async def test_every_page_address_is_the_one_page(open_a_site, dist: Path, path: str):
    site: Site = await open_a_site(pages=dist)
    async with site.visitor() as hall, hall.session.get(path) as response:
        assert response.status == 200
        assert response.headers["Content-Type"] == "text/html; charset=utf-8"
        assert response.headers["Cache-Control"] == "no-cache"
        assert "开标" in await response.text()


async def test_hashed_files_are_kept_for_ever_and_packed(open_a_site, dist: Path):
    site: Site = await open_a_site(pages=dist)
    async with site.visitor() as hall:
        async with hall.session.get("/assets/index-B1x_y-Z9.js") as response:
            assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
            assert response.headers["Content-Type"] == "text/javascript; charset=utf-8"
            assert response.headers["Content-Encoding"] == "gzip"
            assert (await response.text()).startswith("export const a")
        async with hall.session.get("/favicon-monochrome.svg") as response:
            assert response.headers["Cache-Control"] == "no-cache"
            assert "Content-Encoding" not in response.headers
        async with hall.session.get("/sodium.wasm") as response:
            assert response.headers["Content-Type"] == "application/wasm"
            assert await response.read() == bytes(3000)


async def test_a_page_that_has_not_changed_is_not_sent_again(open_a_site, dist: Path):
    site: Site = await open_a_site(pages=dist)
    async with site.visitor() as hall:
        async with hall.session.get("/") as response:
            etag = response.headers["ETag"]
        async with hall.session.get("/", headers={"If-None-Match": etag}) as response:
            assert response.status == 304
            assert await response.read() == b""


async def test_a_browser_that_unpacks_nothing_gets_it_plain(open_a_site, dist: Path):
    site: Site = await open_a_site(pages=dist)
    headers = {"Accept-Encoding": "identity"}
    path = "/assets/index-B1x_y-Z9.js"
    async with site.visitor() as hall, hall.session.get(path, headers=headers) as response:
        assert "Content-Encoding" not in response.headers
        assert response.headers["Vary"] == "Accept-Encoding"


async def test_without_a_built_client_there_are_no_pages(site: Site):
    async with site.visitor() as hall:
        await refused("route.unknown", hall.read("/"))


def test_a_folder_that_is_not_there_is_an_empty_table(tmp_path: Path):
    assert read_pages(tmp_path / "nothing").find("/") is None
    assert read_pages(None).find("/index.html") is None
