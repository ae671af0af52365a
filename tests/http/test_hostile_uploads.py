"""What an upload must not do: each hostile or broken request has its stable code."""

from base64 import b64encode

import pytest

from server.http.client import HallHttp
from server.http.settings import Limits, Rate
from server.http.tus import format_metadata
from tests.http.site import Site, refused
from tests.http.small_hall import DEADLINE_MS, TENDER, sealed

TUS = {"Tus-Resumable": "1.0.0"}
PATCH = {**TUS, "Content-Type": "application/offset+octet-stream"}
NOBODYS = "/uploads/" + "0" * 32
BODY = sealed()
SIZE = len(BODY.payload)


def metadata(tender: str = TENDER, core: bytes = BODY.header.core) -> str:
    return format_metadata({"tender": tender.encode(), "core": core})


async def begun(hall: HallHttp, envelope=BODY) -> str:
    return await hall.uploads.create(TENDER, envelope.header.core, len(envelope.payload))


CREATIONS = {
    "no version": ({"Upload-Length": "1"}, "tus.version", 412),
    "another version": ({"Tus-Resumable": "0.2.2", "Upload-Length": "1"}, "tus.version", 412),
    "no length": ({**TUS, "Upload-Metadata": metadata()}, "upload.length_missing", 400),
    "a signed length": ({**TUS, "Upload-Length": "-1"}, "upload.length_missing", 400),
    "a length in words": ({**TUS, "Upload-Length": "1e9"}, "upload.length_missing", 400),
    "an endless length": ({**TUS, "Upload-Length": "9" * 400}, "upload.length_missing", 400),
    "a length told later": (
        {**TUS, "Upload-Defer-Length": "1"},
        "upload.deferred_length",
        400,
    ),
    "no metadata": ({**TUS, "Upload-Length": "1"}, "upload.metadata", 400),
    "metadata without end": (
        {**TUS, "Upload-Length": "1", "Upload-Metadata": "a " + "A" * 5000},
        "upload.metadata",
        400,
    ),
    "many keys": (
        {
            **TUS,
            "Upload-Length": "1",
            "Upload-Metadata": ",".join(f"k{i} AAAA" for i in range(99)),
        },
        "upload.metadata",
        400,
    ),
    "a key twice": (
        {**TUS, "Upload-Length": "1", "Upload-Metadata": metadata() + ",core AAAA"},
        "upload.metadata",
        400,
    ),
    "no base64": (
        {**TUS, "Upload-Length": "1", "Upload-Metadata": "tender ???,core AAAA"},
        "upload.metadata",
        400,
    ),
    "a path for a tender": (
        {**TUS, "Upload-Length": "1", "Upload-Metadata": metadata("../../etc")},
        "upload.metadata",
        400,
    ),
    "another tender": (
        {**TUS, "Upload-Length": str(SIZE), "Upload-Metadata": metadata("other")},
        "tender.unknown",
        404,
    ),
    "a long core": (
        {**TUS, "Upload-Length": "1", "Upload-Metadata": metadata(core=bytes(600))},
        "upload.metadata",
        400,
    ),
    "a core of zeros": (
        {**TUS, "Upload-Length": "1", "Upload-Metadata": metadata(core=bytes(160))},
        "header.magic",
        422,
    ),
    "another bidder's core": (
        {
            **TUS,
            "Upload-Length": str(SIZE),
            "Upload-Metadata": metadata(core=sealed("ORG-B").header.core),
        },
        "header.bidder",
        422,
    ),
    "another length than the core's": (
        {**TUS, "Upload-Length": str(SIZE + 1), "Upload-Metadata": metadata()},
        "upload.length",
        413,
    ),
}


@pytest.mark.parametrize("case", CREATIONS, ids=str)
async def test_a_wrong_creation_is_refused_before_a_byte_is_taken(site: Site, case: str):
    headers, code, status = CREATIONS[case]
    async with site.person("bidder-a") as hall:
        error = await refused(code, hall.request("POST", "/uploads", headers=headers))
        assert error.status == status
    assert site.blobs.uploads() == []


async def test_after_the_deadline_nothing_is_announced(site: Site):
    async with site.person("bidder-a") as hall:
        site.hall.ms = DEADLINE_MS
        await refused("bid.late", begun(hall))


@pytest.mark.parametrize("name", ["host", "trustee", ""])
async def test_only_bidders_upload(site: Site, name: str):
    visitor = site.person(name) if name else site.visitor()
    async with visitor as hall:
        error = await refused("auth.role" if name else "auth.required", begun(hall))
        assert error.status == (403 if name else 401)


