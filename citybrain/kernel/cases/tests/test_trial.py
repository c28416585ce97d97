# SPDX-License-Identifier: Apache-2.0
"""A definition that is tried out does what the engine then does with real cases."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import msgspec
import pytest

from citybrain.kernel.cases.case import Case, MoveFacts
from citybrain.kernel.cases.case_types import CaseTypes
from citybrain.kernel.cases.deadlines import keep_time
from citybrain.kernel.cases.forms import check_fields
from citybrain.kernel.cases.service import Cases
from citybrain.kernel.cases.tests.city import NOON, TICKET, Tree, operator, pothole
from citybrain.kernel.cases.trial import STEPS_AT_MOST, TrialFacts, TrialOpening, TrialStep, TrialUnusable, try_out
from citybrain.kernel.db import Database
from citybrain.kernel.errors import Refusal

TIMED = msgspec.structs.replace(
    TICKET,
    id="timed",
    deadlines=(
        {"name": "sign", "within": "4wh", "ends": ["state:working", "closed"]},
        {
            "name": "handle",
            "within": "5wd",
            "warn": ["80%", "1wd"],
            "escalate": [{"to": ["department"], "after": "1d"}],
        },
    ),
)
# Each a length after the step before, a move, and what comes with it.
Walk = Sequence[tuple[int, str, Mapping[str, object]]]
FINISHED: Mapping[str, object] = {"answer": "好", "fields": {"cause": "x"}}
WALKS: Mapping[str, Walk] = {
    "straight": [(2, "accept", {}), (30, "finish", FINISHED)],
    "suspended": [
        (2, "accept", {}),
        (20, "wait", {"reason": "等料"}),
        (100, "go_on", {}),
        (1, "finish", FINISHED),
    ],
    "refused": [
        (1, "finish", {}),
        (2, "accept", {}),
        (3, "finish", {"answer": "好"}),
        (4, "finish", {"answer": "好", "fields": {"cause": "x", "colour": "red"}}),
    ],
    "reopened": [
        (9, "refuse", {"reason": "x"}),
        (200, "reopen", {"reason": "又坏"}),
        (5, "wait", {"reason": "等"}),
    ],
    "passed on": [(2, "dispatch", {"reason": "水管", "department": "water"}), (3, "accept", {})],
}
COMPARED = ("state", "phase", "department", "due_at", "priority", "fields")


class Set:
    """A clock that stands where it is put."""

    at: datetime = NOON

    def __call__(self) -> datetime:
        return self.at


@pytest.mark.parametrize("name", WALKS)
async def test_a_trial_goes_as_a_real_case_goes(db: Database, name: str) -> None:
    clock, types = Set(), CaseTypes(db)
    type = await types.put(TIMED, by="city", now=NOON - timedelta(days=1))
    cases = Cases(db, types, clock, Tree())
    cases.check_form = check_fields
    cases.hooks.planners.append(keep_time)
    boss = msgspec.structs.replace(operator("somebody"), roles=("operator", "head"))
    real: list[Case] = [await cases.open(boss, pothole(type="timed", key=name))]
    refused: list[str | None] = [None]
    steps: list[TrialStep] = []
    for hours, move, facts in WALKS[name]:
        clock.at += timedelta(hours=hours)
        steps.append(TrialStep(after=f"{hours}h", move=move, facts=msgspec.convert(facts, TrialFacts)))
        refused.append(None)
        try:
            await cases.move(boss, real[0].id, move, msgspec.convert(facts, MoveFacts))
        except Refusal as refusal:
            refused[-1] = refusal.code
        real.append(await cases.get(boss, real[0].id))
    opening = TrialOpening(at=NOON, department="roads", fields=real[0].fields)
    stages = try_out(type, opening, steps, NOON)
    for stage, case in zip(stages, real, strict=True):
        for each in COMPARED:
            assert getattr(stage, each) == getattr(case, each), (name, stage.step, each)
    assert [stage.refused["code"] if stage.refused else None for stage in stages] == refused


def test_each_alarm_of_a_trial_rings_once() -> None:
    opening = TrialOpening(at=NOON, fields={"text": "x"})
    steps = [TrialStep(after="1d") for _ in range(20)]
    stages = try_out(TIMED, opening, steps, NOON)
    rang = [(each.clock, each.kind, each.step) for stage in stages for each in stage.rang]
    assert len(rang) == len(set(rang)) == len(stages[0].alarms)
    assert stages[-1].alarms == []


def test_a_trial_has_an_end() -> None:
    opening = TrialOpening(at=NOON, fields={"text": "x"})
    with pytest.raises(TrialUnusable):
        try_out(TIMED, opening, [TrialStep(after="1h")] * (STEPS_AT_MOST + 1), NOON)
