"""tus over real sockets and a real blob store: the orderly life of an upload."""

from base64 import b64encode
from pathlib import Path

from crypto.hashes import sha256
from server.http.settings import Limits
from server.http.tus import format_metadata, parse_checksum
from tests.http.site import Site, refused
from tests.http.small_hall import TENDER, sealed

TUS = {"Tus-Resumable": "1.0.0"}
PATCH = {**TUS, "Content-Type": "application/offset+octet-stream"}


def announced(envelope) -> dict[str, str]:
    return {
        **TUS,
        "Upload-Length": str(len(envelope.payload)),
        "Upload-Metadata": format_metadata(
            {"tender": TENDER.encode(), "core": envelope.header.core}
        ),
    }


async def test_a_form_goes_up_and_becomes_an_envelope(site: Site):
    form = sealed(envelope=1, size=8192)
    async with site.person("bidder-a") as hall:
        bid_id = await hall.store(TENDER, form.header.raw, form.payload)
    assert bid_id == form.header.bid_id.hex()
    org, header, ct_root = site.hall.stored[form.header.bid_id]
    assert (org, header, ct_root) == ("ORG-A", form.header.raw, form.header.ct_root)
    assert site.blobs.path(form.header.bid_id).read_bytes() == form.payload
    assert site.blobs.path(form.header.bid_id, "kbh").read_bytes() == form.header.raw


async def test_a_large_body_goes_up_from_a_file_in_several_patches(site: Site, tmp_path: Path):
    body = sealed(size=24 << 20)
    file = tmp_path / "body.kbc"
    file.write_bytes(body.payload)
    seen: list[tuple[int, int]] = []
    async with site.person("bidder-a") as hall:
        bid_id = await hall.store(
            TENDER, body.header.raw, file, progress=lambda *step: seen.append(step)
        )
    assert bid_id == body.header.bid_id.hex()
    assert len(seen) > 2
    assert seen[-1] == (len(body.payload), len(body.payload))
    assert sha256(site.blobs.path(body.header.bid_id).read_bytes()) == sha256(body.payload)


async def test_bytes_may_come_with_the_creation(site: Site):
    form = sealed(envelope=1, size=8192)
    async with site.person("bidder-a") as hall:
        headers = {**announced(form), **PATCH}
        async with hall.session.post("/uploads", headers=headers, data=form.payload) as response:
            assert response.status == 201
            assert response.headers["Upload-Offset"] == str(len(form.payload))
            location = response.headers["Location"]
        assert await hall.uploads.put_header(location, form.header.raw) == form.header.bid_id.hex()


async def test_head_tells_length_offset_metadata_and_expiry(site: Site):
    body = sealed()
    async with site.person("bidder-a") as hall:
        location = await hall.uploads.create(TENDER, body.header.core, len(body.payload))
        assert await hall.uploads.patch(location, body.payload, 0, 1000) == 1000
        async with hall.session.head(location, headers=TUS) as response:
            assert response.status == 200
            assert response.headers["Upload-Offset"] == "1000"
            assert response.headers["Upload-Length"] == str(len(body.payload))
            assert response.headers["Upload-Metadata"] == announced(body)["Upload-Metadata"]
            assert response.headers["Upload-Expires"].endswith("GMT")
            assert response.headers["Tus-Resumable"] == "1.0.0"
            assert response.headers["Cache-Control"] == "no-store"


async def test_options_says_which_tus_this_is(site: Site):
    async with site.visitor() as hall, hall.session.options("/uploads") as response:
        assert response.status == 204
        assert response.headers["Tus-Version"] == "1.0.0"
        assert response.headers["Tus-Extension"].split(",") == [
            "creation",
            "creation-with-upload",
            "termination",
            "checksum",
            "expiration",
        ]
        assert response.headers["Tus-Checksum-Algorithm"] == "sha256"


async def test_another_device_of_the_organisation_carries_on(site: Site):
    body = sealed()
    async with site.person("bidder-a") as first, site.person("bidder-a2") as second:
        location = await first.uploads.create(TENDER, body.header.core, len(body.payload))
        await first.uploads.patch(location, body.payload, 0, 1000)
        await second.uploads.send(location, body.payload)
        assert (
            await second.uploads.put_header(location, body.header.raw) == body.header.bid_id.hex()
        )


