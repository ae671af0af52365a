"""Pictures of docs/performance.md (图), drawn from what load tests have measured."""

from pathlib import Path
from typing import Any

Grown = dict[str, dict[str, dict[str, float]]]  # test -> work -> line -> seconds


def _pyplot() -> Any:
    """matplotlib, drawing SVG whose text stays text and whose bytes depend on the figures alone."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "kaibiao", "font.size": 8})
    from matplotlib import pyplot

    return pyplot


def _save(figure: Any, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(target, metadata={"Date": None})
    _pyplot().close(figure)


def growth(found: Grown, units: dict[str, str], target: Path) -> None:
    """One panel a test: work and seconds, both logarithmic; dotted: the first point's line."""
    figure, panels = _pyplot().subplots(2, 3, figsize=(10, 6), layout="constrained")
    for panel, (name, by_work) in zip(panels.flat, found.items(), strict=False):
        works = sorted(map(int, by_work))
        for line in by_work[str(works[0])]:
            seconds = [by_work[str(work)][line] for work in works]
            (drawn,) = panel.plot(works, seconds, marker="o", label=line)
            straight = [seconds[0] * work / works[0] for work in works]
            panel.plot(works, straight, ":", color=drawn.get_color(), linewidth=0.8)
        panel.set(xscale="log", yscale="log", title=name, xlabel=units[name], ylabel="s")
        panel.set_xticks(works, [str(work) for work in works])
        panel.minorticks_off()
        panel.legend(frameon=False)
    for panel in panels.flat[len(found) :]:
        panel.axis("off")
    _save(figure, target)


def soak(report: dict[str, Any], target: Path) -> None:
    """Memory, open files and the loop's lag over the run."""
    series = report["figures"]["series"]
    minutes = [at / 60 for at in series["at_s"]]
    shown = {"memory_mib": "MiB", "open_files": "files", "loop_lag_p99_ms": "ms"}
    figure, panels = _pyplot().subplots(1, 3, figsize=(10, 2.6), layout="constrained")
    for panel, (name, unit) in zip(panels, shown.items(), strict=True):
        panel.plot(minutes, series[name], linewidth=0.8)
        panel.set(title=name, xlabel="minutes", ylabel=unit, ylim=(0, None))
    _save(figure, target)
