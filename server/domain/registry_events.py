"""The events of the registry (主体库): people and their login keys."""

from server.domain.events import Event, PartyEvent, journaled
from server.domain.model import Role


@journaled("person_registered")
class PersonRegistered(PartyEvent, frozen=True, kw_only=True):
    person: str
    role: Role
    name: str
    org_name: str
    login_pk: bytes


@journaled("person_removed")
class PersonRemoved(Event, frozen=True, kw_only=True):
    person: str
    reason: str
