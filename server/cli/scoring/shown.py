"""Evaluations as tables for a terminal (评标结果的显示), in Chinese or English.

Invariant: shows, decides nothing; every figure is the text that the derivation prints.
"""

from rich.console import Console
from rich.table import Table

from crypto.text import money_text
from server.domain.evaluation.comparison import Comparison, Fate
from server.domain.evaluation.methods import Derivation, Method, approximate, why_ended
from server.domain.evaluation.sensitivity import Outcome, Sensitivity
from server.domain.evaluation.simulation import Outlook


def _pick(language: str, zh: str, en: str) -> str:
    return zh if language == "zh" else en


def _table(language: str, zh: str, en: str) -> Table:
    """Columns by their heads, which are separated by commas."""
    table = Table()
    for at, head in enumerate(_pick(language, zh, en).split(",")):
        # A figure is never cut off, and what names the row is never broken.
        table.add_column(head, overflow="fold", no_wrap=at == 0)
    return table


def show_derivation(derivation: Derivation, language: str) -> None:
    method, results = derivation.method, derivation.results
    console = Console()
    console.print(method.name.of(language), style="bold")
    if not method.confirmed:
        console.print(
            _pick(language, "未经确认的办法，仅供演示。", "Unconfirmed: for demonstration only.")
        )
    for role, name in method.shows.items():
        if isinstance(value := results.shown.get(role), str):
            console.print(f"{method.labels[name].of(language)}: {approximate(value)}")
    if results.ranked:
        console.print(_ranking(derivation, language))
    else:
        step = _step(method, results.failed_at, language)
        ended = _pick(language, f"评标在{step}终止：", f"Ended at {step}: ")
        console.print(ended + why_ended(results.failure, language))
    for bid, left_at in results.left_out.items():
        step = _step(method, left_at, language)
        console.print(f"{bid}: " + _pick(language, f"未通过{step}", f"left out at {step}"))


def _step(method: Method, name: str, language: str) -> str:
    """What a step is called, and its id in brackets."""
    label = method.labels[name].of(language)
    return _pick(language, f"“{label}”（{name}）", f"“{label}” ({name})")


def show_identical(language: str) -> None:
    told = "重新计算的结果与存档逐字节一致。", "Computed again: identical, byte for byte."
    Console().print(_pick(language, *told))


def _ranking(derivation: Derivation, language: str) -> Table:
    names = dict(zip(derivation.bids.ids, derivation.bids.names, strict=True))
    labels, shows = derivation.method.labels, derivation.method.shows
    # a step in two roles is one column
    per_bid = {shows[r]: v for r, v in derivation.results.shown.items() if isinstance(v, dict)}
    table = _table(language, "名次,编号,投标人", "place,id,bidder")
    for step in per_bid:
        table.add_column(labels[step].of(language), justify="right")
    for place, bid in derivation.results.ranking:
        cells = (
            approximate(column.get(bid, ""), percent=step == shows.get("deviation"))
            for step, column in per_bid.items()
        )
        table.add_row(str(place), bid, names[bid], *cells)
    return table


def show_methods(methods: dict[str, Method], language: str) -> None:
    table = _table(language, "名称,办法,依据", "name,method,source")
    for name, method in methods.items():
        status = ("已公布文件", "published") if method.confirmed else ("未经确认", "unconfirmed")
        table.add_row(name, method.name.of(language), _pick(language, *status))
    Console().print(table)


def show_outlooks(outlooks: list[Outlook], own: str, language: str) -> None:
    table = _table(
        language,
        "自报价,第一名（含并列）,占比,平均名次,最低得分,平均得分,最高得分",
        "own price,first or shared,share,mean place,lowest score,mean score,highest score",
    )
    for outlook in outlooks:
        placed, scores = outlook.places.total(), outlook.scores
        places = sum(place * count for place, count in outlook.places.items())
        table.add_row(
            money_text(outlook.price),
            f"{outlook.wins}/{outlook.trials}",
            f"{100 * outlook.wins / outlook.trials:.1f}%",
            f"{places / placed:.2f}" if placed else "-",
            str(min(scores)) if scores else "-",
            str(outlook.mean_score) if scores else "-",
            str(max(scores)) if scores else "-",
        )
    cases = outlooks[0].trials
    table.title = _pick(
        language, f"{own}：每个报价 {cases} 种情形", f"{own}: {cases} cases a price"
    )
    Console().print(table)


def show_comparison(found: Comparison, language: str) -> None:
    one, two = (d.method.name.of(language) for d in (found.first, found.second))
    changed = _pick(language, "名次变化", "moved")
    scored = _pick(language, "得分", "score")
    table = _table(language, "编号", "id")
    for head in (f"A: {one}", scored, f"B: {two}", scored, changed):
        table.add_column(head)
    for bid, (a, b) in found.fates.items():
        moved = _pick(language, "是", "yes") if a.place != b.place else ""
        table.add_row(bid, *_fate(a, language), *_fate(b, language), moved)
    Console().print(table)


def _fate(fate: Fate, language: str) -> tuple[str, str]:
    out = _pick(language, "未通过", "out") + (f" ({fate.left_out})" if fate.left_out else "")
    return out if fate.place is None else str(fate.place), fate.score or ""


def show_sensitivity(found: Sensitivity, language: str) -> None:
    console = Console()
    told = f"第一名：{_all(found.actual.first)}", f"first: {_all(found.actual.first)}"
    console.print(_pick(language, *told))
    for bid, following in found.next.items():
        told = f"没有 {bid} 时：{_all(following)}", f"without {bid}: {_all(following)}"
        console.print(_pick(language, *told))
    told = "缺了它第一名就会改变的投标：", "bids without which another would have been first: "
    deciding = ", ".join(found.deciding) or _pick(language, "无", "none")
    console.print(_pick(language, *told) + deciding)
    table = _table(language, "变化,第一名,基准价,得分", "change,first,benchmark,score")
    for bid, outcome in found.without.items():
        _add(table, _pick(language, f"缺 {bid}", f"without {bid}"), outcome)
    for label, values in found.drawn.items():
        for value, outcome in values.items():
            _add(table, f"{label} = {value}", outcome)
    console.print(table)
    total = sum(found.combinations.values())
    for first, count in found.combinations.items():
        console.print(f"{_all(first)}: {count}/{total}")


def _add(table: Table, change: str, outcome: Outcome) -> None:
    table.add_row(change, _all(outcome.first), outcome.benchmark or "-", outcome.score or "-")


def _all(first: tuple[str, ...]) -> str:
    """Those who share the first place."""
    return ", ".join(first) or "-"
