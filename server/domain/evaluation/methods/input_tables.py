"""What every bid brought, as tables (投标数据表): so that a print can be computed again by hand.

Invariant: nothing that a bidder wrote can end a cell or start markup.
"""

from collections.abc import Iterator

from server.domain.evaluation.methods.bids import Bids
from server.domain.evaluation.methods.fields import ChoiceField, FlagField, NumberField, ScoresField
from server.domain.evaluation.methods.numbers import fixed, plain
from server.domain.evaluation.methods.schema import Method
from server.domain.evaluation.methods.wording import Words


def escaped(text: str) -> str:
    return "".join(f"\\{c}" if c in "\\|`*_[]<>#" else c for c in text)


def bidder(i: int, bids: Bids) -> str:
    """Number and name of the bid."""
    bid_id, name = bids.ids[i], bids.names[i]
    return escaped(f"{bid_id} {name}" if name else bid_id)


def print_inputs(method: Method, bids: Bids, words: Words) -> Iterator[str]:
    """One table of all fields, and one for each of experts' marks."""
    titles: list[str] = []
    columns: list[list[str]] = []
    for name, field in method.fields.items():
        match field:
            case NumberField(digits=digits):
                columns.append([fixed(value, digits) for value in bids.numbers[name]])
            case ChoiceField():
                columns.append([escaped(word) for word in bids.words[name]])
            case FlagField():
                yes, no = words.pick("是", "yes"), words.pick("否", "no")
                columns.append([yes if flag else no for flag in bids.flags[name]])
            case ScoresField():
                continue
        titles.append(words.label(name))
    yield from _table(titles, columns, bids, words)
    for name, field in method.fields.items():
        if isinstance(field, ScoresField):
            marks = [
                [" / ".join(map(plain, row)) for row in bids.scores[name][criterion]]
                for criterion in field.criteria
            ]
            yield ""
            yield words.label(name) + words.pick("（各专家打分）", " (marks of each expert)")
            yield ""
            labels = [words.label(f"{name}.{criterion}") for criterion in field.criteria]
            yield from _table(labels, marks, bids, words)


def _table(titles: list[str], columns: list[list[str]], bids: Bids, words: Words) -> Iterator[str]:
    yield f"| {' | '.join([words.pick('投标', 'Bid'), *titles])} |"
    yield "|---" * (len(titles) + 1) + "|"
    for i in range(len(bids.ids)):
        yield f"| {' | '.join([bidder(i, bids), *(column[i] for column in columns)])} |"
