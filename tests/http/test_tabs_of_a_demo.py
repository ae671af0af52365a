"""In a demo a tab shows its session in a header, so that one browser can be several people."""

import aiohttp

from crypto.keys import SigningKey
from server.http.login_message import login_message
from tests.http.site import running_site


async def log_in(client: aiohttp.ClientSession, site, key: SigningKey) -> dict:
    origin = {"Origin": site.url}
    public = key.public.hex()
    asked = await (
        await client.post(f"{site.url}/auth/challenge", json={"public": public}, headers=origin)
    ).json()
    message = login_message(
        site.url, bytes.fromhex(asked["challenge"]), asked["expiry_ms"], key.public
    )
    answer = await client.post(
        f"{site.url}/auth/login",
        json={
            "public": public,
            "challenge": asked["challenge"],
            "expiry_ms": asked["expiry_ms"],
            "signature": key.sign(message).hex(),
        },
        headers=origin,
    )
    return await answer.json()
