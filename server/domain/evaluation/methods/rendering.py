"""A derivation for people (计算过程的打印): Markdown in Chinese or English.

Each step prints its name, its clause, the sentence of its rule, what went in and what came out; the
last line is the ranking. An unconfirmed method says so at the top and at the end of the print.
"""

from collections.abc import Iterator

from server.domain.evaluation.methods.evaluating import Derivation, Line, print_column
from server.domain.evaluation.methods.input_tables import bidder, escaped, print_inputs
from server.domain.evaluation.methods.numbers import fixed, plain
from server.domain.evaluation.methods.schema import Method
from server.domain.evaluation.methods.steps.step import (
    ColumnOutput,
    HoldsOutput,
    NumberOutput,
    RankOutput,
    SetOutput,
    Step,
)
from server.domain.evaluation.methods.wording import LANGUAGES, Words, approximate

_UNCONFIRMED = (
    "**未经确认：本办法没有依据已公布的文件，仅供演示。**",
    "**Unconfirmed: no published document was found for this method; for demonstration only.**",
)
_ENDED = {
    "requirement": ("所列条件不满足", "the requirement does not hold"),
    "otherwise": ("没有一种情形适用", "no case applies"),
    "tie": ("名次相同", "a tie"),
    "n=0": ("家数不足（没有投标）", "too few bids (none)"),
    "n=1": ("家数不足（仅有一家）", "too few bids (one)"),
    "n=2": ("家数不足（仅有两家）", "too few bids (two)"),
}


def explain(method: Method, language: str) -> list[str]:
    """The method in plain sentences, one for each thing given, drawn and done."""
    assert language in LANGUAGES
    words = method.words(language)
    said = [
        words.pick(
            f"{method.name.zh}（第{method.version}版）",
            f"{method.name.en}, version {method.version}",
        )
    ]
    if not method.confirmed:
        said.append(words.pick(*_UNCONFIRMED))
    said += [words.pick("依据：", "Source: ") + s.of(language) for s in method.sources]
    given = [found.name.of(language) for found in method.given.values()]
    fields = [found.name.of(language) for found in method.fields.values()]
    comma = words.pick("、", ", ")
    if given:
        said.append(words.pick("随招标文件给定：", "Given with the tender: ") + comma.join(given))
    said.append(words.pick("每份投标提供：", "Of each bid: ") + comma.join(fields))
    for draw in method.draws.values():
        of = (
            comma.join(draw.values)
            if draw.values
            else words.pick("全部投标的顺序", "an order of all bids")
        )
        said.append(
            words.pick("抽取", "Drawn: ") + f"{draw.name.of(language)} [{draw.label}]: {of}"
        )
    for number, step in enumerate(method.steps, 1):
        clause = step.head.clause.of(language)
        name, sentence = step.head.name.of(language), _sentence(step, words)
        said.append(
            words.pick(
                f"{number}. {name}〔{clause}〕{sentence}",
                f"{number}. {name} [{clause}]: {sentence}",
            )
        )
    return said


def _sentence(step: Step, words: Words) -> str:
    said = step.say(words)
    return said[:1].upper() + said[1:]


def render(derivation: Derivation, language: str) -> str:
    """The whole derivation as Markdown."""
    assert language in LANGUAGES
    return "\n".join(_print(derivation, derivation.method.words(language))) + "\n"


def _print(derivation: Derivation, words: Words) -> Iterator[str]:
    method, bids = derivation.method, derivation.bids
    yield f"# {method.name.of(words.language)}"
    yield ""
    if not method.confirmed:
        yield words.pick(*_UNCONFIRMED)
        yield ""
    version, digest = words.pick("版本", "version"), method.digest.hex()
    yield f"- {words.pick('办法', 'Method')}: `{method.id}`, {version} {method.version}"
    yield f"- SHA-256: `{digest}`"
    for source in method.sources:
        yield f"- {words.pick('依据', 'Source')}: {source.of(words.language)}"
    for name, found in method.given.items():
        yield f"- {found.name.of(words.language)}: {fixed(bids.given[name], found.digits)}"
    for name, value in derivation.draws.numbers.items():
        yield f"- {words.pick('抽取结果', 'Drawn')} {words.label(name)}: {plain(value)}"
    for name, positions in derivation.draws.orders.items():
        line = sorted(range(len(positions)), key=lambda i: positions[i])
        order = ", ".join(bids.ids[i] for i in line)
        yield f"- {words.pick('抽取顺序', 'Drawn order')} {words.label(name)}: {order}"
    yield f"- {words.pick('投标', 'Bids')}: {len(bids.ids)}"
    yield ""
    yield from print_inputs(method, bids, words)
    for number, line in enumerate(derivation.lines, 1):
        yield ""
        yield from _print_line(number, line, derivation, words)
    yield ""
    if not method.confirmed:
        yield words.pick(*_UNCONFIRMED)
        yield ""
    yield _ranking(derivation, words)


