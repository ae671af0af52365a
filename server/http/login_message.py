"""What a login signs (登录签名): shared by the server and by every client of ours.

Invariant: the origin is inside, so a signature made for one site is worthless at another, and the
label ends in one 00 byte like every label of the project (sealing.md C4, §8).
"""

from typing import Final

LABEL: Final = b"KBID1 auth\0"
CHALLENGE_SIZE: Final = 32


def login_message(origin: str, challenge: bytes, expiry_ms: int, public: bytes) -> bytes:
    """``KBID1 auth`` 00 ‖ u8 len ‖ origin ‖ challenge32 ‖ u64 expiry_ms ‖ login_pk32."""
    assert len(challenge) == CHALLENGE_SIZE
    named = origin.encode()
    return b"".join(
        (LABEL, len(named).to_bytes(1), named, challenge, expiry_ms.to_bytes(8), public)
    )
