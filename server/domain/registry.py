"""The registry (主体库): who is a person here, and with which login key. Pure.

A login key belongs to one person for ever; a removed person's key is not given out again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from server.domain import commands as cmd
from server.domain import registry_events as ev
from server.domain.commands import Command
from server.domain.events import Event
from server.domain.model import Actor, Context, Role
from server.domain.refusals import Refused


@dataclass(frozen=True, slots=True)
class Person:
    actor: Actor
    org_name: str
    login_pk: bytes


@dataclass(frozen=True, slots=True)
class Registry:
    people: Mapping[bytes, Person] = field(default_factory=dict[bytes, Person])  # by login key
    keys_ever: frozenset[bytes] = frozenset()


def evolve(state: Registry, event: Event, ts_ms: int) -> Registry:
    if isinstance(event, ev.PersonRegistered):
        # A bidder acts in its organisation's name: that is the name the hall shows.
        shown = event.org_name if event.role is Role.BIDDER else event.name
        actor = Actor(event.person, event.role, event.org, shown)
        person = Person(actor, event.org_name, event.login_pk)
        return replace(
            state,
            people={**state.people, event.login_pk: person},
            keys_ever=state.keys_ever | {event.login_pk},
        )
    assert isinstance(event, ev.PersonRemoved)
    kept = {k: p for k, p in state.people.items() if p.actor.person != event.person}
    return replace(state, people=kept)


def decide(state: Registry, command: Command, ctx: Context) -> list[Event]:
    assert isinstance(command, cmd.RegisterPerson)
    known = state.people.get(command.login_pk)
    if known is not None and known.actor.person == command.person:
        return []
    if command.login_pk in state.keys_ever:
        raise Refused("person.key_taken")
    return [
        ev.PersonRegistered(
            org=command.org,
            person=command.person,
            role=command.role,
            name=command.name,
            org_name=command.org_name,
            login_pk=command.login_pk,
        )
    ]
