# SPDX-License-Identifier: Apache-2.0
"""The benchmark of the traffic brain: what it keeps, what it runs again, what it calls gridlock, and its rivals."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.traffic import baselines, nets, plan, published, tables
from bench.traffic.runs import METHODS, Kept, Result, Run, fingerprint, options_of
from citybrain.kernel.records import Batch, Column, Entity

AT = datetime(2026, 1, 1, tzinfo=UTC)


def result(run: Run, *, code: str | None = None, **summary: Any) -> Result:
    figures = {"delay_s": 10.0, "travel_time_s": 60.0, "delay_index": 1.5, "arrived": 1000, "violations": 0}
    code = fingerprint(run.method) if code is None else code
    return Result(run=run, code=code, summary={**figures, "locked_in": 0, **summary}, indices={}, wall_s=1.0)


def test_a_run_is_not_run_again_while_its_code_is_the_same(tmp_path: Path) -> None:
    run, other = (Run(net="cologne1", method="brain", seed=seed) for seed in (11, 12))
    Kept(tmp_path / "results.jsonl").add(result(run))
    assert Kept(tmp_path / "results.jsonl").missing([run, other, other]) == [other]


def test_a_result_of_other_code_is_shown_only_when_asked_for(tmp_path: Path) -> None:
    run = Run(net="cologne1", method="brain", seed=11)
    kept = Kept(tmp_path / "results.jsonl")
    kept.add(result(run, code="old"))
    assert kept.missing([run]) == [run]
    assert kept.get(run, any_code=False) is None
    assert kept.get(run, any_code=True) is not None


def test_a_line_that_was_cut_off_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    run = Run(net="cologne1", method="fixed", seed=11)
    Kept(path).add(result(run))
    path.write_bytes(path.read_bytes() + b'{"run":{"net":"colo')
    assert Kept(path).missing([run]) == []


def test_the_seeds_are_ones_that_no_tuning_saw() -> None:
    assert set(plan.SEEDS) == set(range(11, 21))


def test_each_section_runs_what_it_shows() -> None:
    there = nets.find(["cologne1"], None, print)
    shown = [run for section in plan.SECTIONS for run in plan.runs(section, there, list(METHODS), [11])]
    assert {run.method for run in shown} == set(METHODS)
    assert {run.options.get("demand", 1.0) for run in shown} == set(plan.DEMANDS)
    assert any(run.options.get("sensors") == "loops" for run in shown)
    assert all("yellow" not in run.options for run in shown if run.method == "fixed"), "the shipped plan stays as it is"


def test_a_net_that_is_not_there_is_told() -> None:
    told: list[str] = []
    assert nets.find(["bologna"], None, told.append) == []
    assert "bologna" in told[0]
    assert "--data" in told[0]


# fmt: off
GRIDLOCK = [
    ({"arrived": 1000},                   False, "as many as under the shipped plan"),
    ({"arrived": 899},                    True,  "a tenth fewer arrive"),
    ({"arrived": 1000, "locked_in": 10},  False, "a few stand"),
    ({"arrived": 1000, "locked_in": 11},  True,  "more than a few stand for good"),
]
# fmt: on


@pytest.mark.parametrize(("summary", "locked", "why"), GRIDLOCK)
def test_gridlock_is_what_the_rule_says(summary: dict[str, Any], locked: bool, why: str) -> None:
    fixed = result(Run(net="cologne1", method="fixed", seed=11), arrived=999)
    brain = result(Run(net="cologne1", method="brain", seed=11), **summary)
    assert tables.is_gridlocked(fixed, brain) is locked, why


def test_more_that_stand_than_ten_are_no_gridlock_where_the_shipped_plan_has_as_many() -> None:
    fixed = result(Run(net="arterial4x4", method="fixed", seed=11), locked_in=300)
    brain = result(Run(net="arterial4x4", method="brain", seed=11), locked_in=200)
    assert not tables.is_gridlocked(fixed, brain)


def test_tables_and_lines_come_of_kept_results(tmp_path: Path) -> None:
    there = nets.find(["cologne1"], None, print)
    kept = Kept(tmp_path / "results.jsonl")
    for seed, delay_s in ((11, 14.0), (12, 16.0)):
        options = options_of(there[0], "brain")
        kept.add(result(Run(net="cologne1", method="brain", seed=seed, options=options), delay_s=delay_s))
        kept.add(result(Run(net="cologne1", method="fixed", seed=seed), delay_s=40.0, travel_time_s=80.0))
    told: list[str] = []
    figures = tables.Figures(kept, there, [11, 12], any_code=False, tell=told.append)
    for section in tables.SECTIONS.values():
        section(figures, list(METHODS))
    assert "resco.cologne1.brain.delay 15.000 s (2 seeds)" in told
    assert "never_worse.cologne1.demand1.worst_ratio 0.400 brain/fixed (2 seeds)" in told
    assert any("-25.0%" in line for line in told), "travel time before and after"
    assert any(line.startswith("| cologne1 | 40.0 (2)") for line in told)


def test_every_net_of_resco_has_its_published_best_and_its_goal() -> None:
    assert set(published.BEST_DELAY_S) == set(nets.RESCO)
    assert set(nets.RESCO) <= set(published.GOAL_DELAY_S)


def crossing() -> list[Entity]:
    links = [{"index": lamp, "approach": f"in{lamp}", "exit": f"out{lamp}"} for lamp in range(2)]
    signal = Entity(
        id="s",
        type="TrafficSignalController",
        source="test",
        observed_at=AT,
        attributes={"links": links, "stages": ["Gr", "rG"]},
    )
    return [
        signal,
        *(
            Entity(
                id=f"{role}{lamp}",
                type="TrafficDetector",
                source="test",
                observed_at=AT,
                attributes={"controller": "s", "role": role, "lane": f"{'in' if role == 'approach' else 'out'}{lamp}"},
            )
            for role in ("approach", "exit")
            for lamp in range(2)
        ),
    ]


def batch(**counts: tuple[int, float]) -> Batch:
    """Per detector, how many vehicles there are and how far away."""
    tables_of = {name: np.array([[far_m, 0.0, 9.0, 1.0]] * count) for name, (count, far_m) in counts.items()}
    columns = (Column(attribute="tracks", entity_ids=tuple(tables_of), values=tuple(tables_of.values())),)
    return Batch(id="b", source="test", observed_at=AT, received_at=AT, columns=columns)


def test_greedy_serves_most_within_a_hundred_metres() -> None:
    (order,) = baselines.greedy(crossing())(batch(approach0=(5, 120.0), approach1=(2, 20.0)), (), ())
    assert order.parameters == {"stage": 1}


def test_max_pressure_counts_what_stands_behind_the_junction_against_it() -> None:
    rule = baselines.max_pressure(crossing())
    (order,) = rule(batch(approach0=(5, 120.0), approach1=(2, 20.0), exit0=(4, 10.0)), (), ())
    assert order.parameters == {"stage": 1}
