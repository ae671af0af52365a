"""The registry (主体库): a login key belongs to one person for ever."""

import pytest

from server.domain import commands as cmd
from server.domain import registry
from server.domain import registry_events as ev
from server.domain.events import Event
from server.domain.model import SYSTEM, Context, Role
from server.domain.refusals import Refused
from server.domain.registry import Registry

NOW = Context(SYSTEM, now_ms=1, received_ms=1)
KEY, OTHER_KEY = b"k" * 32, b"o" * 32


def register(person: str, key: bytes = KEY, role: Role = Role.BIDDER) -> cmd.RegisterPerson:
    return cmd.RegisterPerson(
        person=person,
        org="91360800MB00000001",
        org_name="澄江路桥",
        role=role,
        name="何川",
        login_pk=key,
    )


def after(*events: Event) -> Registry:
    state = Registry()
    for event in events:
        state = registry.evolve(state, event, 1)
    return state


def registered(person: str, key: bytes = KEY, role: Role = Role.BIDDER) -> Event:
    (event,) = registry.decide(Registry(), register(person, key, role), NOW)
    return event


def test_a_person_is_found_by_the_login_key():
    state = after(registered("he"))
    person = state.people[KEY]
    assert (person.actor.person, person.actor.role) == ("he", Role.BIDDER)
    assert person.org_name == "澄江路桥"


def test_a_bidder_is_shown_by_its_organisation_and_an_officer_by_name():
    assert after(registered("he")).people[KEY].actor.name == "澄江路桥"
    assert after(registered("lin", role=Role.HOST)).people[KEY].actor.name == "何川"


def test_the_same_person_with_the_same_key_again_is_nothing_new():
    assert registry.decide(after(registered("he")), register("he"), NOW) == []


def test_a_key_of_somebody_is_not_given_to_another():
    with pytest.raises(Refused, match=r"person\.key_taken"):
        registry.decide(after(registered("he")), register("lin"), NOW)


def test_a_removed_person_is_gone_and_its_key_is_never_used_again():
    state = after(
        registered("he"), registered("lin", OTHER_KEY), ev.PersonRemoved(person="he", reason="离职")
    )
    assert set(state.people) == {OTHER_KEY}
    for person in ("he", "somebody"):
        with pytest.raises(Refused, match=r"person\.key_taken"):
            registry.decide(state, register(person), NOW)


def test_people_are_told_to_their_own_organisation_only():
    assert registered("he").audience() == "party:91360800MB00000001"
