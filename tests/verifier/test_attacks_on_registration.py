"""Keys forged, expired or vouched for by the wrong hand."""

from pathlib import Path
from typing import Any

import pytest

from crypto.registration import bind_message, organisation_hash
from tests.verifier.bundle_maker import Opening
from tests.verifier.judging import assert_named, codes, judged
from tests.verifier.tender_maker import DEADLINE_MS, EXPIRY_MS, HOST, box, signing


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"sig": "00" * 64}, "registration.owner"),
        ({"org_sha256": "11" * 32}, "registration.owner"),
        ({"expiry_ms": EXPIRY_MS + 1}, "registration.owner"),
        ({"bidder_xpk": "01" + "00" * 31}, "registration.box_key"),
    ],
)
def test_a_forged_registration_does_not_count(
    change: dict[str, Any], code: str, tmp_path: Path
) -> None:
    class Forged(Opening):
        def entry(self, entry_type: int, *, public: bool = True, **members: Any) -> Any:
            if entry_type == 3 and len(self.bidders) == 1:
                members |= change
            return super().entry(entry_type, public=public, **members)

    report = judged(Forged().run().members(), tmp_path)
    assert_named(report, code)
    assert "sig" in change or "registration.invitation" in codes(report)


def test_a_key_that_had_expired_does_not_submit(tmp_path: Path) -> None:
    class Expired(Opening):
        registration_expiry_ms = DEADLINE_MS - 15_000

    assert_named(judged(Expired().run().members(), tmp_path), "registration.expiry")


def test_an_invitation_by_another_key_is_named(tmp_path: Path) -> None:
    class Intruder(Opening):
        def entry(self, entry_type: int, *, public: bool = True, **members: Any) -> Any:
            if entry_type == 3:
                members["binding"] = members["binding"] | {"pk": HOST.public.hex()}
            return super().entry(entry_type, public=public, **members)

    assert_named(judged(Intruder().run().members(), tmp_path), "registration.inviter")


def test_a_registration_without_a_counting_bid_is_not_published(tmp_path: Path) -> None:
    class Curious(Opening):
        def close(self) -> None:
            self.at(15)
            key, xpk, org = signing("loser"), box("loser").public, organisation_hash("9" * 18)
            claims = (self.manifest.tender_id, key.public, xpk, EXPIRY_MS, org)
            self.entry(
                3,
                bidder_pk=key.public.hex(),
                bidder_xpk=xpk.hex(),
                org_sha256=org.hex(),
                expiry_ms=EXPIRY_MS,
                sig=key.sign(bind_message(*claims)).hex(),
                binding={"kind": "certificate", "chain_sha256": "00" * 32, "sig": "00" * 64},
            )
            super().close()

    assert_named(judged(Curious().run().members(), tmp_path), "registration.counts")