async def test_a_foreign_upload_and_none_are_the_same_answer(site: Site):
    asks = [
        lambda hall, at: hall.uploads.offset(at),
        lambda hall, at: hall.uploads.patch(at, BODY.payload, 0, 10),
        lambda hall, at: hall.uploads.patch(at, BODY.payload, 5000, 10),
        lambda hall, at: hall.uploads.drop(at),
        lambda hall, at: hall.uploads.put_header(at, BODY.header.raw),
        lambda hall, at: hall.uploads.put_header(at, b"not a header"),
        lambda hall, at: hall.uploads.put_header(at, sealed("ORG-B").header.raw),
    ]
    async with site.person("bidder-a") as owner, site.person("bidder-b") as other:
        location = await begun(owner)
        await owner.uploads.patch(location, BODY.payload, 0, 1000)
        for ask in asks:
            foreign = await refused("upload.unknown", ask(other, location))
            none = await refused("upload.unknown", ask(other, NOBODYS))
            assert (foreign.status, foreign.detail) == (none.status, none.detail) == (404, {})
        assert await owner.uploads.offset(location) == 1000


async def test_a_stored_envelope_is_nobody_elses(site: Site):
    form = sealed(envelope=1, size=8192)
    async with site.person("bidder-a") as owner, site.person("bidder-b") as other:
        location = await begun(owner, form)
        await owner.uploads.send(location, form.payload)
        await owner.uploads.put_header(location, form.header.raw)
        await refused("upload.unknown", other.uploads.put_header(location, form.header.raw))


@pytest.mark.parametrize("offset", [0, 999, 1001, SIZE])
async def test_a_patch_from_a_wrong_offset_changes_nothing(site: Site, offset: int):
    async with site.person("bidder-a") as hall:
        location = await begun(hall)
        await hall.uploads.patch(location, BODY.payload, 0, 1000)
        error = await refused(
            "upload.offset", hall.uploads.patch(location, b"\0" * SIZE * 2, offset, 1)
        )
        assert (error.status, error.detail) == (409, {"durable": 1000})
        assert await hall.uploads.offset(location) == 1000


async def test_a_patch_beyond_the_length_is_refused_before_it_is_read(site: Site):
    async with site.person("bidder-a") as hall:
        location = await begun(hall)
        longer = BODY.payload + b"\0"
        error = await refused("upload.length", hall.uploads.patch(location, longer, 0, SIZE + 1))
        assert (error.status, error.detail) == (413, {"size": SIZE})
        assert await hall.uploads.offset(location) == 0


async def test_a_body_of_unknown_length_is_cut_at_the_first_excess_byte(site: Site):
    async def endless():
        yield BODY.payload
        for _ in range(1000):
            yield bytes(1000)

    async with site.person("bidder-a") as hall:
        location = await begun(hall)
        headers = {**PATCH, "Upload-Offset": "0"}
        asked = hall.request("PATCH", location, headers=headers, data=endless())
        await refused("upload.length", asked)
        assert await hall.uploads.offset(location) <= SIZE
        await hall.uploads.send(location, BODY.payload)
        assert await hall.uploads.put_header(location, BODY.header.raw) == BODY.header.bid_id.hex()


PATCHES = {
    "no version": ({"Upload-Offset": "0"}, "tus.version", 412),
    "no offset": (PATCH, "upload.offset_missing", 400),
    "a negative offset": ({**PATCH, "Upload-Offset": "-1"}, "upload.offset_missing", 400),
    "a form": (
        {**TUS, "Upload-Offset": "0", "Content-Type": "multipart/form-data"},
        "body.media_type",
        415,
    ),
    "a compressed body": (
        {**PATCH, "Upload-Offset": "0", "Content-Encoding": "gzip"},
        "body.encoding",
        415,
    ),
    "an unknown checksum": (
        {**PATCH, "Upload-Offset": "0", "Upload-Checksum": "md5 AAAA"},
        "upload.checksum_form",
        400,
    ),
    "a short checksum": (
        {**PATCH, "Upload-Offset": "0", "Upload-Checksum": "sha256 AAAA"},
        "upload.checksum_form",
        400,
    ),
    "a wrong checksum": (
        {
            **PATCH,
            "Upload-Offset": "0",
            "Upload-Checksum": f"sha256 {b64encode(bytes(32)).decode()}",
        },
        "upload.checksum",
        460,
    ),
}


@pytest.mark.parametrize("case", PATCHES, ids=str)
async def test_a_wrong_patch_leaves_the_upload_as_it_was(site: Site, case: str):
    headers, code, status = PATCHES[case]
    async with site.person("bidder-a") as hall:
        location = await begun(hall)
        data = BODY.payload[:1000]
        asked = hall.request("PATCH", location, headers=headers, data=data)
        assert (await refused(code, asked)).status == status
        assert await hall.uploads.offset(location) == 0


