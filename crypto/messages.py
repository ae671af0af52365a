"""Messages of bidders, trustees and the host (报文), all by name: C8, C9, C11, C14.

Invariant: `parse_*` accepts exactly one byte string per meaning: lists ascend and are distinct,
the length fits the count, reserved bytes are zero, scalars are canonical. Parsing says nothing
about who signed: `signature_ok` is asked apart, with the key that registration or manifest name.
What `build_*` returns has been through `parse_*`. Sizes come from the suite; for nacl-1 they are
those of 4.4. Each parser checks in the order of the codes in its docstring, and the first that
fails is raised.

`submissions`: SUBMIT, WITHDRAW. `opening_messages`: UNLOCK, RELEASE, card unlock, self-release.
`ack`: the host's signed promise.
"""

from crypto.ack import Ack, build_ack, parse_ack
from crypto.opening_messages import (
    MODE_ALL,
    MODE_UNLOCKED,
    CardUnlock,
    Release,
    ReleaseItem,
    SelfRelease,
    Unlock,
    UnlockItem,
    build_card_unlock,
    build_release,
    build_self_release,
    build_unlock,
    parse_card_unlock,
    parse_release,
    parse_self_release,
    parse_unlock,
)
from crypto.submissions import (
    KIND_SUBMIT,
    KIND_WITHDRAW,
    Submit,
    SubmitItem,
    build_submit,
    parse_submit,
)

__all__ = [
    "KIND_SUBMIT",
    "KIND_WITHDRAW",
    "MODE_ALL",
    "MODE_UNLOCKED",
    "Ack",
    "CardUnlock",
    "Release",
    "ReleaseItem",
    "SelfRelease",
    "Submit",
    "SubmitItem",
    "Unlock",
    "UnlockItem",
    "build_ack",
    "build_card_unlock",
    "build_release",
    "build_self_release",
    "build_submit",
    "build_unlock",
    "parse_ack",
    "parse_card_unlock",
    "parse_release",
    "parse_self_release",
    "parse_submit",
    "parse_unlock",
    "signature_ok",
]


def signature_ok(message: Submit | Unlock | Release | Ack, public: bytes) -> bool:
    """Whether the holder of `public` signed it.

    `public` is the registered bidder key, the manifest's trustee_spk or host_receipt_pk. SUBMIT
    and UNLOCK must also name that key themselves.
    """
    if isinstance(message, Submit | Unlock) and message.bidder_pk != public:
        return False
    return message.signed_by(public)
