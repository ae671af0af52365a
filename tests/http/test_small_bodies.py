"""Bodies that are too long, too deep, too slow, or nothing at all."""

import json

import pytest

from server.http.settings import Limits
from tests.http.site import Site, lines, raw_answer, refused

BODIES = {
    "too long, as announced": (b"{" + b" " * 9000 + b"}", {}, "body.too_large", 413),
    "deep": (b"[" * 4000, {}, "body.malformed", 400),
    "deep where depth is allowed": (
        b'{"public":' + b"[" * 1500 + b"]" * 1500 + b"}",
        {},
        "body.malformed",
        400,
    ),
    "no JSON": (b"public=1", {}, "body.malformed", 400),
    "no UTF-8": (b'{"public":"\xff"}', {}, "body.malformed", 400),
    "a BOM": (b"\xef\xbb\xbf{}", {}, "body.malformed", 400),
    "empty": (b"", {}, "body.malformed", 400),
    "a form": (b"a=b", {"Content-Type": "text/plain"}, "body.media_type", 415),
    "compressed": (b"{}", {"Content-Encoding": "gzip"}, "body.encoding", 415),
}


@pytest.mark.parametrize("case", BODIES, ids=str)
async def test_a_wrong_small_body_is_refused(site: Site, case: str):
    body, headers, code, status = BODIES[case]
    async with site.visitor() as hall:
        headers = {"Content-Type": "application/json", **headers}
        asked = hall.request("POST", "/auth/challenge", headers=headers, data=body)
        assert (await refused(code, asked)).status == status


async def test_a_body_of_unknown_length_is_cut_at_its_limit(site: Site):
    sent = 0

    async def endless():
        nonlocal sent
        for _ in range(1000):
            sent += 10_000
            yield bytes(10_000)

    async with site.visitor() as hall:
        headers = {"Content-Type": "application/json"}
        asked = hall.request("POST", "/auth/challenge", headers=headers, data=endless())
        await refused("body.too_large", asked)


async def test_a_small_body_that_does_not_come_is_not_waited_for(open_a_site):
    site: Site = await open_a_site(limits=Limits(body_within_s=0.1, lingering_s=0.1))
    request = lines(
        site,
        "POST /auth/challenge HTTP/1.1",
        "Content-Type: application/json",
        "Content-Length: 90",
        body=b'{"public":"',
    )
    status, _, body = await raw_answer(site.port, request)
    assert (status, json.loads(body)["code"]) == (408, "body.slow")
