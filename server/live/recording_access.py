"""Who may see what was recorded (录像查阅权限): one table. Pure.

Invariant: bidders and the public never may, nor in a meeting of evaluation those who sat in it: its
recording shows what supervisors alone heard.
"""

from typing import Any, Final

from server.domain.evaluation_room import Evaluation
from server.domain.evaluation_room_rules import SUPERVISOR, part_of
from server.domain.model import Actor, Role

OPENING_READERS: Final = frozenset({Role.HOST, Role.SUPERVISOR, Role.PURCHASER})


def may_read(actor: Actor, state: Any) -> bool:
    """``state``: of the opening or of the meeting."""
    if isinstance(state, Evaluation):
        return part_of(state, actor) == SUPERVISOR
    return actor.role in OPENING_READERS