async def test_a_checked_patch_must_fit_into_memory(open_a_site):
    site: Site = await open_a_site(limits=Limits(checked_patch_max=999))
    async with site.person("bidder-a") as hall:
        location = await begun(hall)
        line = f"sha256 {b64encode(bytes(32)).decode()}"
        headers = {**PATCH, "Upload-Offset": "0", "Upload-Checksum": line}
        asked = hall.request("PATCH", location, headers=headers, data=bytes(1000))
        await refused("upload.checked_too_large", asked)


async def test_the_header_must_be_the_announced_one(site: Site):
    other = sealed(nonce=7)
    async with site.person("bidder-a") as hall:
        location = await begun(hall)
        await refused("upload.incomplete", hall.uploads.put_header(location, BODY.header.raw))
        await hall.uploads.send(location, BODY.payload)
        await refused("upload.header", hall.uploads.put_header(location, other.header.raw))
        forged = BODY.header.raw[:-1] + bytes([BODY.header.raw[-1] ^ 1])
        await refused("header.signature", hall.uploads.put_header(location, forged))
        await refused("header.length", hall.uploads.put_header(location, BODY.header.raw + b"\0"))
        await refused("body.too_large", hall.uploads.put_header(location, bytes(9000)))
        assert site.hall.stored == {}
        assert await hall.uploads.put_header(location, BODY.header.raw) == BODY.header.bid_id.hex()


async def test_other_bytes_than_the_header_promises_are_no_envelope(site: Site):
    async with site.person("bidder-a") as hall:
        location = await begun(hall)
        await hall.uploads.send(location, BODY.payload[:-1] + bytes([BODY.payload[-1] ^ 1]))
        error = await refused("bid.ct_root", hall.uploads.put_header(location, BODY.header.raw))
        assert error.status == 422
    assert site.hall.stored == {}
    assert not site.blobs.path(BODY.header.bid_id).exists()


async def test_a_full_disk_says_so_at_the_announcement(open_a_site):
    site: Site = await open_a_site(keep_free=1 << 60)
    async with site.person("bidder-a") as hall:
        error = await refused("upload.storage_full", begun(hall))
        assert (error.status, error.retryable) == (507, True)


async def test_an_organisation_has_so_many_uploads_and_no_more(open_a_site):
    site: Site = await open_a_site(limits=Limits(uploads_per_org_max=2))
    async with site.person("bidder-a") as hall, site.person("bidder-b") as other:
        locations = [await begun(hall, sealed(nonce=n)) for n in range(2)]
        error = await refused("upload.too_many", begun(hall, sealed(nonce=3)))
        assert (error.status, error.retryable) == (429, True)
        # It is this organisation's own limit; another one notices nothing.
        await begun(other, sealed("ORG-B"))
        await hall.uploads.drop(locations[0])
        await begun(hall, sealed(nonce=4))


@pytest.mark.parametrize(
    "limits", [{"uploads_per_org_max": 2}, {"upload_bytes_per_org_max": 2 * SIZE}]
)
async def test_what_lay_longest_gives_way_to_a_new_upload(open_a_site, limits: dict):
    site: Site = await open_a_site(limits=Limits(**limits))
    async with site.person("bidder-a") as hall, site.person("bidder-b") as other:
        theirs = await begun(other, sealed("ORG-B"))
        oldest, newer = [await begun(hall, sealed(nonce=n)) for n in range(2)]
        site.hall.ms += 30_000
        await hall.uploads.offset(newer)
        site.hall.ms += 30_000
        newest = await begun(hall, sealed(nonce=3))
        await refused("upload.unknown", hall.uploads.offset(oldest))
        assert [await hall.uploads.offset(at) for at in (newer, newest)] == [0, 0]
        assert await other.uploads.offset(theirs) == 0


async def test_an_organisation_announces_so_often_and_no_oftener(open_a_site):
    site: Site = await open_a_site(limits=Limits(upload_rate=Rate(2, 60)))
    async with site.person("bidder-a") as hall, site.person("bidder-b") as other:
        for _ in range(2):
            await hall.uploads.drop(await begun(hall))
        await refused("upload.too_many", begun(hall))
        await begun(other, sealed("ORG-B"))
        site.hall.ms += 1000
        await begun(hall)


async def test_a_payload_beyond_the_whole_quota_is_refused(open_a_site):
    site: Site = await open_a_site(limits=Limits(upload_bytes_per_org_max=SIZE - 1))
    async with site.person("bidder-a") as hall:
        assert (await refused("upload.too_large", begun(hall))).status == 413
