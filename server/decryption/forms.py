"""Opening the forms (开标一览表): AEAD, c_P, strict canonical form, the bidder's own list
(sealing.md
C3, C9, C18).

Measured (`python -m loadtests.costs`, 2026-11-22): 41 us of CPU a form.
"""

from dataclasses import dataclass

from crypto.errors import Rejected
from crypto.form import parse_padded_form
from crypto.manifest import Manifest
from crypto.sealing import content_key, open_payload
from server.domain.commands import FormOpened
from server.domain.due import FormKey

OPENED = "opened"
MALFORMED = "malformed"


@dataclass(frozen=True, slots=True)
class SealedForm:
    """One form with everything that opens it."""

    key: FormKey
    payload: bytes
    rules: Manifest
    bidder_code: str


def open_form(item: SealedForm) -> FormOpened:
    """Opened, or malformed: the last line of C3."""
    header = item.key.header
    content = content_key(header, item.key.bidder_half, item.key.host_half)
    assert content is not None, "c_K was checked when the half was found"
    try:
        plaintext = open_payload(header, content, item.payload)
        form = parse_padded_form(plaintext, item.rules, header, list(item.key.others.items()))
    except Rejected:
        return FormOpened(bid_id=header.bid_id, state=MALFORMED)
    if form.bidder_code != item.bidder_code:
        return FormOpened(bid_id=header.bid_id, state=MALFORMED)
    fields = item.rules.envelope(header.envelope).fields
    amount = str(form.fields[next(field.name for field in fields if field.decides)])
    return FormOpened(bid_id=header.bid_id, state=OPENED, form=form.raw, amount=amount)