def _print_line(number: int, line: Line, derivation: Derivation, words: Words) -> Iterator[str]:
    head, colon = line.step.head, words.pick("：", ": ")
    yield f"## {number}. {head.name.of(words.language)}"
    yield ""
    yield f"{words.pick('条款', 'Clause')}{colon}{head.clause.of(words.language)}"
    yield ""
    yield _sentence(line.step, words)
    inputs = [f"{words.label(name)} = {approximate(value)}" for name, value in line.numbers.items()]
    inputs += [
        words.pick(f"{words.label(name)} {count}家", f"{words.label(name)}: {count}")
        for name, count in line.sets.items()
    ]
    inputs += [words.label(name) for name in line.columns]
    if inputs:
        yield ""
        yield words.pick("取用：", "Uses: ") + words.pick("；", "; ").join(inputs)
    yield ""
    yield from _print_output(line, derivation, words)


def _print_output(line: Line, derivation: Derivation, words: Words) -> Iterator[str]:
    ids, none = derivation.bids.ids, words.pick("无", "none")
    match line.output:
        case None:
            ended = words.pick("结果：评标在此终止，", "Result: the evaluation ends here: ")
            yield ended + why_ended(line.failure, words.language)
        case SetOutput(inside=inside, outside=outside):
            kept = ", ".join(ids[i] for i in inside) or none
            yield words.pick(f"结果（{len(inside)}家）：{kept}", f"Result ({len(inside)}): {kept}")
            if outside:
                out = ", ".join(ids[i] for i in outside)
                yield ""
                yield words.pick(
                    f"不在其中（{len(outside)}家）：{out}", f"Left out ({len(outside)}): {out}"
                )
        case NumberOutput(value=value, exact=exact, digits=digits):
            said, before = fixed(value, digits), plain(exact)
            unrounded = (
                ""
                if plain(value) == before
                else words.pick(f"（取位前 {before}）", f" (before rounding {before})")
            )
            yield words.pick("结果：", "Result: ") + approximate(said) + unrounded
        case ColumnOutput() as output:
            yield f"| {words.pick('投标', 'Bid')} | {line.step.head.name.of(words.language)} |"
            yield "|---|---|"
            percent = derivation.method.shows.get("deviation") == line.step.head.id
            for i, value in zip(output.over, print_column(output, ids).values(), strict=True):
                said = approximate(value, percent=percent)
                yield f"| {bidder(i, derivation.bids)} | {said} |"
        case HoldsOutput():
            yield words.pick("结果：满足", "Result: it holds")
        case RankOutput(places=places):
            yield f"| {words.pick('名次', 'Place')} | {words.pick('投标', 'Bid')} |"
            yield "|---|---|"
            for place, i in places:
                yield f"| {place} | {bidder(i, derivation.bids)} |"


def why_ended(reason: str, language: str) -> str:
    """The ``failure`` of a line or of results as a sentence."""
    kind, _, detail = reason.partition(": ")
    zh, en = _ENDED[kind]
    if language == "zh":
        return f"{zh}{f'（{detail}）' if detail else ''}。"
    return f"{en}{f' ({detail})' if detail else ''}."


def _ranking(derivation: Derivation, words: Words) -> str:
    results = derivation.results
    if not results.ranked:
        return words.pick("排序：无，评标终止。", "Ranking: none, the evaluation ended.")
    line = words.pick(" ＞ ", " > ")
    places: dict[int, list[str]] = {}
    for place, bid_id in results.ranking:
        places.setdefault(place, []).append(escaped(bid_id))
    said = line.join(f"{place}. " + " = ".join(found) for place, found in places.items())
    none = words.pick("无", "none")
    return words.pick("排序：", "Ranking: ") + (said or none)
