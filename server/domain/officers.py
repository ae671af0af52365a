"""Acts that need two officers (host and supervisor): their signatures over the entry (formats.md
§5).
"""

from crypto.entries import act_message
from crypto.manifest import Manifest
from server.domain.log_entries import act_members
from server.domain.opening_events import TrusteesLost
from server.domain.refusals import Refused
from server.domain.tender_events import DeadlineChanged

REQUIRED = frozenset({"host", "supervisor"})


def require_host_and_supervisor(
    rules: Manifest, event: DeadlineChanged | TrusteesLost, code: str
) -> None:
    """Every listed key is an officer's of the manifest, every signature holds, both are there."""
    if len(event.pks) != len(event.sigs) or len(set(event.pks)) != len(event.pks):
        raise Refused(code)
    roles = {officer.pk: officer.role for officer in rules.officers}
    for type_, members in act_members(event):
        message = act_message(type_, rules.tender_id, members)
        for pk, sig in zip(event.pks, event.sigs, strict=True):
            if pk not in roles or not rules.suite_impl.verify(pk, message, sig):
                raise Refused(code)
    if not {roles[pk] for pk in event.pks} >= REQUIRED:
        raise Refused(code)
