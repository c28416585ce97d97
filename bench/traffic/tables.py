# SPDX-License-Identifier: Apache-2.0
"""Results as tables for people and as `name value unit` lines for machines."""

import statistics
from collections.abc import Callable, Iterable, Sequence

from scipy import stats

from bench.traffic import published
from bench.traffic.nets import BOLOGNA, RESCO, Net
from bench.traffic.plan import DEMANDS, NEVER_WORSE, SENSORS
from bench.traffic.runs import Kept, Result, Run, options_of

LEAST_ARRIVED = 0.9
MOST_LOCKED_IN = 10
"""A run is gridlocked when fewer than 0.9 of those arrive that arrive under the shipped plan (same seed and demand),
or when at its end more than ten vehicles, and more than under that plan, have not moved for five minutes."""

Tell = Callable[[str], None]


class Figures:
    """The kept results of some nets and seeds, asked for by section."""

    def __init__(self, kept: Kept, nets: Sequence[Net], seeds: Sequence[int], *, any_code: bool, tell: Tell) -> None:
        self._kept, self._nets, self._seeds = kept, {net.name: net for net in nets}, seeds
        self._any_code = any_code
        self._tell = tell

    def of(self, net: str, method: str, *, demand: float = 1.0, sensors: str = "") -> list[Result]:
        """One result per seed, as far as there is one."""
        options = options_of(self._nets[net], method, demand=demand, sensors=SENSORS[sensors] if sensors else {})
        runs = [Run(net=net, method=method, seed=seed, options=options) for seed in self._seeds]
        return [result for run in runs if (result := self._kept.get(run, any_code=self._any_code))]

    def nets(self, among: Iterable[str] | None = None) -> list[str]:
        """The nets there are results of, in their order."""
        return [name for name in self._nets if among is None or name in among]

    def pairs(self, net: str, demand: float = 1.0, sensors: str = "") -> list[tuple[Result, Result]]:
        """Shipped plan and brain of the same seed and demand."""
        fixed = {result.run.seed: result for result in self.of(net, "fixed", demand=demand)}
        brain = self.of(net, "brain", demand=demand, sensors=sensors)
        return [(fixed[result.run.seed], result) for result in brain if result.run.seed in fixed]

    def line(self, name: str, value: float, unit: str) -> None:
        self._tell(f"{name.replace(' ', '_')} {value:.3f} {unit}")

    def table(self, title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Markdown, so that it can be put into a document as it is."""
        self._tell(f"\n{title}\n")
        for row in (head, ["---"] * len(head), *rows):
            self._tell(f"| {' | '.join(row)} |")
        self._tell("")


def resco(figures: Figures, methods: Sequence[str]) -> None:
    """Delay of all methods beside the published bests and the goals."""
    rows = []
    for net in figures.nets(RESCO):
        cells = []
        for method in methods:
            found = figures.of(net, method)
            cells.append(_mean_of(found, "delay_s"))
            if found:
                figures.line(f"resco.{net}.{method}.delay", _mean(found, "delay_s"), f"s ({len(found)} seeds)")
        brain = figures.of(net, "brain")
        spread = f"{min(map(_delay, brain)):.1f} to {max(map(_delay, brain)):.1f}" if brain else "–"
        best_s, who = published.BEST_DELAY_S[net]
        rows.append([net, *cells, spread, f"{best_s:.1f} ({who})", f"{published.GOAL_DELAY_S[net]:.1f}"])
    head = ("net", *methods, "brain, single seeds", "best published", "goal")
    figures.table("Delay on RESCO's nets, s per vehicle (seeds in brackets)", head, rows)


def bologna(figures: Figures, methods: Sequence[str]) -> None:
    """Delay of all methods at three demands, with the plan's own yellows, clearances and least greens."""
    rows = []
    for demand in DEMANDS[1:4] if BOLOGNA in figures.nets() else ():
        found = {method: figures.of(BOLOGNA, method, demand=demand) for method in methods}
        rows.append([f"{demand:g}", *(_mean_of(each, "delay_s") for each in found.values())])
        for method, each in found.items():
            if each:
                unit = f"s ({len(each)} seeds)"
                figures.line(f"bologna.demand{demand:g}.{method}.delay", _mean(each, "delay_s"), unit)
    figures.table("Delay in Bologna by demand, s per vehicle", ("demand", *methods), rows)


def never_worse(figures: Figures, _methods: Sequence[str]) -> None:
    """The worst run of the brain against the shipped plan, per net and demand, and how many are gridlocked."""
    rows = []
    for net in figures.nets():
        cells = []
        for demand in DEMANDS:
            pairs = figures.pairs(net, demand)
            if not pairs:
                cells.append("–")
                continue
            worst = max(_delay(brain) / _delay(fixed) for fixed, brain in pairs)
            locked = sum(is_gridlocked(fixed, brain) for fixed, brain in pairs)
            bad = worst > NEVER_WORSE or locked
            cells.append(
                f"{'**' if bad else ''}{worst:.2f}{f', {locked} locked' if locked else ''}{'**' if bad else ''}"
            )
            figures.line(f"never_worse.{net}.demand{demand:g}.worst_ratio", worst, f"brain/fixed ({len(pairs)} seeds)")
            figures.line(f"never_worse.{net}.demand{demand:g}.gridlocked", locked, f"of {len(pairs)} runs")
        rows.append([net, *cells])
    title = f"The worst single run, delay over the shipped plan's (at most {NEVER_WORSE}; bold: worse, or gridlocked)"
    figures.table(title, ("net", *(f"demand {demand:g}" for demand in DEMANDS)), rows)


def sensors(figures: Figures, _methods: Sequence[str]) -> None:
    """The brain's delay by what its sensors see, beside the shipped plan that needs none."""
    rows = []
    for net in figures.nets():
        cells = [_mean_of(figures.of(net, "fixed"), "delay_s")]
        for name in SENSORS:
            found = figures.of(net, "brain", sensors=name)
            cells.append(_mean_of(found, "delay_s"))
            if found:
                figures.line(f"sensors.{net}.{name}.delay", _mean(found, "delay_s"), f"s ({len(found)} seeds)")
        rows.append([net, *cells])
    figures.table("Delay by what the sensors see, s per vehicle", ("net", "shipped plan", *SENSORS), rows)


def before_after(figures: Figures, _methods: Sequence[str]) -> None:
    """Change of travel time and congestion index with 95 % intervals over seeds, beside Hangzhou's claims."""
    rows = []
    for net in figures.nets():
        pairs = figures.pairs(net)
        cells = []
        for key in ("travel_time_s", "delay_index"):
            changes = [brain.summary[key] / fixed.summary[key] - 1.0 for fixed, brain in pairs]
            cells.append(_interval(changes))
            if changes:
                figures.line(f"before_after.{net}.{key}", 100 * statistics.fmean(changes), f"% ({len(changes)} seeds)")
        before = _mean_of([fixed for fixed, _ in pairs], "delay_index", 2)
        after = _mean_of([brain for _, brain in pairs], "delay_index", 2)
        rows.append([net, *cells, before, after])
    claims = f"Hangzhou's claims: travel time {published.CLAIM_TRAVEL_TIME:+.1%}, index {published.CLAIM_INDEX:+.1%}"
    head = ("net", "travel time, change (95 %)", "congestion index, change (95 %)", "index before", "index after")
    figures.table(f"Before and after, same seeds ({claims})", head, rows)


SECTIONS: dict[str, Callable[[Figures, Sequence[str]], None]] = {
    "resco": resco,
    "bologna": bologna,
    "never_worse": never_worse,
    "sensors": sensors,
    "before_after": before_after,
}


def is_gridlocked(fixed: Result, other: Result) -> bool:
    """Too few arrive, or too many stand for good: see `LEAST_ARRIVED`."""
    locked, usual = other.summary.get("locked_in", 0), fixed.summary.get("locked_in", 0)
    few = other.summary["arrived"] < LEAST_ARRIVED * fixed.summary["arrived"]
    return bool(few or locked > max(MOST_LOCKED_IN, usual))


def _delay(result: Result) -> float:
    return float(result.summary["delay_s"])


def _mean(results: Sequence[Result], key: str) -> float:
    return statistics.fmean(result.summary[key] for result in results)


def _mean_of(results: Sequence[Result], key: str, decimals: int = 1) -> str:
    return f"{_mean(results, key):.{decimals}f} ({len(results)})" if results else "–"


def _interval(changes: Sequence[float]) -> str:
    """Mean and its 95 % interval by Student's t over the seeds."""
    if not changes:
        return "–"
    mean = statistics.fmean(changes)
    if len(changes) == 1:
        return f"{mean:+.1%} (one seed)"
    half = float(stats.t.ppf(0.975, len(changes) - 1)) * statistics.stdev(changes) / len(changes) ** 0.5
    return f"{mean:+.1%} ({mean - half:+.1%} to {mean + half:+.1%})"
