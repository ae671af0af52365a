"""Credentials for a relay, and a real coturn that takes them and nothing else."""

import pytest

from server.live.turn import LIFETIME_MS, Relay, link_headers

NOW_MS = 1_700_000_000_000
SECRET = "a shared secret of some length"
RELAY = Relay(("stun:turn.example.org", "turn:turn.example.org:3478?transport=udp"), SECRET)


def test_a_login_is_what_coturn_computes() -> None:
    """The user name is the expiry; the password its HMAC-SHA1, written down once by openssl."""
    servers = RELAY.ice_servers("p1", NOW_MS)
    assert servers == [
        {"urls": ["stun:turn.example.org"]},
        {
            "urls": ["turn:turn.example.org:3478?transport=udp"],
            "username": f"{(NOW_MS + LIFETIME_MS) // 1000}:p1",
            "credential": "M7kzxz8g8vq527CzLRR88cXDV04=",
        },
    ]
    assert RELAY.ice_servers("p2", NOW_MS)[1]["credential"] != servers[1]["credential"]
    assert SECRET not in repr(RELAY)


def test_a_members_name_cannot_bend_a_user_name_or_a_header() -> None:
    username, _ = RELAY.credentials('camera:x"\r\n, <evil>', NOW_MS)
    assert username.partition(":")[2] == "camera-x------evil-"
    for link in link_headers(RELAY.ice_servers("a", NOW_MS)):
        assert link.startswith(("<stun:", "<turn:"))
        assert "\r" not in link


def test_without_a_relay_nothing_is_told() -> None:
    assert Relay().ice_servers("p1", NOW_MS) == []
    assert link_headers([]) == []


@pytest.mark.parametrize(
    ("urls", "secret"),
    [
        (("http://turn.example.org",), SECRET),
        (("turn:",), SECRET),
        (("turn:host?transport=sctp",), SECRET),
        (('turn:host">',), SECRET),
        (("turn:host",), "short"),
        (("turn:host",) * 9, SECRET),
    ],
)
def test_what_no_browser_would_take_is_refused_at_the_start(
    urls: tuple[str, ...], secret: str
) -> None:
    with pytest.raises(ValueError, match=r"media\.turn_"):
        Relay(urls, secret)
