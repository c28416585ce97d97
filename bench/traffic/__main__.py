# SPDX-License-Identifier: Apache-2.0
"""All methods and baselines in one SUMO, a table and `name value unit` lines.

`python -m bench.traffic [SECTION ...] [--nets …] [--methods …] [--seeds 11-20] [--data FOLDER] [--minutes N] …`

What was run is kept in bench/traffic/results.jsonl and not run again while its code is the same, so a run that was
interrupted goes on where it was. Sections: resco, bologna, never_worse, sensors, before_after, and scale (`scale.py`).
"""

import argparse
import sys
import traceback
from collections.abc import Sequence
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from pathlib import Path
from time import monotonic

import libsumo
from rich.console import Console

from bench.traffic import nets, plan, tables
from bench.traffic.runs import METHODS, RESULTS, Kept, Result, Run, measure
from citybrain.serve import catalog

err = Console(stderr=True, highlight=False, soft_wrap=True)


def main() -> int:
    """Run what is missing, print what there is; 1 when a run died or the checker of lamp states found anything."""
    chosen = arguments()
    there = nets.find(chosen.nets, chosen.data, err.print)
    kept = Kept(chosen.results)
    wanted = [run for section in chosen.sections for run in plan.runs(section, there, chosen.methods, chosen.seeds)]
    wanted = [run for run in wanted if _is_chosen(run, chosen)]
    died = 0
    if not chosen.table_only:
        died = run_missing(kept.missing(wanted), there, kept, chosen)
    seeds = f"{min(chosen.seeds)} to {max(chosen.seeds)}"
    print(
        f"SUMO {libsumo.getVersion()[1]}, seeds {seeds}, whole hours without teleports. Yellows: as shipped; on RESCO's"
    )
    print("nets 3 s for all but the shipped plan. Delay: timeLoss + departDelay over all due trips (RESCO).")
    figures = tables.Figures(kept, there, chosen.seeds, any_code=chosen.any_code, tell=print)
    for section in chosen.sections:
        tables.SECTIONS[section](figures, chosen.methods)
    unsafe = [result for run in wanted if (result := kept.get(run, any_code=chosen.any_code)) and _violations(result)]
    for result in unsafe:
        err.print(f"[red]UNSAFE[/red] {result.run.key}: {_violations(result)} violations")
        err.print(str(result.summary["first_violations"]))
    print(f"checker.violations {sum(map(_violations, unsafe))} in {len(unsafe)} runs")
    return 1 if died or unsafe else 0


def arguments() -> argparse.Namespace:
    """The command line."""
    words = argparse.ArgumentParser(prog="python -m bench.traffic", description=__doc__)
    words.add_argument("sections", nargs="*", default=[], metavar="SECTION", help=", ".join(plan.SECTIONS))
    words.add_argument("--nets", type=_words, default=list(nets.NETS))
    words.add_argument("--methods", type=_words, default=list(METHODS))
    words.add_argument("--seeds", type=_seeds, default=list(plan.SEEDS), help="11-20, or 11,12")
    words.add_argument("--demands", type=_words, default=None, help="only runs of these, as 0.8,1.2")
    words.add_argument("--sensors", type=_words, default=None, help="only runs with these options set, as missed,dead")
    words.add_argument("--data", type=Path, default=None, help="a folder with bologna/, hangzhou_4x4/, jinan_3x4/")
    words.add_argument("--results", type=Path, default=RESULTS, help="the file of results")
    words.add_argument("--at-once", type=int, default=1, help="runs side by side")
    words.add_argument("--minutes", type=float, default=None, help="begin no run later than this")
    words.add_argument("--quick", action="store_true", help="two small nets, one seed")
    words.add_argument("--table-only", action="store_true", help="run nothing")
    words.add_argument("--any-code", action="store_true", help="show results of older code too")
    chosen = words.parse_args()
    chosen.sections = chosen.sections or list(plan.SECTIONS)
    for section in chosen.sections:
        if section not in plan.SECTIONS:
            words.error(f"no section {section!r}: {', '.join(plan.SECTIONS)}")
    for method in chosen.methods:
        if method not in METHODS:
            words.error(f"no method {method!r}: {', '.join(METHODS)}")
    if chosen.quick:
        chosen.nets, chosen.seeds = list(nets.QUICK), [plan.SEEDS[0]]
    return chosen


def run_missing(runs: Sequence[Run], there: Sequence[nets.Net], kept: Kept, chosen: argparse.Namespace) -> int:
    """Run them, each in a process of its own, and keep each result at once; how many died."""
    net_of = {net.name: net for net in there}
    catalog.apps()  # loaded here, once, and not in each fork
    until_s = monotonic() + 60 * chosen.minutes if chosen.minutes else float("inf")
    waiting = list(runs)
    running: dict[Connection, Run] = {}
    died = done = 0
    while running or (waiting and monotonic() < until_s):
        while waiting and len(running) < chosen.at_once and monotonic() < until_s:
            run = waiting.pop(0)
            running[_begin(run, net_of[run.net])] = run
        for connection in wait(list(running)):
            assert isinstance(connection, Connection)
            run, done = running.pop(connection), done + 1
            result = _received(connection)
            if isinstance(result, Result):
                kept.add(result)
                err.print(f"{done}/{len(runs)} {_told(result)}")
            else:
                died += 1
                err.print(f"[red]died[/red] {run.key}: {result}")
    if waiting:
        err.print(f"{len(waiting)} runs are left; the same command goes on with them")
    return died


def _begin(run: Run, net: nets.Net) -> Connection:
    """A process of its own: a fork, which need not import everything anew, has a SUMO that was never started."""
    context = get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    context.Process(target=_child, args=(run, net, theirs), daemon=True).start()
    theirs.close()
    return ours


def _child(run: Run, net: nets.Net, connection: Connection) -> None:
    try:
        connection.send(measure(run, net))
    except Exception as error:  # noqa: BLE001 - the edge of the process: the parent tells the person
        connection.send("".join(traceback.format_exception(error, limit=-5)))


def _received(connection: Connection) -> Result | str:
    try:
        result = connection.recv()
    except EOFError:
        return "its process ended without a result"
    assert isinstance(result, Result | str)
    return result


def _told(result: Result) -> str:
    summary = result.summary
    unsafe = f" UNSAFE {_violations(result)}" if _violations(result) else ""
    return f"{result.run.key}: {summary['delay_s']:.1f} s, {summary['arrived']} arrived, {result.wall_s:.0f} s{unsafe}"


def _violations(result: Result) -> int:
    return int(result.summary.get("violations", 0))


def _is_chosen(run: Run, chosen: argparse.Namespace) -> bool:
    if run.method not in chosen.methods:
        return False
    if chosen.demands is not None and run.options.get("demand", 1.0) not in [float(each) for each in chosen.demands]:
        return False
    faults = {"sensors", "missed", "noise_m", "dead"} & set(run.options)
    return chosen.sensors is None or not faults or bool(faults & set(chosen.sensors))


def _words(text: str) -> list[str]:
    return [word for word in text.split(",") if word]


def _seeds(text: str) -> list[int]:
    first, _, last = text.partition("-")
    return list(range(int(first), int(last) + 1)) if last else [int(word) for word in text.split(",")]


if __name__ == "__main__":
    sys.exit(main())
