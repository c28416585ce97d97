# SPDX-License-Identifier: Apache-2.0
"""The figures of the runs, as `name value unit` lines."""

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np

from bench.detection.plan import KINDS
from bench.detection.runs import Alarm, Result
from bench.detection.score import Verdict, count, verdicts, was_true

GOALS = "goals: found 95 %, median 60 s, 95th percentile 120 s, 1 false alarm in 100 link-hours"


FLOWS = ("closure", "surge")
"""As in earlier figures: of these nothing was to be seen but fewer or more vehicles than usual."""


def show(results: Sequence[Result], wanted: int, *, examples: bool) -> None:
    """Print all figures, the city's first, then those of the plain threshold."""
    print(f"runs {len(results)} of {wanted}")
    print(GOALS)
    _arm("", results, lambda one: one.alarms, examples=examples)
    _arm("speed_threshold.", results, lambda one: one.baseline, examples=False)


def _arm(name: str, results: Sequence[Result], alarms: Callable[[Result], list[Alarm]], *, examples: bool) -> None:
    found = [one for result in results for one in verdicts(result, alarms(result))]
    seen = [one for one in found if one.in_sight]
    _figures(f"{name}all", found)
    _figures(f"{name}in_sight", seen)
    _figures(f"{name}in_sight.stops_signals_sensors", [one for one in seen if one.kind not in FLOWS])
    _figures(f"{name}out_of_sight", [one for one in found if not one.in_sight])
    if not name:
        for kind in KINDS:
            _figures(f"kind.{kind}", [one for one in seen if one.kind == kind])
        for net in dict.fromkeys(one.net for one in found):
            _figures(f"net.{net}", [one for one in seen if one.net == net])
        harmless = [one for result in results for one in result.truth if not one.get("harms", True)]
        print(f"surges_without_harm {len(harmless)} incidents")
        true = [one for result in results for one in result.truth if one["begin_s"] is not None and was_true(one)]
        print(f"frozen_with_nobody_in_reach {len(true)} incidents")
        any_s = [one.any_s for one in found if one.any_s is not None]
        print(f"all.found_by_any_sign {_percent(len(any_s), len(found))} %")
    _false(name, results, alarms, examples=examples)
    for one in found if examples else ():
        if one.found_s is None:
            print(f"  missed {one.net} {one.kind} in_sight={one.in_sight} passed={one.passed} any={one.any_s}")


def _figures(name: str, found: Sequence[Verdict]) -> None:
    times = [one.found_s for one in found if one.found_s is not None]
    print(f"{name}.incidents {len(found)} incidents")
    if not found:
        return
    print(f"{name}.found {_percent(len(times), len(found))} %")
    if times:
        print(f"{name}.time_to_find_median {np.median(times):.0f} s")
        print(f"{name}.time_to_find_p95 {np.percentile(times, 95):.0f} s")


def _percent(part: int, whole: int) -> str:
    return f"{100.0 * part / whole:.1f}" if whole else "nan"


def _false(name: str, results: Sequence[Result], alarms: Callable[[Result], list[Alarm]], *, examples: bool) -> None:
    counts = [count(result, alarms(result)) for result in results]
    link_hours = sum(result.links * result.hours for result in results)
    quiet = [(one, each) for one, each in zip(results, counts, strict=True) if one.case.quiet]
    quiet_hours = sum(one.links * one.hours for one, _ in quiet)
    kinds: Counter[str] = Counter()
    for each in counts:
        kinds.update(each.false)
    print(f"{name}link_hours {link_hours:.0f} h")
    print(f"{name}alarms {sum(len(alarms(one)) for one in results)} alarms")
    for what in ("found", "signs", "jams"):
        print(f"{name}alarms.{what} {sum(getattr(each, what) for each in counts)} alarms")
    print(f"{name}false_alarms {sum(kinds.values())} alarms")
    print(f"{name}false_alarms_per_100_link_hours {100.0 * sum(kinds.values()) / max(link_hours, 1.0):.2f} alarms")
    false = sum(sum(each.false.values()) for _, each in quiet)
    print(f"{name}false_alarms_per_100_link_hours_quiet {100.0 * false / max(quiet_hours, 1.0):.2f} alarms")
    for kind, number in kinds.most_common():
        print(f"{name}false.{kind} {number} alarms")
    for one, each in zip(results, counts, strict=True) if examples else ():
        for example in each.examples:
            print(f"  false {one.case.key}: {example}")
