"""The kinds of steps (步骤种类), one small file for each family, and their one registry."""

from server.domain.evaluation.methods.steps import (
    choosing,
    computing,
    ranking,
    scoring,
    selecting,
    sloping,
    summing,
)
from server.domain.evaluation.methods.steps.step import Kind

KINDS: dict[str, Kind] = {
    kind.name: kind
    for family in (selecting, choosing, summing, computing, sloping, scoring, ranking)
    for kind in family.FAMILY
}