async def test_an_upload_survives_a_restart_of_the_server(open_a_site):
    body = sealed(size=1 << 20)
    before: Site = await open_a_site()
    async with before.person("bidder-a") as hall:
        location = await hall.uploads.create(TENDER, body.header.core, len(body.payload))
        await hall.uploads.patch(location, body.payload, 0, 300_000)
    after: Site = await open_a_site()
    async with after.person("bidder-a") as hall:
        assert await hall.uploads.offset(location) == 300_000
        await hall.uploads.send(location, body.payload)
        assert await hall.uploads.put_header(location, body.header.raw) == body.header.bid_id.hex()
    async with after.person("bidder-b") as hall:
        await refused("upload.unknown", hall.uploads.offset(location))


async def test_the_header_again_gets_the_same_answer(site: Site):
    form = sealed(envelope=1, size=8192)
    async with site.person("bidder-a") as hall:
        location = await hall.uploads.create(TENDER, form.header.core, len(form.payload))
        await hall.uploads.send(location, form.payload)
        answers = [await hall.uploads.put_header(location, form.header.raw) for _ in range(2)]
    assert answers == [form.header.bid_id.hex()] * 2


async def test_an_answer_lost_in_a_crash_is_had_by_asking_again(open_a_site):
    """The payload had its name, the journal had no row yet: the same PUT makes it whole."""
    form = sealed(envelope=1, size=8192)
    before: Site = await open_a_site()
    async with before.person("bidder-a") as hall:
        location = await hall.uploads.create(TENDER, form.header.core, len(form.payload))
        await hall.uploads.send(location, form.payload)
        upload = before.blobs.upload(location.rsplit("/", 1)[1])
        await before.front.uploads.finish(upload, form.header.bid_id)
    after: Site = await open_a_site()
    async with after.person("bidder-a") as hall:
        assert await hall.uploads.put_header(location, form.header.raw) == form.header.bid_id.hex()
    assert form.header.bid_id in after.hall.stored


async def test_a_given_up_upload_is_gone(site: Site):
    body = sealed()
    async with site.person("bidder-a") as hall:
        location = await hall.uploads.create(TENDER, body.header.core, len(body.payload))
        await hall.uploads.drop(location)
        await refused("upload.unknown", hall.uploads.offset(location))
        await refused("upload.unknown", hall.uploads.drop(location))
    assert site.blobs.uploads() == []


async def test_a_stored_envelope_cannot_be_given_up(site: Site):
    form = sealed(envelope=1, size=8192)
    async with site.person("bidder-a") as hall:
        location = await hall.uploads.create(TENDER, form.header.core, len(form.payload))
        await hall.uploads.send(location, form.payload)
        await hall.uploads.put_header(location, form.header.raw)
        await refused("upload.unknown", hall.uploads.drop(location))
    assert site.blobs.path(form.header.bid_id).exists()


async def test_forgotten_uploads_are_removed_and_used_ones_are_not(open_a_site):
    idle_ms = 3_600_000
    site: Site = await open_a_site(limits=Limits(upload_idle_ms=idle_ms))
    body, other = sealed(), sealed(nonce=1)
    async with site.person("bidder-a") as hall:
        forgotten = await hall.uploads.create(TENDER, body.header.core, len(body.payload))
        used = await hall.uploads.create(TENDER, other.header.core, len(other.payload))
        site.hall.ms += idle_ms // 3
        await hall.uploads.patch(used, other.payload, 0, 10)
        site.hall.ms += idle_ms - idle_ms // 3
        await site.front.uploads.sweep()
        await refused("upload.unknown", hall.uploads.offset(forgotten))
        assert await hall.uploads.offset(used) == 10


async def test_a_checked_patch_is_taken(site: Site):
    body = sealed()
    async with site.person("bidder-a") as hall:
        location = await hall.uploads.create(TENDER, body.header.core, len(body.payload))
        part = body.payload[:5000]
        headers = {**PATCH, "Upload-Offset": "0", "Upload-Checksum": checksum_of(part)}
        async with hall.session.patch(location, headers=headers, data=part) as response:
            assert response.status == 204
            assert response.headers["Upload-Offset"] == "5000"
        await hall.uploads.send(location, body.payload)
        assert await hall.uploads.put_header(location, body.header.raw) == body.header.bid_id.hex()


def checksum_of(data: bytes) -> str:
    line = f"sha256 {b64encode(sha256(data)).decode()}"
    assert parse_checksum(line) == sha256(data)
    return line
