# SPDX-License-Identifier: Apache-2.0
"""Incidents are injected into simulated cities; how many are found, how soon, and how many alarms are false.

`python -m bench.detection [--nets …] [--seeds 11-13] [--demands …] [--results FILE] [--minutes N] [--at-once N]`

What was run is kept in the file of results and not run again, so an interrupted run goes on where it was; delete the
file after a change of the detectors. Figures come as `name value unit` lines, those of a plain speed threshold too.
"""

import argparse
from collections.abc import Sequence
from multiprocessing import get_context
from pathlib import Path
from time import monotonic

import msgspec

from bench.detection import plan, tables
from bench.detection.runs import Result, traffic
from bench.detection.work import one_run

RESULTS = Path.home() / ".cache" / "citybrain" / "detection.jsonl"


def main() -> int:
    """Run what is missing, print what there is."""
    chosen = arguments()
    chosen.results.parent.mkdir(parents=True, exist_ok=True)
    kept = read(chosen.results)
    wanted = plan.cases(chosen.nets, chosen.seeds, chosen.demands)
    missing = [case for case in wanted if case.key not in kept]
    until_s = monotonic() + 60.0 * chosen.minutes
    died = run(missing, chosen, until_s) if missing and not chosen.table_only else 0
    kept = read(chosen.results)
    results = [kept[case.key] for case in wanted if case.key in kept]
    tables.show(results, len(wanted), examples=chosen.examples)
    return 1 if died or not results else 0


def run(missing: Sequence[plan.Case], chosen: argparse.Namespace, until_s: float) -> int:
    """Each run in a process of its own; how many died."""
    context = get_context("spawn")
    died = 0
    with context.Pool(chosen.at_once, maxtasksperchild=1) as pool:
        counts = {net: pool.apply_async(traffic, (net,)) for net in dict.fromkeys(one.net for one in missing)}
        per_hour = {net: each.get() for net, each in counts.items()}
        tasks = [(case, per_hour[case.net], chosen.record, until_s) for case in missing]
        for result in pool.imap_unordered(one_run, tasks):
            if isinstance(result, Result):
                with chosen.results.open("ab") as file:
                    file.write(msgspec.json.encode(result) + b"\n")
            elif result:
                died += 1
                print(f"died: {result}", flush=True)
    return died


def read(path: Path) -> dict[str, Result]:
    """The results of a file by their case; a line that was cut off is left out."""
    found = {}
    for line in path.read_bytes().splitlines() if path.exists() else ():
        try:
            result = msgspec.json.decode(line, type=Result)
        except msgspec.DecodeError:
            continue
        found[result.case.key] = result
    return found


def arguments() -> argparse.Namespace:
    """The command line."""
    words = argparse.ArgumentParser(prog="python -m bench.detection", description=__doc__)
    words.add_argument("--nets", type=lambda text: text.split(","), default=list(plan.NETS))
    words.add_argument("--seeds", type=numbers, default=list(plan.REPORTED), help="11-13, or 11,12")
    words.add_argument("--demands", type=lambda text: [float(one) for one in text.split(",")], default=plan.DEMANDS)
    words.add_argument("--results", type=Path, default=RESULTS)
    words.add_argument("--record", type=Path, default=None, help="keep all that was seen in this folder")
    words.add_argument("--minutes", type=float, default=600.0, help="begin no run later than this")
    words.add_argument("--at-once", type=int, default=1)
    words.add_argument("--examples", action="store_true", help="name every false alarm and every miss")
    words.add_argument("--table-only", action="store_true", help="run nothing")
    return words.parse_args()


def numbers(text: str) -> list[int]:
    """Seeds as 11-13 or 11,12."""
    first, _, last = text.partition("-")
    return list(range(int(first), int(last) + 1)) if last else [int(one) for one in text.split(",")]


if __name__ == "__main__":
    raise SystemExit(main())
