"""How a test says that something must be refused, and with which code."""

from typing import Any

import pytest

from crypto.errors import Rejected
from server.domain.commands import Command
from server.domain.model import SYSTEM, Actor
from server.domain.refusals import REFUSALS, Refused
from tests.domain.play import Play


def assert_refused(
    code: str, play: Play, command: Command, actor: Actor = SYSTEM, **asked: Any
) -> Refused:
    """The command is refused with this code, which is in the table of codes."""
    before = (play.tender, play.opening)
    with pytest.raises(Refused) as caught:
        play.ask(command, actor, **asked)
    assert caught.value.code == code
    assert code in REFUSALS
    if not caught.value.evidence:
        assert (play.tender, play.opening) == before
    return caught.value


def assert_rejected(
    code: str, play: Play, command: Command, actor: Actor = SYSTEM, **asked: Any
) -> None:
    """The bytes of the command are not what the format says (codes of `crypto`)."""
    with pytest.raises(Rejected) as caught:
        play.ask(command, actor, **asked)
    assert caught.value.code == code
