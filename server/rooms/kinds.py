"""Which rules a room plays: one record of pure functions per kind of stream."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from msgspec import structs

from crypto.ack import RESULT_ACCEPTED
from crypto.manifest import Manifest
from server.domain import (
    bidding,
    deciding,
    due,
    evaluation_room,
    evaluation_room_rules,
    opening,
    promises,
    registry,
    tender,
)
from server.domain.commands import Command
from server.domain.events import Event
from server.domain.model import Context
from server.domain.promises import Promise
from server.domain.refusals import Refused
from server.domain.tender_events import SubmitReceived

Decide = Callable[[Any, Command, Context], list[Event]]


@dataclass(frozen=True, slots=True)
class Kind:
    """The rules of one kind of room; every function is pure."""

    name: str
    initial: Any
    decide: Decide
    evolve: Callable[[Any, Event, int], Any]
    rules: Callable[[Any], Manifest | None]
    wake_ms: Callable[[Any], int | None]
    promises: Callable[[Any, Command, Context, bool], list[Promise]]
    promises_of_refusal: Callable[[Any, Command, Refused, Context], list[Promise]]


def _submit_refused(state: Any, command: Command, refused: Refused, ctx: Context) -> list[Promise]:
    results = [e.result for e in refused.evidence if isinstance(e, SubmitReceived)]
    return bidding.promise_of(command, state, ctx, results[0]) if results else []


REGISTRY = Kind(
    name="registry",
    initial=registry.Registry(),
    decide=registry.decide,
    evolve=registry.evolve,
    rules=lambda state: None,
    wake_ms=lambda state: None,
    promises=lambda state, command, ctx, repeated: [],
    promises_of_refusal=lambda state, command, refused, ctx: [],
)

TENDER = Kind(
    name="tender",
    initial=tender.Tender(),
    decide=bidding.decide,
    evolve=tender.evolve,
    rules=lambda state: state.manifest,
    wake_ms=tender.wake_ms,
    promises=lambda state, command, ctx, repeated: bidding.promise_of(
        command, state, ctx, RESULT_ACCEPTED
    ),
    promises_of_refusal=_submit_refused,
)

OPENING = Kind(
    name="opening",
    initial=opening.Opening(),
    decide=deciding.decide,
    evolve=opening.evolve,
    rules=lambda state: state.manifest,
    wake_ms=due.wake_ms,
    promises=lambda state, command, ctx, repeated: promises.promises_of(
        state, command, ctx, repeated=repeated
    ),
    promises_of_refusal=lambda state, command, refused, ctx: promises.promises_of_refusal(
        refused, ctx
    ),
)

EVALUATION = Kind(
    name="evaluation",
    initial=evaluation_room.Evaluation(),
    decide=evaluation_room_rules.decide,
    evolve=evaluation_room.evolve,
    rules=lambda state: None,
    wake_ms=lambda state: None,
    promises=lambda state, command, ctx, repeated: [],
    promises_of_refusal=lambda state, command, refused, ctx: [],
)

KINDS = {kind.name: kind for kind in (REGISTRY, TENDER, OPENING, EVALUATION)}


def kind_of(stream: str, *, allow_test: bool = False) -> Kind:
    """The rules of a stream. ``allow_test``: manifests may name the test suite."""
    kind = KINDS[stream.split(":", 1)[0]]
    if allow_test and hasattr(kind.initial, "allow_test"):
        return replace(kind, initial=structs.replace(kind.initial, allow_test=True))
    return kind
